/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, numbers, booleans and nil. */
#include "codec/xml/encode_inside.h"

#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "codec/json/text.h"
#include "codec/value/digits.h"

#include <stdarg.h>
#include <stdio.h>

#define ELEMENT_MAX 64 /* room for the markup of one value [bytes] */

static void add_pointer_level(struct encoder *e, const struct encode_level *level,
                              struct buf *pointer)
{
    if (level->kind != LEVEL_STRUCT) {
        json_pointer_add_index(pointer, level->index);
        return;
    }
    if (level->wrapped)
        buf_append_c(pointer, "/$struct");
    const char *end = json_string_end(level->name + 1, e->end) + 1;
    struct buf name;
    buf_init(&name, ERROR_POINTER_MAX, NULL);
    json_unquote((struct str){ level->name, (size_t)(end - level->name) }, &name);
    if (buf_ok(&name))
        json_pointer_add_name(pointer, buf_str(&name));
    else
        pointer->state = BUF_FULL;
    buf_done(&name);
}

void encode_point(struct encoder *e, struct error *err)
{
    struct buf pointer;
    buf_init(&pointer, ERROR_POINTER_MAX, NULL);
    for (unsigned i = 0; i < e->depth && buf_ok(&pointer); i++)
        add_pointer_level(e, &e->levels[i], &pointer);
    if (buf_ok(&pointer))
        error_at(err, buf_str(&pointer));
    buf_done(&pointer);
}

bool encode_refuse(struct encoder *e, struct error *err, const char *format, ...)
{
    char detail[ERROR_DETAIL_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    error_set(err, PROBLEM_UNREPRESENTABLE, "%s", detail);
    encode_point(e, err);
    return false;
}

static const char *extension_name(enum extension extension)
{
    switch (extension) {
#define X(word, name)                                                                              \
    case EXTENSION_##word:                                                                         \
        return name;
        EXTENSION_LIST(X)
#undef X
    }
    return "";
}

bool encode_need(struct encoder *e, enum extension extension, const char *what, struct error *err)
{
    if ((e->input.options->extensions & extension) != 0)
        return true;
    return encode_refuse(e, err, "%s; where the upstream takes that, add \"%s\" to its extensions.",
                         what, extension_name(extension));
}

static char *put(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static char *put_markup(char *to, const char *before, const char *type, const char *after)
{
    to = put(to, before, strlen(before));
    to = put(to, type, strlen(type));
    return put(to, after, strlen(after));
}

static void begin_element(struct encoder *e, const char *type)
{
    char *start = chain_reserve(e->to, ELEMENT_MAX);
    chain_commit(e->to, (size_t)(put_markup(start, "<value><", type, ">") - start));
}

static void end_element(struct encoder *e, const char *type)
{
    char *start = chain_reserve(e->to, ELEMENT_MAX);
    chain_commit(e->to, (size_t)(put_markup(start, "</", type, "></value>") - start));
}

void encode_element(struct encoder *e, const char *type, struct str text)
{
    begin_element(e, type);
    chain_append(e->to, text);
    end_element(e, type);
}

void encode_integer_element(struct encoder *e, const char *type, struct integer n)
{
    begin_element(e, type);
    if (n.negative)
        chain_append_byte(e->to, '-');
    chain_append(e->to, n.digits);
    end_element(e, type);
}

bool encode_string(struct encoder *e, struct error *err)
{
    return encode_text(e, OPEN_STRING, err);
}

/* What most numbers are: at most nine digits, as they stand. */
static bool write_small_integer(struct encoder *e, struct str text)
{
    if (text.len > 9 || (text.len == 2 && text.data[0] == '-' && text.data[1] == '0'))
        return false;
    char *start = chain_reserve(e->to, ELEMENT_MAX);
    char *to = put(start, "<value><int>", 12);
    to = put(to, text.data, text.len);
    to = put(to, "</int></value>", 14);
    chain_commit(e->to, (size_t)(to - start));
    return true;
}

bool encode_integer(struct encoder *e, struct str text, struct error *err)
{
    struct integer n;
    if (write_small_integer(e, text))
        return true;
    if (!number_parse_integer(text, &n))
        return encode_refuse(e, err, "Write an integer here.");
    bool with_i8 = (e->input.options->extensions & EXTENSION_I8) != 0;
    bool with_big = (e->input.options->extensions & EXTENSION_BIGINTEGER) != 0;
    const char *type = "int";
    if (UNLIKELY(e->input.options->as_decoded)) {
        encode_integer_element(e, type, n);
        return true;
    }
    if (!number_integer_fits(n, INTEGER_64)) {
        type = "biginteger";
        if (!encode_need(e, EXTENSION_BIGINTEGER, "The integer is outside 64 bits", err))
            return false;
    } else if (!number_integer_fits(n, INTEGER_32)) {
        type = with_i8 || !with_big ? "i8" : "biginteger";
        if (!with_big && !encode_need(e, EXTENSION_I8, "The integer is outside 32 bits", err))
            return false;
    }
    encode_integer_element(e, type, n);
    return true;
}

bool encode_double(struct encoder *e, struct str text, struct error *err)
{
    struct decimal d;
    char plain[NUMBER_PLAIN_MAX];
    switch (number_parse_double(text, &d)) {
    case NUMBER_OK:
        break;
    case NUMBER_OVERFLOW:
        if (e->at[-1] == '"') /* The document is well-formed: it is text. */
            return encode_refuse(e, err, "The number is larger than every double.");
        return json_scan_fail(&e->scan, text.data,
                              "the number is larger than every double; send it as "
                              "{\"$bigdecimal\": \"…\"} where the upstream takes that",
                              err);
    case NUMBER_INVALID:
        return encode_refuse(e, err, "Write a number here.");
    }
    encode_element(e, "double", (struct str){ plain, number_write_plain(&d, plain) });
    return true;
}

bool encode_number(struct encoder *e, struct error *err)
{
    const char *start = e->at;
    bool whole = true;
    const char *at = start;
    for (;; at++) {
        at = digits_end(at, e->end);
        if (at < e->end && *at == '-')
            continue;
        if (at == e->end || (*at != '.' && *at != 'e' && *at != 'E' && *at != '+'))
            break;
        whole = false;
    }
    struct str text = { start, (size_t)(at - start) };
    e->at = at;
    return whole ? encode_integer(e, text, err) : encode_double(e, text, err);
}

bool encode_nil_is_ex(const struct encoder *e)
{
    unsigned both = EXTENSION_NIL | EXTENSION_EX_NIL;
    return (e->input.options->extensions & both) == EXTENSION_EX_NIL;
}

bool encode_nil(struct encoder *e, struct error *err)
{
    if (encode_nil_is_ex(e)) {
        chain_append(e->to, STR("<value><ex:nil/></value>"));
        return true;
    }
    if (!encode_need(e, EXTENSION_NIL, "XML-RPC has no null", err))
        return false;
    chain_append(e->to, STR("<value><nil/></value>"));
    return true;
}

void encode_boolean(struct encoder *e, bool value)
{
    chain_append(e->to, value ? STR("<value><boolean>1</boolean></value>")
                              : STR("<value><boolean>0</boolean></value>"));
}
