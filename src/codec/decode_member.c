/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "codec/decode_private.h"
#include "codec/text_repair.h"

#include <stdlib.h>

/* How much a document's structs with repeated names may cost, as a multiple of its output: nested
 * ones are copied once for each level. */
#define MOVED_FACTOR 32
#define MOVED_FREE ((size_t)1024 * 1024)

/* What sorting compares. */
struct key {
    uint32_t hash;
    uint32_t index;
};

struct names {
    const struct decoder *decoder;
    const struct member *members;
};

static int compare_names(const struct decoder *d, const struct member *a, const struct member *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->len == 0 ? 0 : memcmp(d->names.data + a->name, d->names.data + b->name, a->len);
}

static int compare_keys(const void *left, const void *right, void *data)
{
    const struct key *a = left, *b = right;
    const struct names *names = data;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    int order = compare_names(names->decoder, &names->members[a->index], &names->members[b->index]);
    if (order != 0)
        return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

static bool same(const struct decoder *d, const struct member *a, const struct member *b)
{
    return a->hash == b->hash && compare_names(d, a, b) == 0;
}

/* All names in an order in which equal ones stand side by side, the first first. Sorting is used
 * and not a hash table, as names that all have one hash are easily made. NULL, with the failure
 * kept, where there is no memory; give to free_keys(). */
static struct key *sort_keys(struct decoder *d, const struct member *members, size_t n)
{
    struct key *keys =
        budget_take(d->out->budget, n * sizeof *keys) ? calloc(n, sizeof *keys) : NULL;
    if (keys == NULL) {
        decode_fail_limit(d, "limits.memory", "there is no room for a struct of %zu members", n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        keys[i] = (struct key){ members[i].hash, (uint32_t)i };
    struct names names = { d, members };
    qsort_r(keys, n, sizeof *keys, compare_keys, &names);
    return keys;
}

static void free_keys(struct decoder *d, struct key *keys, size_t n)
{
    if (keys != NULL)
        budget_give(d->out->budget, n * sizeof *keys);
    free(keys);
}

bool member_any_twice(const struct decoder *d, const struct frame *of, const struct member *members,
                      size_t n)
{
    bool twice = of->twice;
    if (LIKELY(n <= MEMBERS_FEW)) {
        for (size_t i = 1; i < n; i++)
            for (size_t j = 0; j < i; j++)
                if (UNLIKELY(members[i].hash == members[j].hash))
                    twice = twice || same(d, &members[i], &members[j]);
    }
    return twice;
}

/* A chain's blocks from some place on, so that a place behind it is found by halving. */
struct block_index {
    const struct chain_block **blocks;
    size_t n;
};

/* Nearly always the last block has it all, and the document before is not looked at. */
static struct block_index index_blocks(const struct chain *c, size_t from)
{
    struct block_index index = { .n = 0 };
    bool last = c->last->start <= from;
    index.blocks = xcalloc(last ? 1 : chain_blocks(c), sizeof *index.blocks);
    for (const struct chain_block *b = last ? c->last : c->first; b != NULL; b = b->next)
        index.blocks[index.n++] = b;
    return index;
}

static void copy_range(struct chain *to, const struct block_index *index, size_t at, size_t end)
{
    size_t low = 0, high = index->n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (index->blocks[middle]->start <= at)
            low = middle;
        else
            high = middle;
    }
    for (const struct chain_block *b = index->blocks[low]; at < end; b = b->next) {
        size_t until = b->start + b->len < end ? b->start + b->len : end;
        chain_append(to, (struct str){ b->data + (at - b->start), until - at });
        at = until;
    }
}

/* Could that name be one only since it was repaired? Then the two may have been different. */
static bool may_be_repaired(const struct decoder *d, const struct member *m)
{
    struct str name = { buf_c(&d->names) + m->name, m->len };
    if (d->options->text == TEXT_REJECT || d->repaired == 0)
        return false;
    if (d->options->text == TEXT_BASE64)
        return d->renamed && name.len % 4 == 0;
    return memmem(name.data, name.len, TEXT_REPLACEMENT, sizeof TEXT_REPLACEMENT - 1) != NULL;
}

static void fail_repaired(struct decoder *d, const struct member *m)
{
    size_t shown = m->len < 60 ? m->len : 60;
    decode_fail(d, "the setting text may have made two members of a struct the same: \"%.*s\"",
                (int)shown, buf_c(&d->names) + m->name);
}

/* For each member its last one of that name, if it is the first; else `n`. */
static size_t *choose(const struct member *members, const struct key *keys, size_t n,
                      struct decoder *d)
{
    size_t *chosen = xcalloc(n, sizeof *chosen);
    for (size_t first = 0, last; first < n; first = last + 1) {
        last = first;
        while (last + 1 < n && same(d, &members[keys[last].index], &members[keys[last + 1].index]))
            chosen[keys[++last].index] = n;
        chosen[keys[first].index] = keys[last].index;
        if (last > first && may_be_repaired(d, &members[keys[first].index]))
            fail_repaired(d, &members[keys[first].index]);
    }
    return chosen;
}

size_t member_drop_repeated(struct decoder *d, const struct frame *of, const struct member *members,
                            size_t n)
{
    struct chain kept;
    size_t n_kept = 0, end = chain_len(d->out);
    d->moved += end - of->mark;
    if (d->moved > MOVED_FREE && d->moved / MOVED_FACTOR > end) {
        decode_fail(d, "structs within structs repeat their members' names too often");
        return n;
    }
    struct key *keys = sort_keys(d, members, n);
    if (keys == NULL)
        return n;
    size_t *chosen = choose(members, keys, n, d);
    free_keys(d, keys, n);
    struct block_index index = index_blocks(d->out, of->mark);
    chain_init(&kept, d->out->max, d->out->budget);
    chain_append_byte(&kept, '{');
    for (size_t i = 0; i < n; i++) {
        size_t from = chosen[i];
        if (from == n)
            continue;
        if (n_kept++ > 0)
            chain_append_byte(&kept, ',');
        copy_range(&kept, &index, members[from].at, from + 1 < n ? members[from + 1].at - 1 : end);
    }
    chain_truncate(d->out, of->mark);
    chain_append_range(d->out, &kept, 0, chain_len(&kept));
    if (chain_state(&kept) != CHAIN_OK && chain_state(d->out) == CHAIN_OK)
        d->out->state = chain_state(&kept);
    chain_done(&kept);
    free(index.blocks);
    free(chosen);
    return n_kept;
}
