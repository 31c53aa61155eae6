/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chain.h"

#include "base/alloc.h"
#include "base/spare.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/uio.h>

/* Small documents cost one small allocation; large ones grow in blocks that stay below malloc's
 * threshold for mmap, which would cost page faults for every reply. */
#define BLOCK_FIRST ((size_t)1024)
#define BLOCK_MAX ((size_t)64 * 1024)

static_assert(CHAIN_RESERVE_MAX <= BLOCK_MAX / 2, "a reservation must fit into a block");

/* Where writes go after a failure. */
static _Thread_local char scratch[CHAIN_RESERVE_MAX];

/* First blocks of this thread's, for its next documents: beside connections by the dozen malloc()
 * would put what is free together and cut it up again. With a sanitizer each is its own, so that it
 * sees who uses one too long. */
static _Thread_local struct spare spare_blocks;
#ifdef RPCGATE_SANITIZED
#define KEEPS_BLOCKS false
#else
#define KEEPS_BLOCKS true
#endif
#define CAP_FIRST (BLOCK_FIRST - sizeof(struct chain_block))

static struct chain_block *take_block(size_t cap)
{
    struct chain_block *b = cap == CAP_FIRST ? spare_take(&spare_blocks) : NULL;
    return b != NULL ? b : malloc(sizeof *b + cap);
}

static void give_block(struct chain_block *b)
{
    if (!KEEPS_BLOCKS || b->cap != CAP_FIRST || !spare_keep(&spare_blocks, b))
        free(b);
}

void chain_free_spare(void)
{
    spare_free(&spare_blocks);
}

void chain_init(struct chain *c, size_t max_bytes, struct budget *budget)
{
    *c = (struct chain){ .max = max_bytes, .budget = budget };
}

static void free_blocks(struct chain *c, struct chain_block *from)
{
    while (from != NULL) {
        struct chain_block *next = from->next;
        budget_give(c->budget, sizeof *from + from->cap);
        give_block(from);
        from = next;
    }
}

void chain_done(struct chain *c)
{
    free_blocks(c, c->first);
    chain_init(c, c->max, c->budget);
}

void chain_wipe(struct chain *c)
{
    for (struct chain_block *b = c->first; b != NULL; b = b->next)
        wipe(b->data, b->cap);
    chain_done(c);
}

void chain_clear(struct chain *c)
{
    struct chain_block *b = c->first;
    c->state = CHAIN_OK;
    if (b == NULL)
        return;
    free_blocks(c, b->next);
    b->next = NULL;
    b->len = 0;
    c->last = b;
}

void chain_move(struct chain *to, struct chain *c)
{
    *to = *c;
    chain_init(c, c->max, c->budget);
}

/* What the block behind `c->last` gets, with room for `least` bytes. */
static size_t next_cap(const struct chain *c, size_t least)
{
    size_t cap = c->last == NULL ? BLOCK_FIRST : c->last->cap * 2;
    if (cap < BLOCK_FIRST)
        cap = BLOCK_FIRST; /* chain_insert() makes blocks that are smaller than a block's head */
    if (cap < least)
        cap = least;
    if (cap > BLOCK_MAX)
        cap = BLOCK_MAX;
    cap -= sizeof(struct chain_block);
    return cap < least ? least : cap;
}

static struct chain_block *new_block(struct chain *c, size_t cap)
{
    if (!budget_take(c->budget, sizeof(struct chain_block) + cap)) {
        c->state = CHAIN_NO_MEMORY;
        return NULL;
    }
    struct chain_block *b = take_block(cap);
    if (b == NULL) {
        budget_give(c->budget, sizeof *b + cap);
        c->state = CHAIN_NO_MEMORY;
        return NULL;
    }
    b->next = NULL;
    b->len = 0;
    b->cap = cap;
    return b;
}

static struct chain_block *add_block(struct chain *c, size_t least)
{
    size_t cap = next_cap(c, least);
    if (cap > c->max - chain_len(c))
        cap = c->max - chain_len(c); /* so that appends that fit a block cannot pass the maximum */
    struct chain_block *b = new_block(c, cap);
    if (b == NULL)
        return NULL;
    b->start = chain_len(c);
    if (c->last != NULL)
        c->last->next = b;
    else
        c->first = b;
    c->last = b;
    return b;
}

char *chain_reserve_slow(struct chain *c, size_t n)
{
    assert(n <= CHAIN_RESERVE_MAX);
    if (c->state != CHAIN_OK)
        return scratch;
    if (n > c->max || chain_len(c) > c->max - n) {
        c->state = CHAIN_FULL;
        return scratch;
    }
    struct chain_block *b = add_block(c, n);
    return b != NULL ? b->data : scratch;
}

void chain_append_slow(struct chain *c, struct str s)
{
    if (c->state != CHAIN_OK)
        return;
    if (s.len > c->max || chain_len(c) > c->max - s.len) {
        c->state = CHAIN_FULL;
        return;
    }
    while (s.len > 0) {
        struct chain_block *b = c->last;
        if (b == NULL || b->len == b->cap) {
            b = add_block(c, s.len < CHAIN_RESERVE_MAX ? s.len : CHAIN_RESERVE_MAX);
            if (b == NULL)
                return;
        }
        size_t room = b->cap - b->len;
        size_t n = s.len < room ? s.len : room;
        memcpy(b->data + b->len, s.data, n);
        b->len += n;
        s = str_slice(s, n, s.len);
    }
}

void chain_append_moved(struct chain *c, struct str s)
{
    struct budget *budget = TAKE(c->budget);
    struct chain_block *last = c->last;
    chain_append(c, s);
    c->budget = budget;
    for (struct chain_block *b = last != NULL ? last->next : c->first; b != NULL; b = b->next)
        budget_count(budget, sizeof *b + b->cap);
}

void chain_set_byte(struct chain *c, size_t at, char byte)
{
    struct chain_block *b = c->first;
    while (b != NULL && b->start + b->len <= at)
        b = b->next;
    assert(b != NULL);
    b->data[at - b->start] = byte;
}

void chain_truncate(struct chain *c, size_t len)
{
    struct chain_block *b = c->first;
    if (b == NULL || len >= chain_len(c))
        return;
    if (c->last->start <= len)
        b = c->last;
    while (b->next != NULL && b->next->start <= len)
        b = b->next;
    free_blocks(c, b->next);
    b->next = NULL;
    b->len = len - b->start;
    c->last = b;
}

/* Takes them out of one block. */
static void cut_block(struct chain_block *b, size_t from, size_t end)
{
    memmove(b->data + from, b->data + end, b->len - end);
    b->len -= end - from;
}

void chain_cut(struct chain *c, size_t from, size_t end)
{
    struct chain_block *b = c->first, *next;
    if (from >= end)
        return;
    if (end == chain_len(c)) {
        chain_truncate(c, from);
        return;
    }
    if (c->last->start <= from)
        b = c->last;
    while (b->start + b->len <= from)
        b = b->next;
    if (end <= b->start + b->len) {
        cut_block(b, from - b->start, end - b->start);
    } else {
        b->len = from - b->start;
        for (next = b->next; next->start + next->len <= end; next = b->next) {
            b->next = next->next;
            next->next = NULL;
            free_blocks(c, next);
        }
        cut_block(next, 0, end - next->start);
    }
    for (next = b->next; next != NULL; b = next, next = next->next)
        next->start = b->start + b->len;
}

void chain_fail(struct chain *c)
{
    if (c->state == CHAIN_OK)
        c->state = CHAIN_NO_MEMORY;
}

void chain_recover(struct chain *c, size_t len)
{
    chain_truncate(c, len);
    c->state = CHAIN_OK;
}

void chain_append_range(struct chain *c, const struct chain *from, size_t at, size_t len)
{
    const struct chain_block *b = from->first;
    while (b != NULL && b->start + b->len <= at)
        b = b->next;
    while (len > 0 && b != NULL) {
        size_t skip = at - b->start;
        size_t n = b->len - skip;
        if (n > len)
            n = len;
        chain_append(c, (struct str){ b->data + skip, n });
        at += n;
        len -= n;
        if (at >= b->start + b->len)
            b = b->next;
    }
}

void chain_join(struct chain *to, struct chain *from)
{
    assert(to->budget == from->budget);
    size_t len = chain_len(to);
    if (to->state == CHAIN_OK)
        to->state = from->state;
    if (to->state == CHAIN_OK && (len > to->max || chain_len(from) > to->max - len))
        to->state = CHAIN_FULL;
    if (to->state != CHAIN_OK || from->first == NULL) {
        chain_done(from);
        return;
    }
    for (struct chain_block *b = from->first; b != NULL; b = b->next)
        b->start += len;
    if (to->last != NULL)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    chain_init(from, from->max, from->budget);
}

/* Inserts a block that begins with the text; what stands behind it in its block moves there. */
static void insert_block(struct chain *c, struct chain_block *b, size_t keep, struct str text)
{
    size_t len = text.len + b->len - keep;
    size_t start = b->start + keep;
    size_t cap = b == c->last ? next_cap(c, len) : len;
    if (cap > c->max - start)
        cap = c->max - start;
    struct chain_block *added = new_block(c, cap);
    if (added == NULL)
        return;
    memcpy(added->data, text.data, text.len);
    memcpy(added->data + text.len, b->data + keep, b->len - keep);
    added->start = start;
    added->len = len;
    added->next = b->next;
    b->len = keep;
    b->next = added;
    if (c->last == b)
        c->last = added;
}

void chain_insert(struct chain *c, size_t at, struct str text)
{
    if (c->state != CHAIN_OK)
        return;
    if (chain_len(c) > c->max || text.len > c->max - chain_len(c)) {
        c->state = CHAIN_FULL;
        return;
    }
    struct chain_block *b = c->last->start <= at ? c->last : c->first;
    while (b->start + b->len < at)
        b = b->next;
    size_t keep = at - b->start;
    struct chain_block *behind = b->next;
    if (b->cap - b->len >= text.len) {
        char *to = b->data + keep;
        memmove(to + text.len, to, b->len - keep);
        memcpy(to, text.data, text.len);
        b->len += text.len;
    } else {
        insert_block(c, b, keep, text);
        if (c->state != CHAIN_OK)
            return;
    }
    for (; behind != NULL; behind = behind->next)
        behind->start += text.len;
}

size_t chain_read(const struct chain *c, struct chain_cursor *cursor, char *to, size_t size)
{
    size_t done = 0;
    if (!cursor->started)
        *cursor = (struct chain_cursor){ .block = c->first, .started = true };
    while (cursor->block != NULL && done < size) {
        size_t n = cursor->block->len - cursor->at;
        if (n > size - done)
            n = size - done;
        if (n > 0)
            memcpy(to + done, cursor->block->data + cursor->at, n);
        done += n;
        cursor->at += n;
        if (cursor->at == cursor->block->len) {
            cursor->block = cursor->block->next;
            cursor->at = 0;
        }
    }
    return done;
}

size_t chain_blocks(const struct chain *c)
{
    size_t n = 0;
    for (const struct chain_block *b = c->first; b != NULL; b = b->next)
        n++;
    return n;
}

void chain_iovec(const struct chain *c, struct iovec *ret)
{
    for (struct chain_block *b = c->first; b != NULL; b = b->next)
        *ret++ = (struct iovec){ .iov_base = b->data, .iov_len = b->len };
}

char *chain_dup(const struct chain *c)
{
    size_t len = chain_len(c);
    char *copy = xcalloc(len + 1, 1);
    struct chain_cursor cursor = { 0 };
    size_t copied = chain_read(c, &cursor, copy, len);
    assert(copied == len);
    return copy;
}
