/* SPDX-License-Identifier: Apache-2.0 */
/* What callers give for a route's params becomes JSON as calls have it. Nothing is guessed: a text
 * must be written as its type is written in JSON. */
#include "settings/route_rules.h"

#include "codec/error.h"
#include "codec/json/cursor.h"
#include "codec/json/text.h"
#include "codec/value/base64.h"
#include "codec/value/datetime.h"
#include "codec/value/number.h"

#include <stdint.h>

/* So much of a value is told of it. [bytes] */
#define SHOWN_MAX ((size_t)40)

/* A JSON string with more than that is longer than what is held against a glob, or none that any
 * type but string and base64 has; and no number is written so long. [bytes] */
#define LONG_STRING (12 * ROUTE_MATCHED_MAX)
#define LONG_DATE ((size_t)512)
#define LONG_NUMBER ((size_t)1024)

const char *route_type_told(enum route_type type, bool is_several)
{
    static const char *const told[][2] = {
#define X(word, text, one, several) { one, "a list of " several },
        ROUTE_TYPE_LIST(X)
#undef X
    };
    return told[type][is_several];
}

/* ---- What is told --------------------------------------------------------------------------- */

static bool refuse_type(const struct route_input *input, struct str shown, struct buf *why)
{
    struct error_cut cut = error_cut(shown, SHOWN_MAX);
    buf_printf(why, "must be %s, not ", route_type_told(input->type, false));
    if (shown.len > 0 && (shown.data[0] == '{' || shown.data[0] == '['))
        buf_append_c(why, shown.data[0] == '{' ? "an object" : "a list");
    else
        buf_printf(why, "%.*s%s", ERROR_CUT_ARGS(cut));
    return false;
}

static bool refuse_text(const struct route_input *input, struct str text, struct buf *why)
{
    CLEANUP(buf_done) struct buf quoted;
    struct str part = text.len > SHOWN_MAX ? error_cut(text, SHOWN_MAX).text : text;
    buf_init(&quoted, 6 * SHOWN_MAX + 16, NULL);
    json_quote(part, &quoted);
    buf_append_c(&quoted, part.len < text.len ? ERROR_CUT : "");
    buf_printf(why, "must be %s, not %s", route_type_told(input->type, false), buf_c(&quoted));
    return false;
}

/* ---- Types ---------------------------------------------------------------------------------- */

/* RFC 8259 section 6, without fraction and exponent. */
static bool is_json_integer(struct str text)
{
    struct integer n;
    size_t first = text.len > 0 && text.data[0] == '-';
    return text.len > first && text.data[0] != '+' && number_parse_integer(text, &n) &&
           (text.data[first] != '0' || text.len == first + 1);
}

/* So with them. */
static bool is_json_number(struct str text)
{
    struct decimal n;
    size_t first = text.len > 0 && text.data[0] == '-';
    size_t digits = first;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    bool begins = digits > first && (text.data[first] != '0' || digits == first + 1);
    bool goes_on =
        digits == text.len || text.data[digits] != '.' ||
        (digits + 1 < text.len && text.data[digits + 1] >= '0' && text.data[digits + 1] <= '9');
    return begins && goes_on && number_parse_double(text, &n) == NUMBER_OK;
}

static bool fits(struct str text, enum integer_range range)
{
    struct integer n;
    return is_json_integer(text) && number_parse_integer(text, &n) && number_integer_fits(n, range);
}

static bool is_date(struct str text)
{
    struct datetime d;
    struct datetime_offset offset;
    return datetime_read_basic(text, &d) || datetime_read_extended(text, &d, &offset);
}

static bool is_base64(struct str text)
{
    struct base64 b;
    struct chain nowhere;
    chain_init(&nowhere, 0, NULL);
    base64_begin(&b, &nowhere, 0);
    bool ok = base64_copy(&b, text) && base64_copy_end(&b);
    chain_done(&nowhere);
    return ok;
}

static void put_tagged(const char *tag, struct str json, struct buf *to)
{
    buf_printf(to, "{\"%s\":", tag);
    buf_append(to, json);
    buf_append_byte(to, '}');
}

static void put_tagged_text(const char *tag, struct str text, struct buf *to)
{
    buf_printf(to, "{\"%s\":", tag);
    json_quote(text, to);
    buf_append_byte(to, '}');
}

/* A number or word, as it is written in text and JSON alike. False: it is not of the type. */
static bool put_plain(const struct route_input *input, struct str text, struct buf *to)
{
    switch (input->type) {
    case ROUTE_TYPE_INT:
        buf_append(to, text);
        return fits(text, INTEGER_32);
    case ROUTE_TYPE_I8:
        put_tagged_text("$i8", text, to);
        return fits(text, INTEGER_64);
    case ROUTE_TYPE_DOUBLE:
        put_tagged("$double", text, to);
        return is_json_number(text);
    case ROUTE_TYPE_BOOLEAN:
        buf_append(to, text);
        return str_eq(text, STR("true")) || str_eq(text, STR("false"));
    case ROUTE_TYPE_DATE: /* seconds since 1970 */
        put_tagged("$dateTime", text, to);
        return is_json_number(text);
    default:
        return false;
    }
}

/* Text that JSON has in quotes. */
static bool put_text(const struct route_input *input, struct str text, struct buf *to)
{
    switch (input->type) {
    case ROUTE_TYPE_STRING:
        json_quote(text, to);
        return true;
    case ROUTE_TYPE_DATE:
        put_tagged_text("$dateTime", text, to);
        return is_date(text);
    case ROUTE_TYPE_BASE64:
        put_tagged_text("$base64", text, to);
        return is_base64(text);
    default:
        return false;
    }
}

bool route_value_from_text(const struct route_input *input, struct str text, struct buf *to,
                           struct buf *why)
{
    size_t begin = to->len;
    bool ok = put_text(input, text, to);
    if (!ok) {
        buf_truncate(to, begin);
        ok = put_plain(input, text, to);
    }
    return ok ? route_rules_hold(input, text, why) : refuse_text(input, text, why);
}

/* What stands in `{"$i8": …}` where that is the type's own tag, else the value itself. */
struct str route_value_inner(const struct route_input *input, struct str json)
{
    static const char *const tags[] = {
        [ROUTE_TYPE_STRING] = "\"$string\"",   [ROUTE_TYPE_INT] = "\"$int\"",
        [ROUTE_TYPE_I8] = "\"$i8\"",           [ROUTE_TYPE_DOUBLE] = "\"$double\"",
        [ROUTE_TYPE_BOOLEAN] = "\"$boolean\"", [ROUTE_TYPE_DATE] = "\"$dateTime\"",
        [ROUTE_TYPE_BASE64] = "\"$base64\"",   [ROUTE_TYPE_ANY] = NULL
    };
    const char *end = json.data + json.len;
    size_t depth = 0;
    if (json.data[0] != '{' || tags[input->type] == NULL)
        return json;
    const char *name = json_skip_space(json.data + 1, end);
    if (!str_starts_with((struct str){ name, (size_t)(end - name) }, str_of(tags[input->type])))
        return json;
    const char *colon = json_skip_space(name + strlen(tags[input->type]), end);
    const char *value = json_skip_space(colon + 1, end);
    const char *behind = json_skip_token(value, end, &depth);
    if (depth > 0 || *json_skip_space(behind, end) != '}')
        return json;
    return (struct str){ value, (size_t)(behind - value) };
}

/* The string as it stands, which may be long. */
static bool put_string(const struct route_input *input, struct str quoted, struct str plain,
                       struct buf *to)
{
    switch (input->type) {
    case ROUTE_TYPE_STRING:
        buf_append(to, quoted);
        return true;
    case ROUTE_TYPE_DATE:
        put_tagged("$dateTime", quoted, to);
        return is_date(plain);
    case ROUTE_TYPE_BASE64:
        put_tagged("$base64", quoted, to);
        return is_base64(plain);
    default:
        return false;
    }
}

/* A string that is too long to be unquoted at once. */
static bool long_string(const struct route_input *input, struct str quoted, struct buf *to,
                        struct buf *why)
{
    if (!route_rules_hold_long(input, quoted, why))
        return false;
    buf_append(to, quoted);
    return true;
}

static bool is_too_long(const struct route_input *input, struct str value)
{
    if (value.data[0] != '"')
        return value.len > LONG_NUMBER;
    return value.len > LONG_DATE && input->type != ROUTE_TYPE_STRING &&
           input->type != ROUTE_TYPE_BASE64;
}

bool route_value_from_json(const struct route_input *input, struct str json, struct buf *to,
                           struct buf *why)
{
    CLEANUP(buf_done) struct buf text;
    struct str value = route_value_inner(input, json_trim(json));
    bool ok;
    struct str plain = value;
    buf_init(&text, SIZE_MAX - 1, to->budget);
    if (input->type == ROUTE_TYPE_ANY) {
        buf_append(to, value);
        return true;
    }
    if (is_too_long(input, value))
        return refuse_type(input, value, why);
    if (input->type == ROUTE_TYPE_STRING && value.data[0] == '"' && value.len > LONG_STRING)
        return long_string(input, value, to, why);
    if (value.data[0] == '"') {
        plain = route_unquoted(value, &text);
        /* JSON readers of many a program lose digits: so they may stand in quotes. */
        ok = input->type == ROUTE_TYPE_I8 ? put_plain(input, plain, to)
                                          : put_string(input, value, plain, to);
    } else {
        ok = value.data[0] != '{' && value.data[0] != '[' && put_plain(input, value, to);
    }
    if (!buf_ok(&text)) {
        to->state = text.state; /* for want of memory, as of `to` itself */
        return true;
    }
    return ok ? route_rules_hold(input, plain, why) : refuse_type(input, value, why);
}

void route_value_put_base64(struct str quoted, struct buf *to)
{
    put_tagged("$base64", quoted, to);
}

void route_value_refuse(const struct route_input *input, struct str json, struct buf *why)
{
    refuse_type(input, json, why);
}

void route_value_refuse_list(const struct route_input *input, struct str json, struct buf *why)
{
    struct error_cut cut = error_cut(json, SHOWN_MAX);
    buf_printf(why, "must be %s, not %.*s%s", route_type_told(input->type, true),
               ERROR_CUT_ARGS(cut));
}

bool route_values_from_json(const struct route_input *input, struct str json, struct buf *to,
                            struct buf *why)
{
    struct str item;
    json = json_trim(json);
    if (!input->is_several)
        return route_value_from_json(input, json, to, why);
    if (json.data[0] != '[') {
        route_value_refuse_list(input, json, why);
        return false;
    }
    struct json_cursor items = json_enter(json);
    buf_append_byte(to, '[');
    for (size_t i = 0; json_next(&items, NULL, &item); i++) {
        size_t begin = why->len;
        buf_append_c(to, i > 0 ? "," : "");
        buf_printf(why, "must be %s: item %zu ", route_type_told(input->type, true), i);
        if (!route_value_from_json(input, item, to, why))
            return false;
        buf_truncate(why, begin);
    }
    buf_append_byte(to, ']');
    return true;
}
