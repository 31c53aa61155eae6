/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/write.h"
#include "codec/name_hash.h"
#include "codec/value/text_repair.h"
#include "codec/xml/decode_private.h"

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

static bool same_name(const struct decoder *d, const struct member *a, const struct member *b)
{
    return a->hash == b->hash && a->len == b->len &&
           (a->len == 0 || memcmp(d->names.data + a->name, d->names.data + b->name, a->len) == 0);
}

/* The first member that has the newest one's name. */
static size_t find_few(const struct decoder *d, const struct frame *of)
{
    const struct member *members = (const struct member *)(void *)d->members.data;
    const struct member *newest = members + of->members + of->count - 1;
    for (size_t i = of->members; members + i < newest; i++)
        if (UNLIKELY(members[i].hash == newest->hash) && same_name(d, &members[i], newest))
            return i;
    return NOT_REPEATED;
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

static void repeat_name(struct decoder *d, struct frame *of, size_t first)
{
    const struct member *m = (const struct member *)(void *)d->members.data + first;
    struct error_cut shown =
        decode_shown(d, (struct str){ buf_c(&d->names) + m->name, m->len }, 60);
    if (may_be_repaired(d, m))
        decode_fail(d, REFUSED_SAME_NAME,
                    "the setting text may have made two members of a struct the same: "
                    "\"%.*s%s\"",
                    ERROR_CUT_ARGS(shown));
    else if (!d->failed && chain_state(d->out) == CHAIN_OK)
        edit_repeat(d, of, first);
}

/* The newest member, whose name is in `names`, and whose value begins at the output's end. */
static void begin_member(struct decoder *d, struct frame *of, size_t at, struct str name)
{
    struct member *member = add_member(d);
    if (member == NULL)
        return;
    *member = (struct member){
        .at = at,
        .value = chain_len(d->out),
        .name = (size_t)(name.data - buf_c(&d->names)),
        .len = (uint32_t)name.len,
        .hash = (uint32_t)name_hash(name),
    };
    if (UNLIKELY(d->depth == d->watch.depth))
        watched_value(d, &name, 0, at - 1);
    size_t first = LIKELY(of->count <= MEMBERS_FEW) ? find_few(d, of) : names_add(d, of);
    if (UNLIKELY(first != NOT_REPEATED))
        repeat_name(d, of, first);
}

static struct str names_from(const struct decoder *d, size_t at)
{
    return (struct str){ buf_c(&d->names) + at, d->names.len - at };
}

void struct_name_end(struct decoder *d, struct frame *of, size_t name)
{
    struct str text = names_from(d, name);
    if (UNLIKELY(text.len > MEMBER_NAME_MAX)) {
        decode_fail(d, REFUSED_TOO_LONG, "a member's name is longer than %zu bytes",
                    MEMBER_NAME_MAX);
        return;
    }
    edit_end_member(d, of);
    if (of->count++ > 0)
        chain_append_byte(d->out, ',');
    size_t at = chain_len(d->out);
    chain_append_byte(d->out, '"');
    json_write_text(d->out, text);
    if (UNLIKELY(d->marked))
        rename_marked(d, name, at + 1);
    chain_append(d->out, STR("\":"));
    begin_member(d, of, at, names_from(d, name));
}

bool struct_take_member(struct decoder *d, struct frame *of, struct str name, size_t head,
                        size_t value)
{
    size_t names = d->names.len;
    edit_end_member(d, of);
    size_t at = chain_len(d->out) + (of->count++ > 0);
    decode_keep(d, &d->names, name);
    chain_commit(d->out, head);
    if (LIKELY(!d->failed))
        begin_member(d, of, at, names_from(d, names));
    chain_commit(d->out, value);
    return !d->failed;
}

static void insert_tag(struct decoder *d, size_t at)
{
    struct str tag = STR("{\"$struct\":");
    chain_insert(d->out, at, tag);
    if (UNLIKELY(d->watch.found != 0))
        watched_shift(d, at, tag.len);
}

/* At the output's end text can be put in between at no cost, unless there are edits behind it. */
static void tag_struct(struct decoder *d, const struct frame *of)
{
    if (of->edits == d->edits.n && of->mark >= d->out->last->start)
        insert_tag(d, of->mark);
    else
        edit_struct(d, of->mark);
    chain_append_byte(d->out, '}');
}

void struct_end(struct decoder *d, struct frame *of)
{
    size_t n = of->count;
    edit_end_member(d, of);
    if (UNLIKELY(n > MEMBERS_FEW))
        names_close(d, of);
    if (n > 0 && !d->failed && chain_state(d->out) == CHAIN_OK) {
        const struct member *members = (const struct member *)(void *)d->members.data + of->members;
        if (UNLIKELY(d->kind == DOCUMENT_FAULT && d->depth == 0))
            fault_keep(d, members, n);
        if (UNLIKELY(d->items.open))
            items_end_struct(d, members, n);
        if (d->options->types == TYPES_TAGGED && n - of->n_repeated == 1 && members->len > 0 &&
            d->names.data[members->name] == '$')
            tag_struct(d, of);
    }
    d->members.len = of->members * sizeof(struct member);
    d->names.len = of->names;
    chain_append_byte(d->out, '}');
}
