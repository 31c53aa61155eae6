/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/template_inside.h"

#include "codec/json/cursor.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

/* RFC 3986 section 3.3: what a path has besides, with the `%` of what is encoded already. */
static bool stands_in_path(unsigned char c)
{
    return is_unreserved(c) || (c != '\0' && strchr("/:@!$&'()*+,;=%", c) != NULL);
}

static void append_encoded(struct buf *to, struct str text, bool stands(unsigned char c))
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (stands(c))
            buf_append_byte(to, (char)c);
        else
            buf_printf(to, "%%%02X", c);
    }
}

void template_append_value(struct buf *to, enum template_form form, struct str text)
{
    if (form == TEMPLATE_JSON)
        json_quote_text(text, to);
    else if (form == TEMPLATE_HEADER)
        buf_append(to, text);
    else
        append_encoded(to, text, is_unreserved);
}

void template_append_own(struct buf *to, enum template_form form, struct str text)
{
    if (form == TEMPLATE_PATH)
        append_encoded(to, text, stands_in_path);
    else
        template_append_value(to, form, text);
}

/* RFC 4648 section 4. */
void template_append_base64(struct buf *to, enum template_form form, struct str text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < text.len; i += 3) {
        size_t n = text.len - i < 3 ? text.len - i : 3;
        unsigned bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)text.data[i + k] : 0);
        char four[4] = { digits[bits >> 18 & 63], digits[bits >> 12 & 63],
                         n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '=' };
        template_append_value(to, form, (struct str){ four, sizeof four });
    }
}

static bool refuse(struct buf *why, const char *sentence)
{
    buf_append_c(why, sentence);
    return false;
}

/* A segment of one or two points leads out of the path, encoded ones as well. */
static bool leads_elsewhere(struct str segment)
{
    size_t points = 0;
    while (segment.len > 0) {
        bool encoded = segment.len >= 3 && segment.data[0] == '%' && segment.data[1] == '2' &&
                       (segment.data[2] | 0x20) == 'e';
        if (segment.data[0] != '.' && !encoded)
            return false;
        segment = str_slice(segment, encoded ? 3 : 1, segment.len);
        points++;
    }
    return points == 1 || points == 2;
}

static bool check_path_result(struct str result, struct buf *why)
{
    while (result.len > 0) {
        size_t end = str_find(result, '/');
        if (leads_elsewhere(str_slice(result, 0, end)))
            return refuse(why, "a segment of the path is `.` or `..`");
        result = str_slice(result, end < result.len ? end + 1 : end, result.len);
    }
    return true;
}

bool template_check_result(enum template_form form, struct str result, struct buf *why)
{
    if (form == TEMPLATE_PATH)
        return check_path_result(result, why);
    for (size_t i = 0; i < result.len && form == TEMPLATE_HEADER; i++) {
        unsigned char c = (unsigned char)result.data[i];
        if (c < 0x20 || c == 0x7f)
            return refuse(why, "there is a control character in what becomes a header");
    }
    return true;
}

/* The value in `{"$i8": …}`, or the value itself. */
static struct str without_tag(struct str json)
{
    struct str name, value, other;
    if (json.len == 0 || json.data[0] != '{')
        return json;
    struct json_cursor cursor = json_enter(json);
    if (!json_next(&cursor, &name, &value) || !str_starts_with(name, STR("\"$")) ||
        json_next(&cursor, NULL, &other))
        return json;
    return json_trim(value);
}

bool template_scalar_text(struct str json, struct buf *to)
{
    json = without_tag(json_trim(json));
    if (json.len == 0 || json.data[0] == '{' || json.data[0] == '[' || json.data[0] == 'n')
        return false;
    if (json.data[0] == '"')
        json_unquote(json, to);
    else
        buf_append(to, json);
    return true;
}

static bool append_piece(const struct template *t, const struct template_piece *piece,
                         const struct str *values, bool raw, struct buf *to, struct buf *why)
{
    if (piece->kind == PIECE_LITERAL) {
        buf_append(to, piece->text);
        return true;
    }
    if (piece->kind == PIECE_COMMA) {
        char before = to->len > 0 ? to->data[to->len - 1] : '[';
        buf_append_c(to, before == '[' || before == '{' ? "" : ",");
        return true;
    }
    struct str json = values[piece->value];
    if (piece->kind == PIECE_VALUE) {
        buf_append(to, json);
        return json.len > 0;
    }
    struct buf text;
    buf_init(&text, TEMPLATE_MAX, NULL);
    bool ok = template_scalar_text(json, &text);
    if (!ok)
        buf_printf(why, "`{%.*s}` is neither a text nor a number, so it cannot stand in other text",
                   STR_ARGS(piece->text));
    else if (raw)
        buf_append(to, buf_str(&text));
    else
        template_append_value(to, t->form, buf_str(&text));
    buf_wipe(&text);
    return ok;
}

static bool append_inner(const struct template *t, size_t at, const struct str *values,
                         struct buf *to, struct buf *why)
{
    struct buf inner;
    buf_init(&inner, TEMPLATE_MAX, NULL);
    bool ok = true;
    for (size_t i = 1; i <= t->pieces[at].n_inner && ok; i++)
        ok = append_piece(t, &t->pieces[at + i], values, true, &inner, why);
    if (ok)
        template_append_base64(to, t->form, buf_str(&inner));
    buf_wipe(&inner);
    return ok;
}

bool template_fill(const struct template *t, const struct str *values, struct buf *to,
                   struct buf *why)
{
    size_t begin = to->len;
    for (size_t i = 0; i < t->n_pieces; i++) {
        const struct template_piece *piece = &t->pieces[i];
        if (piece->kind == PIECE_IF) {
            i += values[piece->value].data == NULL ? piece->n_inner : 0;
            continue;
        }
        bool ok = piece->kind == PIECE_BASE64 ? append_inner(t, i, values, to, why)
                                              : append_piece(t, piece, values, false, to, why);
        if (!ok)
            return false;
        i += piece->n_inner;
    }
    if (!buf_ok(to))
        return refuse(why, "it is too long");
    return template_check_result(t->form, str_slice(buf_str(to), begin, to->len), why);
}
