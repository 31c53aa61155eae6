/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sixteen.h"
#include "codec/json/write.h"
#include "codec/value/datetime.h"
#include "codec/xml/decode_private.h"

/* Strings that become base64 at once. [bytes] */
#define SHORT_MAX ((size_t)4096)

/* How much of a wrong text a message shows. [bytes] */
#define SHOWN_MAX 60

void scalar_start(struct decoder *d, struct frame *f)
{
    if (UNLIKELY(d->depth == 0) && !tree_may_be_outermost(d, (enum element)f->element))
        return;
    switch ((enum element)f->element) {
    case ELEMENT_VALUE:
    case ELEMENT_STRING:
        f->mark = chain_len(d->out);
        d->marked = false;
        chain_append_byte(d->out, '"');
        break;
    case ELEMENT_BASE64:
        d->base64_chars = 0;
        d->base64_pads = 0;
        chain_append(d->out,
                     d->options->types == TYPES_TAGGED ? STR("{\"$base64\":\"") : STR("\""));
        break;
    default:
        d->text.len = 0;
        break;
    }
}

static void end_string(struct decoder *d, const struct frame *f)
{
    if (UNLIKELY(d->marked) && chain_len(d->out) - f->mark <= SHORT_MAX)
        repair_to_base64(d, f->mark + 1);
    else if (UNLIKELY(d->marked))
        edit_base64(d, f->mark + 1);
    chain_append_byte(d->out, '"');
}

static bool end_boolean(struct decoder *d, struct str text)
{
    if (str_eq(text, STR("1")) || str_eq(text, STR("true")))
        chain_append(d->out, STR("true"));
    else if (str_eq(text, STR("0")) || str_eq(text, STR("false")))
        chain_append(d->out, STR("false"));
    else
        return false;
    return true;
}

static bool end_date(struct decoder *d, struct str text)
{
    struct datetime date;
    if (repair_is_marked(text) && d->options->text == TEXT_BASE64)
        return false;
    if (d->options->types == TYPES_TAGGED) {
        chain_append(d->out, STR("{\"$dateTime\":"));
        json_write_string(d->out, text);
        chain_append_byte(d->out, '}');
    } else if (datetime_read_basic(text, &date)) {
        char *to = chain_reserve(d->out, DATETIME_EXTENDED_LEN + 2);
        to[0] = '"';
        datetime_write_extended(&date, to + 1);
        to[DATETIME_EXTENDED_LEN + 1] = '"';
        chain_commit(d->out, DATETIME_EXTENDED_LEN + 2);
    } else {
        json_write_string(d->out, text);
    }
    return true;
}

/* What a byte is in base64 (RFC 4648 section 4). */
enum base64_class { BASE64_WRONG = 0, BASE64_DIGIT = 1, BASE64_PAD = 2, BASE64_SPACE = 4 };

#define RANGE_26(first)                                                                            \
    [first] = BASE64_DIGIT, [(first) + 1] = BASE64_DIGIT, [(first) + 2] = BASE64_DIGIT,            \
    [(first) + 3] = BASE64_DIGIT, [(first) + 4] = BASE64_DIGIT, [(first) + 5] = BASE64_DIGIT,      \
    [(first) + 6] = BASE64_DIGIT, [(first) + 7] = BASE64_DIGIT, [(first) + 8] = BASE64_DIGIT,      \
    [(first) + 9] = BASE64_DIGIT, [(first) + 10] = BASE64_DIGIT, [(first) + 11] = BASE64_DIGIT,    \
    [(first) + 12] = BASE64_DIGIT, [(first) + 13] = BASE64_DIGIT, [(first) + 14] = BASE64_DIGIT,   \
    [(first) + 15] = BASE64_DIGIT, [(first) + 16] = BASE64_DIGIT, [(first) + 17] = BASE64_DIGIT,   \
    [(first) + 18] = BASE64_DIGIT, [(first) + 19] = BASE64_DIGIT, [(first) + 20] = BASE64_DIGIT,   \
    [(first) + 21] = BASE64_DIGIT, [(first) + 22] = BASE64_DIGIT, [(first) + 23] = BASE64_DIGIT,   \
    [(first) + 24] = BASE64_DIGIT, [(first) + 25] = BASE64_DIGIT

static const unsigned char base64_class[256] = {
    RANGE_26('A'),         RANGE_26('a'),         ['0'] = BASE64_DIGIT,  ['1'] = BASE64_DIGIT,
    ['2'] = BASE64_DIGIT,  ['3'] = BASE64_DIGIT,  ['4'] = BASE64_DIGIT,  ['5'] = BASE64_DIGIT,
    ['6'] = BASE64_DIGIT,  ['7'] = BASE64_DIGIT,  ['8'] = BASE64_DIGIT,  ['9'] = BASE64_DIGIT,
    ['+'] = BASE64_DIGIT,  ['/'] = BASE64_DIGIT,  ['='] = BASE64_PAD,    [' '] = BASE64_SPACE,
    ['\t'] = BASE64_SPACE, ['\n'] = BASE64_SPACE, ['\r'] = BASE64_SPACE,
};

static inline bool all_digits_in_16(const char *at)
{
    bytes16 b = sixteen_bytes(at);
    uint64_t halves[2];
    b = (bytes16)((bytes16)((b | 0x20) - 'a') < 26) | (bytes16)((bytes16)(b - '/') < 11) |
        (bytes16)(b == '+');
    memcpy(halves, &b, sizeof halves);
    return (halves[0] & halves[1]) == UINT64_MAX;
}

/* Length of the run of base64 digits at the beginning. BASE64_DIGIT is the one odd class. */
static size_t digit_run(struct str text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    size_t n = 0;
    _Static_assert((BASE64_DIGIT & (BASE64_PAD | BASE64_SPACE)) == 0, "runs are told by one bit");
    while (text.len - n >= 16 && all_digits_in_16(text.data + n))
        n += 16;
    while (text.len - n >= 4 && (base64_class[p[n]] & base64_class[p[n + 1]] &
                                 base64_class[p[n + 2]] & base64_class[p[n + 3]]) == BASE64_DIGIT)
        n += 4;
    while (n < text.len && base64_class[p[n]] == BASE64_DIGIT)
        n++;
    return n;
}

void scalar_base64_text(struct decoder *d, struct str text)
{
    while (text.len > 0) {
        size_t run = digit_run(text);
        if (run > 0) {
            if (d->base64_pads > 0) {
                decode_fail(d, REFUSED_BASE64, "<base64> goes on after its padding");
                return;
            }
            chain_append(d->out, str_slice(text, 0, run));
            d->base64_chars += run;
            text = str_slice(text, run, text.len);
            continue;
        }
        unsigned char c = (unsigned char)text.data[0];
        if (base64_class[c] == BASE64_PAD && d->base64_pads < 2) {
            d->base64_pads++;
            chain_append_byte(d->out, '=');
        } else if (base64_class[c] != BASE64_SPACE) {
            decode_fail(d, REFUSED_BASE64, "<base64> holds a byte 0x%02X that is not base64", c);
            return;
        }
        text = str_slice(text, 1, text.len);
    }
}

static void end_base64(struct decoder *d)
{
    if ((d->base64_chars + d->base64_pads) % 4 != 0) {
        decode_fail(d, REFUSED_BASE64, "<base64> ends in the middle of a group of four characters");
        return;
    }
    chain_append(d->out, d->options->types == TYPES_TAGGED ? STR("\"}") : STR("\""));
}

/* White space around a number or a date is none of it. */
static bool end_trimmed(struct decoder *d, enum element element)
{
    struct str text = xml_trim(buf_str(&d->text));
    switch (element) {
    case ELEMENT_DOUBLE:
        return number_decode_double(d, text);
    case ELEMENT_BIGDECIMAL:
        return number_decode_decimal(d, text);
    case ELEMENT_DATE:
        return end_date(d, text);
    case ELEMENT_BOOLEAN:
        return end_boolean(d, buf_str(&d->text));
    default:
        return number_decode_integer(d, text, element);
    }
}

static void fail_text(struct decoder *d, enum element element)
{
    const char *what = element == ELEMENT_BOOLEAN ? "boolean"
                       : element == ELEMENT_DATE  ? "date and time"
                       : element == ELEMENT_DOUBLE || element == ELEMENT_BIGDECIMAL
                           ? "number"
                           : "whole number";
    if (d->options->text == TEXT_BASE64)
        repair_resolve_marks(&d->text);
    struct str text = buf_str(&d->text);
    struct error_cut shown = decode_shown(d, text, SHOWN_MAX);
    decode_fail(d, element == ELEMENT_DATE ? REFUSED_DATE : REFUSED_NUMBER,
                "\"%.*s%s\" is no valid %s", ERROR_CUT_ARGS(shown), what);
}

void scalar_end(struct decoder *d, const struct frame *f)
{
    enum element element = (enum element)f->element;
    if (UNLIKELY(d->depth == d->watch.depth))
        watched_scalar(d, element);
    switch (element) {
    case ELEMENT_VALUE:
    case ELEMENT_STRING:
        end_string(d, f);
        break;
    case ELEMENT_BASE64:
        end_base64(d);
        break;
    case ELEMENT_NIL:
        chain_append(d->out, STR("null"));
        break;
    default:
        if (UNLIKELY(!end_trimmed(d, element)))
            fail_text(d, element);
        break;
    }
}
