/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decode_private.h"
#include "codec/json_write.h"

static uint64_t load(const char *at, size_t n)
{
    uint64_t value = 0;
    memcpy(&value, at, n);
    return value;
}

static uint64_t mix(uint64_t hash, uint64_t bytes)
{
    hash = (hash ^ bytes) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

/* All loads are of constant size, and overlap at the end. */
static uint32_t hash_name(struct str name)
{
    const char *p = name.data;
    uint64_t hash = name.len * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t at = 0; at + 8 < name.len; at += 8)
        hash = mix(hash, load(p + at, 8));
    if (name.len >= 8)
        hash = mix(hash, load(p + name.len - 8, 8));
    else if (name.len >= 4)
        hash = mix(hash, load(p, 4) << 32 | load(p + name.len - 4, 4));
    else if (name.len > 0)
        hash = mix(hash,
                   load(p, 1) << 16 | load(p + name.len / 2, 1) << 8 | load(p + name.len - 1, 1));
    return (uint32_t)hash;
}

/* The base64 of a name that could not stay as it was takes its place in `names` too. */
static void rename_marked(struct decoder *d, size_t name, size_t mark)
{
    repair_to_base64(d, mark);
    d->renamed = true;
    d->names.len = name;
    decode_copy_range(d, mark, chain_len(d->out), &d->names);
}

static struct member *add_member(struct decoder *d)
{
    if (UNLIKELY(!buf_reserve(&d->members, sizeof(struct member)))) {
        decode_fail_buf(d, &d->members);
        return NULL;
    }
    struct member *added = (struct member *)(void *)(d->members.data + d->members.len);
    d->members.len += sizeof *added;
    return added;
}

void struct_name_end(struct decoder *d, struct frame *of, size_t name)
{
    struct str text = { buf_c(&d->names) + name, d->names.len - name };
    struct member *member = add_member(d);
    if (member == NULL)
        return;
    if (of->count++ > 0)
        chain_append_byte(d->out, ',');
    member->at = chain_len(d->out);
    chain_append_byte(d->out, '"');
    json_write_text(d->out, text);
    if (UNLIKELY(d->marked)) {
        rename_marked(d, name, member->at + 1);
        text = (struct str){ buf_c(&d->names) + name, d->names.len - name };
    }
    chain_append(d->out, STR("\":"));
    member->value = chain_len(d->out);
    member->name = name;
    member->len = (uint32_t)text.len;
    member->hash = hash_name(text);
    if (UNLIKELY(of->count > MEMBERS_FEW))
        names_add(d, of);
}

void struct_end(struct decoder *d, struct frame *of)
{
    size_t n = of->count;
    if (UNLIKELY(n > MEMBERS_FEW))
        names_close(d, of);
    if (n > 0 && !d->failed && chain_state(d->out) == CHAIN_OK) {
        const struct member *members = (const struct member *)(void *)d->members.data + of->members;
        if (UNLIKELY(d->kind == DOCUMENT_FAULT && d->depth == 0))
            fault_keep(d, members, n);
        if (UNLIKELY(d->items.open))
            items_end_struct(d, members, n);
        bool repeated = n > 1 && member_any_twice(d, of, members, n);
        if (UNLIKELY(repeated))
            n = member_drop_repeated(d, of, members, n);
        if (d->options->types == TYPES_TAGGED && n == 1 && members->len > 0 &&
            d->names.data[members->name] == '$') {
            chain_insert(d->out, of->mark, STR("{\"$struct\":"));
            chain_append_byte(d->out, '}');
        }
    }
    d->members.len = of->members * sizeof(struct member);
    d->names.len = of->names;
    chain_append_byte(d->out, '}');
}
