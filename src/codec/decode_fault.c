/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decode_private.h"
#include "codec/json_cursor.h"
#include "codec/number.h"

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

/* Is it a tagged value, and of what? */
static bool is_tagged(struct str json, struct str *ret)
{
    struct str name, value;
    if (json.len == 0 || json.data[0] != '{')
        return false;
    struct json_cursor members = json_enter(json);
    return json_next(&members, &name, ret) && str_starts_with(name, STR("\"$")) &&
           !str_eq(name, STR("\"$struct\"")) && !json_next(&members, &name, &value);
}

/* The text that a value's JSON stands for: a string's characters, the same of a tagged value, else
 * the JSON itself. */
static void append_text(struct str json, enum types_form types, struct buf *to)
{
    struct str tagged;
    if (types == TYPES_TAGGED && is_tagged(json, &tagged))
        json = tagged;
    if (json.len > 0 && json.data[0] == '"')
        json_unquote(json, to);
    else
        buf_append(to, json);
}

/* Reads the member's value into `to`; false where there is none, or nil. */
static bool keep_member(struct decoder *d, const struct member *m, size_t end, struct buf *to)
{
    struct buf json;
    buf_clear(to);
    if (m == NULL)
        return false;
    buf_init(&json, to->max, to->budget);
    decode_copy_range(d, m->value, end, &json);
    bool there = buf_ok(&json) && !str_eq(buf_str(&json), STR("null"));
    if (there)
        append_text(buf_str(&json), d->options->types, to);
    if (there && UNLIKELY(edits_has_base64(d, m->value + 1)))
        repair_text_to_base64(to);
    buf_done(&json);
    if (!buf_ok(to))
        decode_fail_buf(d, to);
    return there && buf_ok(to);
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
    struct fault fault = { .code = d->fault_code };
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
    d->has_fault_string = keep_member(d, string, string_end, &d->fault_string);
    d->has_fault_code_text = keep_member(d, code, code_end, &d->fault_code_text);
    if (d->has_fault_code_text && read_code(buf_str(&d->fault_code_text), &d->fault_code))
        d->has_fault_code_text = false;
}
