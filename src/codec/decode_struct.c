/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decode_private.h"
#include "codec/json_write.h"

#include <stdlib.h>

static uint32_t hash_name(struct str name)
{
    uint64_t hash = name.len * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = 0;
    uint64_t eight;
    for (; name.len - at >= 8; at += 8) {
        memcpy(&eight, name.data + at, 8);
        hash = (hash ^ eight) * UINT64_C(0xD6E8FEB86659FD93);
        hash ^= hash >> 32;
    }
    eight = 0;
    if (at < name.len)
        memcpy(&eight, name.data + at, name.len - at);
    hash = (hash ^ eight) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(hash >> 32);
}

/* The base64 of a name that could not stay as it was takes its place in `names` too. */
static void rename_marked(struct decoder *d, size_t name, size_t mark)
{
    repair_to_base64(d, mark);
    d->names.len = name;
    decode_copy_range(d, mark, chain_len(d->out), &d->names);
}

void struct_name_end(struct decoder *d, struct frame *of, size_t name)
{
    struct str text = { buf_c(&d->names) + name, d->names.len - name };
    struct member member = { .at = chain_len(d->out), .name = name };
    if (of->count++ > 0) {
        chain_append(d->out, STR(",\""));
        member.at++;
    } else {
        chain_append_byte(d->out, '"');
    }
    json_write_text(d->out, text);
    if (UNLIKELY(d->marked)) {
        rename_marked(d, name, member.at + 1);
        text = (struct str){ buf_c(&d->names) + name, d->names.len - name };
    }
    chain_append(d->out, STR("\":"));
    member.value = chain_len(d->out);
    member.len = (uint32_t)text.len;
    member.hash = hash_name(text);
    decode_keep(d, &d->members, (struct str){ (const char *)&member, sizeof member });
}

/* Inserts text into a chain; what stands behind it in its block moves to a block of its own, so
 * that the cost does not grow with the document. */
static void insert(struct chain *c, size_t at, struct str text)
{
    struct chain_block *b = c->first;
    while (b != NULL && b->start + b->len < at)
        b = b->next;
    if (b == NULL || c->state != CHAIN_OK)
        return;
    size_t keep = at - b->start;
    size_t cap = text.len + b->len - keep;
    if (text.len > c->max - chain_len(c)) {
        c->state = CHAIN_FULL;
        return;
    }
    struct chain_block *added =
        budget_take(c->budget, sizeof *added + cap) ? malloc(sizeof *added + cap) : NULL;
    if (added == NULL) {
        c->state = CHAIN_NO_MEMORY;
        return;
    }
    *added = (struct chain_block){ .next = b->next, .start = at, .len = cap, .cap = cap };
    memcpy(added->data, text.data, text.len);
    memcpy(added->data + text.len, b->data + keep, b->len - keep);
    b->len = keep;
    b->next = added;
    if (c->last == b)
        c->last = added;
    for (b = added->next; b != NULL; b = b->next)
        b->start += text.len;
}

void struct_end(struct decoder *d, struct frame *of)
{
    size_t n = of->count;
    if (n > 0 && !d->failed && chain_state(d->out) == CHAIN_OK) {
        const struct member *members = (const struct member *)(void *)d->members.data + of->members;
        if (UNLIKELY(d->kind == DOCUMENT_FAULT && d->depth == 0))
            fault_keep(d, members, n);
        bool repeated = n > 1 && member_any_twice(d, members, n);
        if (UNLIKELY(repeated))
            n = member_drop_repeated(d, of, members, n);
        if (d->options->types == TYPES_TAGGED && n == 1 && members->len > 0 &&
            d->names.data[members->name] == '$') {
            insert(d->out, of->mark, STR("{\"$struct\":"));
            chain_append_byte(d->out, '}');
        }
    }
    d->members.len = of->members * sizeof(struct member);
    d->names.len = of->names;
    chain_append_byte(d->out, '}');
}
