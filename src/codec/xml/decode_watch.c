/* SPDX-License-Identifier: Apache-2.0 */
/* Notes where the values stand that pointers lead to, while they are written. What stands in no
 * container that a pointer leads into costs one comparison of its depth. */
#include "codec/json/text.h"
#include "codec/xml/decode_private.h"

#include <limits.h>

#define EACH(bits, i)                                                                              \
    for (uint64_t left_ = (bits), i = 0;                                                           \
         left_ != 0 && (i = (uint64_t)__builtin_ctzll(left_), true); left_ &= left_ - 1)

static uint64_t all(const struct decode_watch *wanted)
{
    return wanted->n < 64 ? (UINT64_C(1) << wanted->n) - 1 : UINT64_MAX;
}

void watched_begin(struct decoder *d, const struct decode_watch *wanted, unsigned depth)
{
    struct watch *w = &d->watch;
    w->wanted = wanted;
    w->depth = wanted != NULL && wanted->n > 0 ? depth : UINT_MAX;
    w->level = 0;
    w->found = 0;
    w->leading[0] = 0;
}

/* Does that pointer end at the value at hand? */
static bool ends_here(const struct watch *w, uint64_t pointer)
{
    return w->wanted->paths[pointer].n == w->level;
}

static void end_value(struct watch *w, size_t end)
{
    EACH(w->leading[w->level], i)
    if (ends_here(w, i))
        w->values[i].end = end;
}

static bool leads_to(const struct watch *w, uint64_t pointer, const struct str *name, size_t index)
{
    const struct json_path *path = &w->wanted->paths[pointer];
    if (path->n < w->level)
        return false;
    if (w->level == 0)
        return true;
    const struct json_token *token = &path->tokens[w->level - 1];
    return name != NULL ? str_eq(token->name, *name) : token->index == index;
}

void watched_value(struct decoder *d, const struct str *name, size_t index, size_t end)
{
    struct watch *w = &d->watch;
    uint64_t leading = 0;
    end_value(w, end);
    EACH(w->level == 0 ? all(w->wanted) : w->leading[w->level - 1], i)
    if (leads_to(w, i, name, index))
        leading |= UINT64_C(1) << i;
    w->leading[w->level] = leading;
    w->found &= ~leading; /* of an earlier member of that name */
    EACH(leading, i)
    {
        if (!ends_here(w, i))
            continue;
        w->found |= UINT64_C(1) << i;
        w->values[i] = (struct decode_found){ .from = chain_len(d->out) };
    }
}

static void set_kind(struct watch *w, enum decode_kind kind)
{
    EACH(w->leading[w->level], i)
    if (ends_here(w, i))
        w->values[i].kind = kind;
}

void watched_scalar(struct decoder *d, enum element element)
{
    static const unsigned char kinds[] = {
        [ELEMENT_VALUE] = DECODE_STRING,  [ELEMENT_INT] = DECODE_INTEGER,
        [ELEMENT_I8] = DECODE_INTEGER,    [ELEMENT_BIGINTEGER] = DECODE_INTEGER,
        [ELEMENT_DOUBLE] = DECODE_DOUBLE, [ELEMENT_BIGDECIMAL] = DECODE_DOUBLE,
        [ELEMENT_STRING] = DECODE_STRING, [ELEMENT_BOOLEAN] = DECODE_BOOLEAN,
        [ELEMENT_DATE] = DECODE_DATE,     [ELEMENT_BASE64] = DECODE_BINARY,
        [ELEMENT_NIL] = DECODE_NIL,
    };
    set_kind(&d->watch, (enum decode_kind)kinds[element]);
}

void watched_open(struct decoder *d, enum element element)
{
    struct watch *w = &d->watch;
    bool inside = false;
    set_kind(w, element == ELEMENT_ARRAY ? DECODE_ARRAY : DECODE_STRUCT);
    EACH(w->leading[w->level], i)
    inside = inside || w->wanted->paths[i].n > w->level;
    if (!inside)
        return;
    w->depth++;
    w->leading[++w->level] = 0;
}

void watched_close(struct decoder *d)
{
    struct watch *w = &d->watch;
    end_value(w, chain_len(d->out));
    w->depth--;
    w->level--;
}

void watched_end(struct decoder *d)
{
    struct watch *w = &d->watch;
    if (w->depth != UINT_MAX)
        end_value(w, chain_len(d->out));
    w->depth = UINT_MAX;
}

void watched_shift(struct decoder *d, size_t at, size_t len)
{
    struct watch *w = &d->watch;
    EACH(w->found, i)
    {
        if (w->values[i].from <= at)
            continue;
        w->values[i].from += len;
        w->values[i].end += len;
    }
}

bool decoder_find(const struct decoder *d, size_t index, struct decode_found *ret)
{
    if ((d->watch.found >> index & 1) == 0)
        return false;
    *ret = d->watch.values[index];
    return true;
}

/* ---- What stands there ---- */

/* An escape of ours is at most so long. [bytes] */
#define ESCAPE_MAX 6

static void copy(const struct chain *out, size_t from, size_t end, struct buf *to)
{
    const struct chain_block *b = out->first;
    if (out->last != NULL && out->last->start <= from)
        b = out->last;
    for (; b != NULL && from < end; b = b->next) {
        size_t until = b->start + b->len < end ? b->start + b->len : end;
        if (from >= until)
            continue;
        buf_append(to, (struct str){ b->data + (from - b->start), until - from });
        from = until;
    }
}

/* The JSON, or somewhat more than `max` bytes of it. */
static void read_json(struct decoder *d, const struct chain *out, const struct decode_found *value,
                      size_t max, struct buf *to)
{
    size_t end = value->end - value->from > max ? value->from + max + 1 : value->end;
    if (edits_touch(d, value->from, value->end))
        edits_read(d, value->from, value->end, max, to);
    else
        copy(out, value->from, end, to);
}

/* The inside of a scalar's JSON, without tag and quotes. */
static struct str inside(struct str json, bool *quoted)
{
    if (json.len > 0 && json.data[0] == '{') {
        size_t colon = str_find(json, ':');
        json = str_slice(json, colon < json.len ? colon + 1 : colon, json.len);
        json.len -= json.len > 0 && json.data[json.len - 1] == '}';
    }
    *quoted = json.len > 0 && json.data[0] == '"';
    return *quoted ? str_slice(json, 1, json.len) : json;
}

/* Appends what fits before `limit` of the whole, to the end of a character; false: not all did. */
static bool put(struct buf *to, size_t limit, struct str text)
{
    size_t room = limit - to->len;
    bool fits = text.len <= room;
    if (!fits)
        text.len = utf8_valid_prefix(str_slice(text, 0, room));
    buf_append(to, text);
    return fits;
}

/* Appends characters up to the closing quote, or all there are. */
static bool unquote(struct str text, size_t limit, struct buf *to)
{
    const char *at = text.data, *end = text.data + text.len;
    while (at < end && *at != '"') {
        const char *run = at;
        char bytes[4];
        while (at < end && *at != '"' && *at != '\\')
            at++;
        if (!put(to, limit, (struct str){ run, (size_t)(at - run) }))
            return false;
        if (at == end || *at == '"')
            break;
        if (end - at < (at + 1 < end && at[1] != 'u' ? 2 : ESCAPE_MAX))
            return false; /* it was cut */
        size_t len = utf8_write(json_read_escape(&at), bytes);
        if (!put(to, limit, (struct str){ bytes, len }))
            return false;
    }
    return true;
}

bool decoder_read(struct decoder *d, const struct chain *out, const struct decode_found *value,
                  size_t max, struct buf *to)
{
    CLEANUP(buf_done) struct buf json;
    bool quoted = false, scalar = value->kind < DECODE_ARRAY;
    size_t json_max = scalar ? max * ESCAPE_MAX + 64 : max, limit = to->len + max;
    buf_init(&json, SIZE_MAX / 4, to->budget);
    read_json(d, out, value, json_max, &json);
    struct str text = { buf_c(&json), json.len };
    bool whole = buf_ok(&json) && json.len <= json_max;
    if (scalar)
        text = inside(text, &quoted);
    whole = (quoted ? unquote(text, limit, to) : put(to, limit, text)) && whole;
    return whole && buf_ok(to);
}

/* Leaves nothing of [begin, stop) but [from, end). */
static void keep(struct decoder *d, struct chain *out, const struct decode_found *value,
                 size_t begin, size_t stop, size_t edits)
{
    if (value != NULL && d->edits.n > edits) {
        edits_keep(d, begin, value->from, value->end, stop);
    } else if (value != NULL) {
        chain_cut(out, value->end, stop);
        chain_cut(out, begin, value->from);
    } else {
        chain_cut(out, begin, stop);
        if (d->edits.n > edits)
            edits_forget(d, edits);
        chain_insert(out, begin, STR("null"));
    }
}

void decoder_keep(struct decoder *d, struct chain *out, const struct decode_found *value)
{
    size_t len = chain_len(out);
    if (chain_state(out) != CHAIN_OK)
        return;
    if (d->items.open)
        keep(d, out, value, d->items.mark, len, d->items.edits);
    else
        keep(d, out, value, d->begin + 1, len - 1, 0);
}
