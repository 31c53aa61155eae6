/* SPDX-License-Identifier: Apache-2.0 */
/* Objects whose only member begins with `$`: values that say their type. */
#include "codec/xml/encode_inside.h"

#include "codec/json/cursor.h"
#include "codec/json/text.h"
#include "codec/value/digits.h"
#include "codec/value/number_text.h"

#include <assert.h>

/* How many bytes that are no digits a number may have, NaN and infinities, too. */
#define NO_DIGITS_MAX 16

/* The inside of a string to e->scratch; false, before its end, where that cannot be a number. */
static bool unquote_number(struct encoder *e, struct str inside)
{
    const char *at = inside.data;
    const char *end = inside.data + inside.len;
    size_t others = 0;
    buf_clear(&e->scratch);
    while (at < end && others <= NO_DIGITS_MAX && buf_ok(&e->scratch)) {
        size_t seen = e->scratch.len;
        at = json_unquote_part(at, end - at > 1024 ? at + 1024 : end, &e->scratch);
        struct str text = str_slice(buf_str(&e->scratch), seen, e->scratch.len);
        const char *stop = text.data + text.len;
        for (const char *p = digits_end(text.data, stop); p < stop && others <= NO_DIGITS_MAX;
             p = digits_end(p + 1, stop))
            others++;
    }
    return others <= NO_DIGITS_MAX && buf_ok(&e->scratch);
}

/* The text of the number at e->at, which may stand in quotes; moves behind it. No data: it is
 * something else. */
static struct str read_number(struct encoder *e)
{
    const char *start = e->at;
    struct str none = { 0 };
    if (*start == '-' || (*start >= '0' && *start <= '9')) {
        e->at = json_number_end(start, e->end);
        return (struct str){ start, (size_t)(e->at - start) };
    }
    if (*start != '"')
        return none;
    e->at = json_string_end(start + 1, e->end) + 1;
    struct str quoted = { start, (size_t)(e->at - start) };
    struct str inside = str_slice(quoted, 1, quoted.len - 1);
    if (memchr(inside.data, '\\', inside.len) == NULL)
        return inside;
    return unquote_number(e, inside) ? buf_str(&e->scratch) : none;
}

/* An integer in any form; `digits` holds it where it is not written as one. */
static bool read_integer(struct encoder *e, char digits[NUMBER_WHOLE_MAX], struct integer *ret)
{
    struct number_text n;
    struct str text = read_number(e);
    if (text.data == NULL)
        return false;
    if (number_parse_integer(text, ret))
        return true;
    if (!number_text_read(text, &n))
        return false;
    ret->digits = (struct str){ digits, number_text_whole(&n, digits) };
    ret->negative = n.negative && digits[0] != '0';
    return ret->digits.len > 0;
}

static bool write_int(struct encoder *e, struct error *err)
{
    char digits[NUMBER_WHOLE_MAX];
    struct integer n;
    if (!read_integer(e, digits, &n))
        return encode_refuse(e, err, "Write an integer, as in {\"$int\": 5}.");
    if (!number_integer_fits(n, INTEGER_32))
        return encode_refuse(e, err,
                             "An int has 32 bits; use {\"$i8\": …} where the upstream "
                             "takes that.");
    encode_integer_element(e, "int", n);
    return true;
}

static bool write_i8(struct encoder *e, struct error *err)
{
    char digits[NUMBER_WHOLE_MAX];
    struct integer n;
    if (!encode_need(e, EXTENSION_I8, "XML-RPC has no i8", err))
        return false;
    if (!read_integer(e, digits, &n))
        return encode_refuse(e, err, "Write an integer, as in {\"$i8\": \"5\"}.");
    if (!number_integer_fits(n, INTEGER_64))
        return encode_refuse(e, err,
                             "An i8 has 64 bits; use {\"$biginteger\": …} where the "
                             "upstream takes that.");
    encode_integer_element(e, "i8", n);
    return true;
}

static bool write_biginteger(struct encoder *e, struct error *err)
{
    char digits[NUMBER_WHOLE_MAX];
    struct integer n;
    if (!encode_need(e, EXTENSION_BIGINTEGER, "XML-RPC has no biginteger", err))
        return false;
    if (!read_integer(e, digits, &n))
        return encode_refuse(e, err,
                             "Write all digits of an integer, as in {\"$biginteger\": "
                             "\"5\"}.");
    encode_integer_element(e, "biginteger", n);
    return true;
}

static bool write_bigdecimal(struct encoder *e, struct error *err)
{
    struct number_text n;
    if (!encode_need(e, EXTENSION_BIGDECIMAL, "XML-RPC has no bigdecimal", err))
        return false;
    struct str text = read_number(e);
    if (text.data == NULL || !number_text_read(text, &n))
        return encode_refuse(e, err, "Write a decimal number, as in {\"$bigdecimal\": \"1.10\"}.");
    if (text.data[0] == '+')
        text = str_slice(text, 1, text.len);
    encode_element(e, "bigdecimal", text);
    return true;
}

static bool write_double(struct encoder *e, struct error *err)
{
    static const char *const words[] = { "NaN", "Infinity", "-Infinity" };
    struct number_text n;
    bool quoted = *e->at == '"';
    struct str text = read_number(e);
    for (size_t i = 0; i < ARRAY_LEN(words) && quoted; i++) {
        if (!str_eq_c(text, words[i]))
            continue;
        if (!encode_need(e, EXTENSION_NONFINITE, "XML-RPC has no NaN and no infinities", err))
            return false;
        encode_element(e, "double", text);
        return true;
    }
    if (text.data == NULL || !number_text_read(text, &n))
        return encode_refuse(e, err, "Write a number, as in {\"$double\": 5}.");
    return encode_double(e, text, err);
}

static bool write_string(struct encoder *e, struct error *err)
{
    if (*e->at != '"')
        return encode_refuse(e, err, "Write text in quotes, as in {\"$string\": \"text\"}.");
    return encode_string(e, err);
}

static bool write_boolean(struct encoder *e, struct error *err)
{
    const char *start = e->at;
    struct str rest = { start, (size_t)(e->end - start) };
    bool value = str_starts_with(rest, STR("true"));
    if (value || str_starts_with(rest, STR("false"))) {
        e->at += value ? 4 : 5;
    } else {
        struct str text = read_number(e);
        value = str_eq_c(text, "1");
        if (*start == '"' || (!value && !str_eq_c(text, "0")))
            return encode_refuse(e, err, "Write true or false, as in {\"$boolean\": true}.");
    }
    encode_boolean(e, value);
    return true;
}

static bool write_nil(struct encoder *e, struct error *err)
{
    struct str rest = { e->at, (size_t)(e->end - e->at) };
    if (!str_starts_with(rest, STR("true")))
        return encode_refuse(e, err, "Write {\"$nil\": true}, or null.");
    e->at += 4;
    return encode_nil(e, err);
}

static const struct tag {
    const char *name;
    bool (*write)(struct encoder *e, struct error *err);
} tags[] = {
    { "$int", write_int },
    { "$i8", write_i8 },
    { "$double", write_double },
    { "$string", write_string },
    { "$boolean", write_boolean },
    { "$biginteger", write_biginteger },
    { "$bigdecimal", write_bigdecimal },
    { "$nil", write_nil },
    { "$base64", encode_base64 },
    { "$dateTime", encode_datetime },
};

/* Copies a name without its escapes; one that is too long for any tag comes out empty. */
static struct str read_name(struct encoder *e, char to[32])
{
    const char *end = json_string_end(e->at + 1, e->end) + 1;
    struct str quoted = { e->at, (size_t)(end - e->at) };
    struct buf name;
    buf_init(&name, 31, NULL);
    json_unquote(quoted, &name);
    struct str ret = { to, buf_ok(&name) ? name.len : 0 };
    memcpy(to, buf_c(&name), ret.len);
    buf_done(&name);
    e->at = end;
    return ret;
}

static bool write_tag(struct encoder *e, struct str name, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        if (str_eq_c(name, tags[i].name))
            return tags[i].write(e, err);
    return encode_refuse(e, err,
                         "An object whose only name begins with $ says a type, and that is none; "
                         "write {\"$struct\": {…}} around it if it is a struct.");
}

void encode_tag_close(struct encoder *e)
{
    e->at = json_skip_space(e->at, e->end);
    assert(*e->at == '}');
    e->at++;
}

bool encode_tagged(struct encoder *e, struct error *err)
{
    char name_text[32];
    e->at = json_skip_space(e->at + 1, e->end);
    struct str name = read_name(e, name_text);
    e->at = json_skip_space(e->at, e->end) + 1; /* the colon */
    e->at = json_skip_space(e->at, e->end);
    if (str_eq_c(name, "$struct")) {
        if (*e->at != '{')
            return encode_refuse(e, err, "Write an object, as in {\"$struct\": {\"$a\": 1}}.");
        encode_struct_begin(e, true);
        return true;
    }
    if (UNLIKELY(e->wants_members))
        return encode_around_refuse(e, err);
    if (!write_tag(e, name, err))
        return false;
    e->open_in_tag = true;
    if (e->open == OPEN_NONE)
        encode_tag_close(e);
    return true;
}
