/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/text.h"
#include "codec/value/number.h"
#include "codec/xml/decode_private.h"

void decode_copy_range(struct decoder *d, size_t from, size_t end, struct buf *to)
{
    const struct chain_block *b = d->out->last;
    if (b != NULL && b->start > from)
        b = d->out->first;
    for (; b != NULL && from < end; b = b->next) {
        size_t until = b->start + b->len < end ? b->start + b->len : end;
        if (from >= until)
            continue;
        buf_append(to, (struct str){ b->data + (from - b->start), until - from });
        from = until;
    }
    if (!buf_ok(to))
        decode_fail_buf(d, to);
}

/* A part of the JSON in the output. */
struct range {
    size_t from, end;
};

static size_t range_len(struct range r)
{
    return r.end - r.from;
}

static struct str copy_head(struct decoder *d, struct range r, size_t max, struct buf *to)
{
    buf_clear(to);
    decode_copy_range(d, r.from, range_len(r) < max ? r.end : r.from + max, to);
    return (struct str){ buf_c(to), to->len };
}

/* So much of a value tells what it is. [bytes] */
#define START_MAX ((size_t)64)

/* Where the string ends whose inside begins at `at`: behind its closing quote. */
static size_t string_end(const struct decoder *d, size_t at)
{
    bool escaped = false;
    for (const struct chain_block *b = d->out->first; b != NULL; b = b->next) {
        for (; at < b->start + b->len; at++) {
            char c = b->data[at - b->start];
            if (!escaped && c == '"')
                return at + 1;
            escaped = !escaped && c == '\\';
        }
    }
    return at;
}

/* Of a tagged value the text that is tagged, else the value. `head` is how it begins: the first
 * name of an object may begin with `$` where it has others, too. */
static struct range without_tag(const struct decoder *d, struct str head, struct range value)
{
    size_t colon = str_find(head, ':');
    if (!str_starts_with(head, STR("{\"$")) || colon + 1 >= head.len || head.data[colon + 1] != '"')
        return value;
    struct range text = { value.from + colon + 1, value.end - 1 };
    return string_end(d, text.from + 1) == text.end ? text : value;
}

/* Is longer than any escape of ours. [bytes] */
#define PIECE_MAX ((size_t)4096)

/* Appends the characters of a piece of a string's inside, but for an escape that it cuts. Returns
 * how much of it that was. */
static size_t unescape(struct str piece, struct buf *to)
{
    const char *at = piece.data, *end = piece.data + piece.len;
    while (at < end) {
        const char *run = memchr(at, '\\', (size_t)(end - at));
        buf_append(to, (struct str){ at, (size_t)((run != NULL ? run : end) - at) });
        if (run == NULL)
            return piece.len;
        at = run;
        if (end - at < 2 || (at[1] == 'u' && end - at < 6))
            break;
        char bytes[4];
        size_t len = utf8_write(json_read_escape(&at), bytes);
        buf_append(to, (struct str){ bytes, len });
    }
    return (size_t)(at - piece.data);
}

/* What is kept is longer than that by a piece at most. */
static void append_string(struct decoder *d, struct range inside, size_t max, struct buf *to)
{
    CLEANUP(buf_done) struct buf piece;
    buf_init(&piece, PIECE_MAX, to->budget);
    while (inside.from < inside.end && to->len <= max && buf_ok(to)) {
        struct str text = copy_head(d, inside, PIECE_MAX, &piece);
        if (!buf_ok(&piece))
            return; /* the decoder has failed */
        inside.from += unescape(text, to);
    }
}

/* Leaves whole characters of at most `max` bytes. */
static void cut(struct decoder *d, size_t max, struct buf *text)
{
    if (text->len <= max)
        return;
    text->len = utf8_valid_prefix((struct str){ text->data, max });
    text->data[text->len] = '\0';
    d->fault_truncated = true;
}

/* Reads the member's value into `to`, the text that it stands for: a string's characters, the same
 * of a tagged value, else the JSON itself. False where there is none, or nil. */
static bool keep_member(struct decoder *d, const struct member *m, size_t end, struct buf *to)
{
    CLEANUP(buf_done) struct buf start;
    size_t max = d->options->fault_max > 0 ? d->options->fault_max : SIZE_MAX / 4;
    buf_init(&start, START_MAX, to->budget);
    buf_clear(to);
    if (m == NULL)
        return false;
    struct range value = { m->value, end };
    struct str head = copy_head(d, value, START_MAX, &start);
    if (!buf_ok(&start) || str_eq(head, STR("null")))
        return false;
    if (d->options->types == TYPES_TAGGED)
        value = without_tag(d, head, value);
    size_t tag = value.from - m->value;
    if (tag < head.len && head.data[tag] == '"') {
        append_string(d, (struct range){ value.from + 1, value.end - 1 }, max, to);
    } else {
        size_t least = range_len(value) <= max ? range_len(value) : max + 1;
        decode_copy_range(d, value.from, value.from + least, to);
    }
    if (UNLIKELY(edits_has_base64(d, m->value + 1)))
        repair_text_to_base64(to);
    if (!buf_ok(to))
        return decode_fail_buf(d, to);
    cut(d, max, to);
    return true;
}

/* Servers send codes as strings, too: `4` as well as `Client`. */
static bool read_code(struct str text, int64_t *ret)
{
    struct integer n;
    uint64_t value;
    if (!number_parse_integer(xml_trim(text), &n) || !number_integer_fits(n, INTEGER_64) ||
        !str_to_uint(n.digits, UINT64_MAX, &value))
        return false;
    *ret = n.negative ? -(int64_t)(value - 1) - 1 : (int64_t)value;
    return true;
}

struct fault decode_fault(const struct decoder *d)
{
    struct fault fault = { .code = d->fault_code, .truncated = d->fault_truncated };
    if (d->has_fault_code_text)
        fault.code_text = (struct str){ buf_c(&d->fault_code_text), d->fault_code_text.len };
    if (d->has_fault_string)
        fault.string = (struct str){ buf_c(&d->fault_string), d->fault_string.len };
    return fault;
}

void fault_keep(struct decoder *d, const struct member *members, size_t n)
{
    const struct member *code = NULL, *string = NULL;
    size_t code_end = 0, string_end = 0;
    for (size_t i = 0; i < n; i++) {
        struct str name = { buf_c(&d->names) + members[i].name, members[i].len };
        size_t end = i + 1 < n ? members[i + 1].at - 1 : chain_len(d->out);
        if (str_eq(name, STR("faultCode"))) {
            code = &members[i];
            code_end = end;
        } else if (str_eq(name, STR("faultString"))) {
            string = &members[i];
            string_end = end;
        }
    }
    d->fault_truncated = false;
    d->has_fault_string = keep_member(d, string, string_end, &d->fault_string);
    d->has_fault_code_text = keep_member(d, code, code_end, &d->fault_code_text);
    if (d->has_fault_code_text && read_code(buf_str(&d->fault_code_text), &d->fault_code))
        d->has_fault_code_text = false;
}
