/* SPDX-License-Identifier: Apache-2.0 */
/* What is still to be changed in the output when the document is complete. Of members of one name
 * the last value counts and stands in the first one's place; a string that must become base64 is
 * known as one when much of it is written. Done at once that would be one long step, and for
 * structs within structs the same bytes again and again. So it is noted, and done at the end in one
 * pass over the output, in steps: each byte is copied at most once. */
#include "base/alloc.h"
#include "codec/json/text.h"
#include "codec/value/base64.h"
#include "codec/xml/decode_private.h"

#include <stdlib.h>

/* Edits are put in order when the pass comes to this part of the output: few enough for one step,
 * for a member has at least six bytes. [bytes] */
#define PART_BITS 16

/* What an edit costs, in bytes that are copied. */
#define EDIT_COST ((size_t)64)

/* What is made base64 at once [bytes], and by how much an escape or a mark may go beyond it. */
#define PIECE ((size_t)2048)
#define PIECE_SPARE ((size_t)12)

/* In the order in which those at one place are done. */
enum edit_kind {
    EDIT_CUT,    /* [from, end) is no part of the result that is wanted */
    EDIT_MOVE,   /* [from, end) is the first value of a name: that of `drop` stands there instead */
    EDIT_DROP,   /* [from, end) is a further member of that name, with the comma before it */
    EDIT_BASE64, /* [from, end) is a string's inside, with marks */
    EDIT_STRUCT  /* at `from` begins the struct in {"$struct": …} */
};

struct edit {
    size_t from, end;
    size_t value;  /* DROP: where the member's value begins; it ends where the member does */
    uint32_t drop; /* MOVE: index of the edit */
    uint32_t next; /* index + 1 of the next of its part; 0: none */
    enum edit_kind kind;
};

struct part {
    uint32_t newest;   /* index + 1; 0: none */
    uint32_t first, n; /* in `order`, once it is sorted */
    bool sorted;
};

/* A stretch of the output that is copied. */
struct stretch {
    size_t at, end;
    size_t next_from; /* edits before it are done */
};

/* The pass. */
struct edit_pass {
    struct chain to;
    const struct chain_block **blocks; /* of the output; owned */
    size_t n_blocks;
    struct buf order; /* of uint32_t: indices of edits, by part and place */
    size_t n_order;
    struct stretch *stack; /* values that are moved within values; owned */
    size_t depth;
    bool in_base64;
    struct base64 base64;
};

static struct edit *edit_at(const struct decoder *d, size_t i)
{
    return (struct edit *)(void *)d->edits.list.data + i;
}

static struct part *part_at(const struct decoder *d, size_t i)
{
    return (struct part *)(void *)d->edits.parts.data + i;
}

static size_t part_of(const struct decoder *d, size_t place)
{
    return (place - d->begin) >> PART_BITS;
}

static bool make_parts(struct decoder *d, size_t n)
{
    struct edits *e = &d->edits;
    size_t had = e->n_parts;
    if (n <= had)
        return true;
    if (!buf_reserve(&e->parts, (n - had) * sizeof(struct part)))
        return decode_fail_buf(d, &e->parts);
    memset(part_at(d, had), 0, (n - had) * sizeof(struct part));
    e->parts.len = n * sizeof(struct part);
    e->n_parts = n;
    return true;
}

/* Returns its index + 1; 0: there was no memory, and the decoder has failed. */
static uint32_t add(struct decoder *d, const struct edit *edit)
{
    struct edits *e = &d->edits;
    size_t part = part_of(d, edit->from);
    if (!make_parts(d, part + 1))
        return 0;
    if (!buf_reserve(&e->list, sizeof *edit)) {
        decode_fail_buf(d, &e->list);
        return 0;
    }
    e->list.len += sizeof *edit;
    struct edit *added = edit_at(d, e->n);
    *added = *edit;
    added->next = part_at(d, part)->newest;
    part_at(d, part)->newest = (uint32_t)++e->n;
    return (uint32_t)e->n;
}

void edits_forget(struct decoder *d, size_t n)
{
    struct edits *e = &d->edits;
    while (e->n > n) {
        const struct edit *last = edit_at(d, --e->n);
        part_at(d, part_of(d, last->from))->newest = last->next;
    }
    e->list.len = n * sizeof(struct edit);
}

void edit_end_member(struct decoder *d, struct frame *of)
{
    if (of->repeated != 0)
        edit_at(d, of->repeated - 1)->end = chain_len(d->out);
    of->repeated = 0;
}

void edit_repeat(struct decoder *d, struct frame *of, size_t member)
{
    struct member *first = (struct member *)(void *)d->members.data + member;
    const struct member *last =
        (struct member *)(void *)d->members.data + of->members + of->count - 1;
    of->n_repeated++;
    of->repeated = add(
        d, &(struct edit){
               .from = last->at - 1, .end = SIZE_MAX, .value = last->value, .kind = EDIT_DROP });
    if (of->repeated == 0)
        return;
    if (first->moved == 0)
        first->moved = add(
            d, &(struct edit){ .from = first->value, .end = first[1].at - 1, .kind = EDIT_MOVE });
    if (first->moved != 0)
        edit_at(d, first->moved - 1)->drop = of->repeated - 1;
}

void edit_base64(struct decoder *d, size_t from)
{
    size_t end = chain_len(d->out);
    if (chain_state(d->out) != CHAIN_OK || d->failed)
        return;
    if (add(d, &(struct edit){ .from = from, .end = end, .kind = EDIT_BASE64 }) != 0)
        d->repaired++;
}

void edit_struct(struct decoder *d, size_t from)
{
    add(d, &(struct edit){ .from = from, .end = from, .kind = EDIT_STRUCT });
}

void edits_keep(struct decoder *d, size_t begin, size_t from, size_t end, size_t stop)
{
    if (from > begin)
        add(d, &(struct edit){ .from = begin, .end = from, .kind = EDIT_CUT });
    if (stop > end)
        add(d, &(struct edit){ .from = end, .end = stop, .kind = EDIT_CUT });
}

bool edits_touch(const struct decoder *d, size_t from, size_t end)
{
    for (size_t part = part_of(d, from); part < d->edits.n_parts && part <= part_of(d, end); part++)
        for (uint32_t i = part_at(d, part)->newest; i != 0; i = edit_at(d, i - 1)->next)
            if (edit_at(d, i - 1)->from >= from && edit_at(d, i - 1)->from < end)
                return true;
    return false;
}

bool edits_has_base64(const struct decoder *d, size_t from)
{
    size_t part = part_of(d, from);
    if (part >= d->edits.n_parts)
        return false;
    for (uint32_t i = part_at(d, part)->newest; i != 0; i = edit_at(d, i - 1)->next)
        if (edit_at(d, i - 1)->from == from && edit_at(d, i - 1)->kind == EDIT_BASE64)
            return true;
    return false;
}

/* ---- The pass ---- */

static int in_order(const void *left, const void *right, void *data)
{
    const struct decoder *d = data;
    const struct edit *a = edit_at(d, *(const uint32_t *)left);
    const struct edit *b = edit_at(d, *(const uint32_t *)right);
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

static uint32_t *order_of(const struct edit_pass *p)
{
    return (uint32_t *)(void *)p->order.data;
}

static void sort_part(struct decoder *d, struct edit_pass *p, struct part *part)
{
    part->first = (uint32_t)p->n_order;
    for (uint32_t i = part->newest; i != 0; i = edit_at(d, i - 1)->next)
        order_of(p)[p->n_order++] = i - 1;
    part->n = (uint32_t)p->n_order - part->first;
    part->sorted = true;
    qsort_r(order_of(p) + part->first, part->n, sizeof(uint32_t), in_order, d);
}

/* The first edit from that place on, or NULL. */
static const struct edit *find(struct decoder *d, struct edit_pass *p, size_t place)
{
    for (size_t i = part_of(d, place); i < d->edits.n_parts; i++) {
        struct part *part = part_at(d, i);
        if (part->newest == 0)
            continue;
        if (!part->sorted)
            sort_part(d, p, part);
        size_t low = part->first, high = part->first + part->n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (edit_at(d, order_of(p)[middle])->from < place)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < part->first + part->n)
            return edit_at(d, order_of(p)[low]);
    }
    return NULL;
}

static const struct chain_block *block_at(const struct edit_pass *p, size_t place)
{
    size_t low = 0, high = p->n_blocks;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (p->blocks[middle]->start <= place)
            low = middle;
        else
            high = middle;
    }
    return p->blocks[low];
}

/* What stands at that place in one block, at most up to `end`. */
static struct str text_at(const struct edit_pass *p, size_t place, size_t end)
{
    const struct chain_block *b = block_at(p, place);
    size_t stop = b->start + b->len < end ? b->start + b->len : end;
    return (struct str){ b->data + (place - b->start), stop - place };
}

/* Makes a piece base64; returns how much. */
static size_t write_base64(struct edit_pass *p, size_t from, size_t end)
{
    char bytes[PIECE + PIECE_SPARE];
    size_t n = 0;
    while (n < sizeof bytes && from + n < end) {
        struct str text = text_at(p, from + n, end);
        size_t room = sizeof bytes - n;
        memcpy(bytes + n, text.data, text.len < room ? text.len : room);
        n += text.len < room ? text.len : room;
    }
    return repair_write_base64(&p->base64, (struct str){ bytes, n },
                               from + n < end ? n - PIECE_SPARE : n);
}

static void begin_stretch(struct edit_pass *p, size_t at, size_t end)
{
    p->stack[p->depth++] = (struct stretch){ at, end, at };
}

static void go_on_base64(struct edit_pass *p, struct stretch *s, const struct edit *edit)
{
    if (!p->in_base64)
        base64_begin(&p->base64, &p->to, 0);
    s->at += write_base64(p, s->at, edit->end);
    p->in_base64 = s->at < edit->end;
    if (p->in_base64)
        return;
    base64_encode_end(&p->base64);
    s->next_from = edit->end;
}

static void apply(struct decoder *d, struct edit_pass *p, const struct edit *edit)
{
    struct stretch *s = &p->stack[p->depth - 1];
    const struct edit *moved;
    switch (edit->kind) {
    case EDIT_MOVE:
        s->at = s->next_from = edit->end;
        moved = edit_at(d, edit->drop);
        begin_stretch(p, moved->value, moved->end);
        break;
    case EDIT_CUT:
    case EDIT_DROP:
        s->at = s->next_from = edit->end;
        break;
    case EDIT_BASE64:
        s->at = s->at < edit->from ? edit->from : s->at;
        s->next_from = edit->from;
        go_on_base64(p, s, edit);
        break;
    case EDIT_STRUCT:
        chain_append(&p->to, STR("{\"$struct\":"));
        s->next_from = edit->from + 1;
        break;
    }
}

/* Copies or changes what comes next; returns about how much work it was. [bytes] */
static size_t go_on(struct decoder *d, struct edit_pass *p)
{
    struct stretch *s = &p->stack[p->depth - 1];
    if (s->at >= s->end) {
        p->depth--;
        return 1;
    }
    const struct edit *edit = find(d, p, s->next_from);
    if (edit != NULL && (edit->from <= s->at || p->in_base64) && edit->from < s->end) {
        apply(d, p, edit);
        return edit->kind == EDIT_BASE64 ? 4 * PIECE : EDIT_COST;
    }
    size_t end = edit != NULL && edit->from < s->end ? edit->from : s->end;
    struct str text = text_at(p, s->at, end);
    chain_append(&p->to, text);
    s->at += text.len;
    return text.len;
}

static void free_pass(struct edit_pass *p)
{
    chain_done(&p->to);
    free(p->blocks);
    buf_done(&p->order);
    free(p->stack);
    free(p);
}

static struct edit_pass *new_pass(struct decoder *d, size_t from, size_t end)
{
    struct edit_pass *p = xcalloc(1, sizeof *p);
    chain_init(&p->to, d->out->max, d->out->budget);
    p->blocks = xcalloc(chain_blocks(d->out), sizeof *p->blocks);
    for (const struct chain_block *b = d->out->first; b != NULL; b = b->next)
        p->blocks[p->n_blocks++] = b;
    p->stack = xcalloc(CODEC_DEPTH_MAX + ITEMS_DEPTH + 2, sizeof *p->stack);
    buf_init(&p->order, SIZE_MAX / 2, d->out->budget);
    if (!buf_reserve(&p->order, d->edits.n * sizeof(uint32_t)))
        p->to.state = CHAIN_NO_MEMORY;
    begin_stretch(p, from, end);
    return p;
}

void edits_read(struct decoder *d, size_t from, size_t end, size_t max, struct buf *to)
{
    struct edit_pass *p = new_pass(d, from, end);
    struct chain_cursor cursor = { 0 };
    char piece[1024];
    size_t n;
    while (p->depth > 0 && chain_len(&p->to) <= max && chain_state(&p->to) == CHAIN_OK)
        go_on(d, p);
    while ((n = chain_read(&p->to, &cursor, piece, sizeof piece)) > 0)
        buf_append(to, (struct str){ piece, n });
    if (chain_state(&p->to) != CHAIN_OK)
        to->state = BUF_NO_MEMORY;
    for (size_t i = 0; i < d->edits.n_parts; i++) /* There may be more of them then. */
        part_at(d, i)->sorted = false;
    free_pass(p);
}

void edits_clear(struct decoder *d)
{
    if (d->edits.pass != NULL)
        free_pass(TAKE(d->edits.pass));
    buf_done(&d->edits.list);
    buf_done(&d->edits.parts);
    d->edits.n = d->edits.n_parts = 0;
}

enum codec_step edits_step(struct decoder *d, size_t bytes)
{
    struct edit_pass *p = d->edits.pass;
    size_t done = 0;
    if (d->edits.n == 0)
        return CODEC_DONE;
    if (p == NULL)
        p = d->edits.pass = new_pass(d, d->begin, chain_len(d->out));
    while (p->depth > 0 && done < bytes && chain_state(&p->to) == CHAIN_OK)
        done += go_on(d, p);
    if (p->depth > 0 && chain_state(&p->to) == CHAIN_OK)
        return CODEC_MORE;
    if (chain_state(&p->to) != CHAIN_OK) {
        d->out->state = chain_state(&p->to);
    } else {
        chain_truncate(d->out, d->begin);
        chain_join(d->out, &p->to);
    }
    edits_clear(d);
    return decode_check_chain(d) ? CODEC_DONE : CODEC_FAILED;
}
