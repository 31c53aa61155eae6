/* SPDX-License-Identifier: Apache-2.0 */
#include "roundtrip_values.h"

#include "codec/json/cursor.h"
#include "roundtrip_number.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TEXT_MAX ((size_t)1 << 24)

enum kind {
    KIND_NIL,
    KIND_BOOLEAN,
    KIND_INT,
    KIND_I8,
    KIND_BIGINTEGER,
    KIND_DOUBLE,
    KIND_BIGDECIMAL,
    KIND_STRING,
    KIND_DATE,
    KIND_BASE64,
    KIND_ARRAY,
    KIND_STRUCT
};

/* What a JSON value means in XML-RPC. */
struct meaning {
    enum kind kind;
    struct str value; /* of ARRAY and STRUCT: its JSON, and of DATE; borrowed */
    struct buf text;  /* of all others: the number, the characters of the string */
};

void roundtrip_check(bool holds)
{
    if (!holds)
        abort();
}

/* ---- Numbers ---- */

static void check_same_number(struct meaning *a, struct meaning *b)
{
    struct roundtrip_number in, out;
    roundtrip_number_read(&a->text, &in);
    roundtrip_number_read(&b->text, &out);
    roundtrip_check(str_eq(buf_str(&in.digits), buf_str(&out.digits)) &&
                    in.exponent == out.exponent);
    if (a->kind == KIND_BIGDECIMAL)
        roundtrip_check(in.negative == out.negative && in.places == out.places);
    else
        roundtrip_check(out.integer && out.negative == (in.negative && in.digits.len > 0));
    buf_done(&in.digits);
    buf_done(&out.digits);
}

static bool is_word(struct str text)
{
    return str_eq_c(text, "NaN") || str_eq_c(text, "Infinity") || str_eq_c(text, "-Infinity");
}

static void check_same_double(struct meaning *a, struct meaning *b)
{
    if (is_word(buf_str(&a->text)) || is_word(buf_str(&b->text))) {
        roundtrip_check(str_eq(buf_str(&a->text), buf_str(&b->text)));
        return;
    }
    double in = strtod(buf_c(&a->text), NULL), out = strtod(buf_c(&b->text), NULL);
    roundtrip_check(memcmp(&in, &out, sizeof in) == 0);
    roundtrip_check(strpbrk(buf_c(&b->text), ".eE") != NULL);
}

/* An integer without a tag is of the smallest type that holds it. */
static enum kind number_kind(struct str text)
{
    char digits[24];
    long long value;
    if (memchr(text.data, '.', text.len) != NULL || memchr(text.data, 'e', text.len) != NULL ||
        memchr(text.data, 'E', text.len) != NULL)
        return KIND_DOUBLE;
    if (text.len > 20)
        return KIND_BIGINTEGER;
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    char *end;
    value = strtoll(digits, &end, 10);
    if (value == INT64_MAX || value == INT64_MIN) {
        bool exact = strcmp(digits, "9223372036854775807") == 0 ||
                     strcmp(digits, "-9223372036854775808") == 0;
        return exact ? KIND_I8 : KIND_BIGINTEGER;
    }
    return value >= INT32_MIN && value <= INT32_MAX ? KIND_INT : KIND_I8;
}

/* ---- Dates ---- */

static int two_digits(const char *at)
{
    return (at[0] - '0') * 10 + (at[1] - '0');
}

/* The greatest integer that is not above the number, which is small. */
static int64_t read_floor(struct buf *text)
{
    struct roundtrip_number n;
    int64_t value = 0;
    roundtrip_number_read(text, &n);
    int64_t len = (int64_t)n.digits.len;
    roundtrip_check(n.exponent <= 16);
    for (int64_t i = 0; i < n.exponent; i++)
        value = value * 10 + (i < len ? n.digits.data[i] - '0' : 0);
    if (n.negative)
        value = -value - (len > n.exponent);
    buf_done(&n.digits);
    return value;
}

/* The moment of `YYYY-MM-DDTHH:MM:SS`; *zoned: with an offset behind it and perhaps a fraction. */
static int64_t read_extended(const char *at, bool *zoned)
{
    struct tm tm = { .tm_year = two_digits(at) * 100 + two_digits(at + 2) - 1900,
                     .tm_mon = two_digits(at + 5) - 1,
                     .tm_mday = two_digits(at + 8),
                     .tm_hour = two_digits(at + 11),
                     .tm_min = two_digits(at + 14),
                     .tm_sec = two_digits(at + 17) };
    at += 19;
    at += *at == '.' ? 1 + strspn(at + 1, "0123456789") : 0;
    *zoned = *at != '\0';
    int64_t offset = 0;
    if (*at == '+' || *at == '-')
        offset = (two_digits(at + 1) * 60 + two_digits(at + 4)) * (*at == '-' ? -60 : 60);
    return timegm(&tm) - offset;
}

/* Makes the text of a date `YYYYMMDDTHH:MM:SS`. */
static void normalise_date(struct meaning *m, const struct roundtrip *trip)
{
    char text[128];
    struct tm tm;
    bool zoned = true;
    if (m->value.data[0] == '"' && m->text.len == 17)
        return;
    int64_t moment =
        m->value.data[0] == '"' ? read_extended(buf_c(&m->text), &zoned) : read_floor(&m->text);
    time_t seconds = moment + (zoned ? trip->zone : 0);
    roundtrip_check(gmtime_r(&seconds, &tm) != NULL);
    snprintf(text, sizeof text, "%04d%02d%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    buf_clear(&m->text);
    buf_append_c(&m->text, text);
}

/* ---- Text ---- */

static bool is_forbidden(struct str rest)
{
    unsigned char c = (unsigned char)rest.data[0];
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
           str_starts_with(rest, STR("\xEF\xBF\xBE")) || str_starts_with(rest, STR("\xEF\xBF\xBF"));
}

static bool any_forbidden(const struct buf *text)
{
    for (size_t at = 0; at < text->len; at++)
        if (is_forbidden((struct str){ text->data + at, text->len - at }))
            return true;
    return false;
}

static void replace_forbidden(struct buf *text)
{
    struct buf to;
    buf_init(&to, TEXT_MAX, NULL);
    for (size_t at = 0; at < text->len;) {
        struct str rest = { text->data + at, text->len - at };
        if (is_forbidden(rest))
            buf_append_c(&to, "\xEF\xBF\xBD");
        else
            buf_append_byte(&to, rest.data[0]);
        at += is_forbidden(rest) && rest.data[0] == '\xEF' ? 3 : 1;
    }
    buf_done(text);
    *text = to;
}

static void to_base64(struct buf *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct buf to;
    buf_init(&to, TEXT_MAX, NULL);
    for (size_t at = 0; at < text->len; at += 3) {
        size_t left = text->len - at;
        const unsigned char *p = (const unsigned char *)text->data + at;
        unsigned bits = (unsigned)p[0] << 16 | (left > 1 ? (unsigned)p[1] << 8 : 0) |
                        (left > 2 ? (unsigned)p[2] : 0);
        for (size_t i = 0; i < 4; i++)
            buf_append_byte(&to, i > left ? '=' : digits[bits >> (18 - 6 * i) & 63]);
    }
    buf_done(text);
    *text = to;
}

/* Of base64, only the digits, of the standard alphabet. */
static void normalise_base64(struct buf *text)
{
    size_t to = 0;
    for (size_t at = 0; at < text->len; at++) {
        char c = text->data[at];
        if (strchr(" \t\r\n=", c) == NULL)
            text->data[to++] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    text->len = to;
}

/* What the text policy makes of a string or name; true: base64. */
static bool apply_policy(struct buf *text, const struct roundtrip *trip)
{
    if (!any_forbidden(text))
        return false;
    roundtrip_check(trip->encode.text != TEXT_REJECT && trip->repaired > 0);
    if (trip->encode.text == TEXT_REPLACE)
        replace_forbidden(text);
    else
        to_base64(text);
    return trip->encode.text == TEXT_BASE64;
}

/* ---- Values ---- */

static const struct tag {
    const char *name;
    enum kind kind;
} tags[] = {
    { "$int", KIND_INT },
    { "$i8", KIND_I8 },
    { "$biginteger", KIND_BIGINTEGER },
    { "$double", KIND_DOUBLE },
    { "$bigdecimal", KIND_BIGDECIMAL },
    { "$string", KIND_STRING },
    { "$boolean", KIND_BOOLEAN },
    { "$nil", KIND_NIL },
    { "$dateTime", KIND_DATE },
    { "$base64", KIND_BASE64 },
    { "$struct", KIND_STRUCT },
};

static void read_text(struct str value, struct buf *to)
{
    if (value.data[0] == '"')
        json_unquote(value, to);
    else
        buf_append(to, value);
    roundtrip_check(buf_ok(to));
}

/* An object of one member whose name begins with `$`. */
static bool read_tag(struct str object, enum kind *kind, struct str *inner)
{
    struct json_cursor c = json_enter(object);
    struct str name, other;
    struct buf text;
    bool found = false;
    if (!json_next(&c, &name, inner) || json_next(&c, &other, &other))
        return false;
    buf_init(&text, TEXT_MAX, NULL);
    json_unquote(name, &text);
    bool tagged = text.len > 0 && text.data[0] == '$';
    for (size_t i = 0; i < ARRAY_LEN(tags) && tagged && !found; i++) {
        found = str_eq_c(buf_str(&text), tags[i].name);
        *kind = tags[i].kind;
    }
    roundtrip_check(found == tagged);
    buf_done(&text);
    return tagged;
}

static enum kind untagged_kind(struct str value)
{
    switch (value.data[0]) {
    case '"':
        return KIND_STRING;
    case '{':
        return KIND_STRUCT;
    case '[':
        return KIND_ARRAY;
    case 't':
    case 'f':
        return KIND_BOOLEAN;
    case 'n':
        return KIND_NIL;
    default:
        return number_kind(value);
    }
}

static void read_meaning(struct str value, struct meaning *m)
{
    struct str inner;
    m->kind = untagged_kind(value);
    m->value = m->kind == KIND_STRUCT && read_tag(value, &m->kind, &inner) ? inner : value;
    buf_init(&m->text, TEXT_MAX, NULL);
    if (m->kind != KIND_STRUCT && m->kind != KIND_ARRAY)
        read_text(m->value, &m->text);
}

/* A value of the plain form, which must be of that kind: it does not say so itself. */
static void read_plain(struct str value, enum kind kind, struct meaning *m)
{
    enum kind shown = untagged_kind(value);
    m->value = value;
    m->kind = kind;
    buf_init(&m->text, TEXT_MAX, NULL);
    if (kind == KIND_DATE || kind == KIND_BASE64)
        roundtrip_check(shown == KIND_STRING);
    else if (kind == KIND_DOUBLE)
        roundtrip_check(shown == KIND_DOUBLE || shown == KIND_STRING);
    else if (kind >= KIND_INT && kind <= KIND_BIGDECIMAL)
        roundtrip_check(shown >= KIND_INT && shown <= KIND_DOUBLE);
    else
        roundtrip_check(shown == kind);
    if (kind != KIND_STRUCT && kind != KIND_ARRAY)
        read_text(value, &m->text);
}

static void check_same_scalar(struct meaning *a, struct meaning *b, const struct roundtrip *trip)
{
    switch (a->kind) {
    case KIND_INT:
    case KIND_I8:
    case KIND_BIGINTEGER:
    case KIND_BIGDECIMAL:
        check_same_number(a, b);
        return;
    case KIND_DOUBLE:
        check_same_double(a, b);
        return;
    case KIND_BOOLEAN:
        roundtrip_check((a->text.data[0] == 't' || a->text.data[0] == '1') ==
                        (b->text.data[0] == 't'));
        return;
    case KIND_NIL:
        roundtrip_check(str_eq_c(buf_str(&b->text), "null"));
        return;
    case KIND_DATE:
        roundtrip_check(b->text.len == (trip->types == TYPES_TAGGED ? 17 : 19));
        normalise_date(a, trip);
        normalise_date(b, trip);
        break;
    case KIND_BASE64:
        roundtrip_check(b->text.len % 4 == 0);
        normalise_base64(&a->text);
        normalise_base64(&b->text);
        break;
    default:
        break;
    }
    roundtrip_check(str_eq(buf_str(&a->text), buf_str(&b->text)));
}

static void check_same_name(struct str in, struct str out, const struct roundtrip *trip)
{
    struct buf a, b;
    buf_init(&a, TEXT_MAX, NULL);
    buf_init(&b, TEXT_MAX, NULL);
    json_unquote(in, &a);
    json_unquote(out, &b);
    apply_policy(&a, trip);
    roundtrip_check(str_eq(buf_str(&a), buf_str(&b)));
    buf_done(&a);
    buf_done(&b);
}

void roundtrip_check_members(struct str in, struct str out, const struct roundtrip *trip)
{
    struct json_cursor a = json_enter(in), b = json_enter(out);
    struct str a_name, a_value, b_name, b_value;
    bool object = in.data[0] == '{';
    roundtrip_check(in.data[0] == out.data[0]);
    while (json_next(&a, object ? &a_name : NULL, &a_value)) {
        roundtrip_check(json_next(&b, object ? &b_name : NULL, &b_value));
        if (object)
            check_same_name(a_name, b_name, trip);
        roundtrip_check_value(a_value, b_value, trip);
    }
    roundtrip_check(!json_next(&b, NULL, &b_value));
}

void roundtrip_check_value(struct str in, struct str out, const struct roundtrip *trip)
{
    struct meaning a, b;
    read_meaning(in, &a);
    if (a.kind == KIND_STRING && apply_policy(&a.text, trip))
        a.kind = KIND_BASE64;
    if (trip->types == TYPES_TAGGED)
        read_meaning(out, &b);
    else
        read_plain(out, a.kind, &b);
    roundtrip_check(a.kind == b.kind);
    if (a.kind == KIND_ARRAY || a.kind == KIND_STRUCT) {
        roundtrip_check_members(a.value, b.value, trip);
    } else {
        bool wide = a.kind == KIND_I8 || a.kind == KIND_BIGINTEGER;
        roundtrip_check(!wide || trip->types != TYPES_TAGGED || out.data[0] == '{');
        check_same_scalar(&a, &b, trip);
    }
    buf_done(&a.text);
    buf_done(&b.text);
}
