/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/number.h"
#include "codec/xml/decode_private.h"

/* A number's text in its parts. `digits` and `fraction` may be empty, not both. */
struct parts {
    bool negative;
    struct str digits;   /* before the point, without leading zeros */
    struct str fraction; /* behind it */
    struct str power;    /* `e` and what follows; empty: none */
    int64_t exponent;    /* of ten; saturated */
};

#define EXPONENT_SATURATED INT64_C(1000000000000)

static struct str take_digits(struct str *text)
{
    size_t n = 0;
    while (n < text->len && text->data[n] >= '0' && text->data[n] <= '9')
        n++;
    struct str digits = str_slice(*text, 0, n);
    *text = str_slice(*text, n, text->len);
    return digits;
}

/* Takes a sign away; is it a minus? */
static bool take_sign(struct str *text)
{
    bool negative = text->len > 0 && text->data[0] == '-';
    if (negative || (text->len > 0 && text->data[0] == '+'))
        *text = str_slice(*text, 1, text->len);
    return negative;
}

static bool take_power(struct str text, struct parts *ret)
{
    ret->power = text;
    ret->exponent = 0;
    if (text.len == 0)
        return true;
    if (text.data[0] != 'e' && text.data[0] != 'E')
        return false;
    text = str_slice(text, 1, text.len);
    bool negative = take_sign(&text);
    struct str digits = take_digits(&text);
    if (digits.len == 0 || text.len > 0)
        return false;
    for (size_t i = 0; i < digits.len && ret->exponent < EXPONENT_SATURATED; i++)
        ret->exponent = ret->exponent * 10 + (digits.data[i] - '0');
    if (negative)
        ret->exponent = -ret->exponent;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], a digit somewhere before the `e`. */
static bool parse(struct str text, struct parts *ret)
{
    ret->negative = take_sign(&text);
    ret->digits = take_digits(&text);
    ret->fraction = (struct str){ NULL, 0 };
    if (text.len > 0 && text.data[0] == '.') {
        text = str_slice(text, 1, text.len);
        ret->fraction = take_digits(&text);
    }
    if (ret->digits.len + ret->fraction.len == 0)
        return false;
    while (ret->digits.len > 0 && ret->digits.data[0] == '0')
        ret->digits = str_slice(ret->digits, 1, ret->digits.len);
    return take_power(text, ret);
}

/* The digits of a number without leading and trailing zeros, in `to` of `size` bytes, and the
 * power of ten of the last one. False where there are more. */
static bool significant(const struct parts *p, struct buf *to, int64_t *power)
{
    struct str fraction = p->fraction;
    struct str digits = p->digits;
    *power = p->exponent - (int64_t)fraction.len;
    while (fraction.len > 0 && fraction.data[fraction.len - 1] == '0') {
        fraction.len--;
        (*power)++;
    }
    while (fraction.len == 0 && digits.len > 0 && digits.data[digits.len - 1] == '0') {
        digits.len--;
        (*power)++;
    }
    while (digits.len == 0 && fraction.len > 0 && fraction.data[0] == '0')
        fraction = str_slice(fraction, 1, fraction.len);
    buf_append(to, digits);
    buf_append(to, fraction);
    return buf_ok(to);
}

static void append_zeros(struct buf *to, int64_t n)
{
    while (n-- > 0)
        buf_append_byte(to, '0');
}

/* A whole number that was written with an exponent, in full; "" for zero. */
static bool expand(const struct parts *p, struct buf *to)
{
    int64_t power;
    if (!significant(p, to, &power))
        return false;
    if (to->len == 0)
        return true;
    if (power < 0 || power > EXPANDED_DIGITS_MAX - (int64_t)to->len)
        return false;
    append_zeros(to, power);
    return buf_ok(to);
}

static void write_integer(struct decoder *d, struct integer n, enum element element)
{
    bool tagged = d->options->types == TYPES_TAGGED && element != ELEMENT_INT;
    bool quoted = tagged;
    if (d->options->integers == INTEGERS_STRING)
        quoted = quoted || element != ELEMENT_INT;
    else if (d->options->integers == INTEGERS_SAFE)
        quoted = quoted || !number_integer_is_double(n);
    if (tagged)
        chain_append(d->out, element == ELEMENT_I8 ? STR("{\"$i8\":") : STR("{\"$biginteger\":"));
    if (quoted)
        chain_append_byte(d->out, '"');
    if (n.negative)
        chain_append_byte(d->out, '-');
    chain_append(d->out, n.digits);
    if (quoted)
        chain_append_byte(d->out, '"');
    if (tagged)
        chain_append_byte(d->out, '}');
}

bool number_decode_integer(struct decoder *d, struct str text, enum element element)
{
    struct integer n;
    if (LIKELY(number_parse_integer(text, &n))) {
        write_integer(d, n, element);
        return true;
    }
    struct parts p;
    struct buf digits;
    if (!parse(text, &p) || p.power.len == 0)
        return false;
    buf_init(&digits, EXPANDED_DIGITS_MAX, NULL);
    bool ok = expand(&p, &digits);
    if (ok) {
        n.negative = p.negative && digits.len > 0;
        n.digits = digits.len > 0 ? buf_str(&digits) : STR("0");
        write_integer(d, n, element);
    }
    buf_done(&digits);
    return ok;
}

/* "NaN", "Infinity" or "-Infinity" for whatever of them the text is, else NULL. */
static const char *nonfinite_name(struct str text)
{
    bool negative = take_sign(&text);
    if (str_eq_nocase(text, STR("nan")))
        return "NaN";
    if (str_eq_nocase(text, STR("inf")) || str_eq_nocase(text, STR("infinity")))
        return negative ? "-Infinity" : "Infinity";
    return NULL;
}

static void write_nonfinite(struct decoder *d, const char *name, struct str tag)
{
    bool tagged = d->options->types == TYPES_TAGGED;
    if (tagged)
        chain_append(d->out, tag);
    chain_append_byte(d->out, '"');
    chain_append_c(d->out, name);
    chain_append_byte(d->out, '"');
    if (tagged)
        chain_append_byte(d->out, '}');
}

bool number_decode_double(struct decoder *d, struct str text)
{
    struct decimal decimal;
    const char *name = NULL;
    switch (number_parse_double(text, &decimal)) {
    case NUMBER_OK: {
        char *to = chain_reserve(d->out, NUMBER_JSON_MAX);
        chain_commit(d->out, number_write_json(&decimal, to));
        return true;
    }
    case NUMBER_OVERFLOW:
        name = text.data[0] == '-' ? "-Infinity" : "Infinity";
        break;
    case NUMBER_INVALID:
        name = nonfinite_name(text);
        break;
    }
    if (name == NULL)
        return false;
    write_nonfinite(d, name, STR("{\"$double\":"));
    return true;
}

/* No double has more significant digits. */
#define EXACT_DIGITS_MAX 770
#define LIMB UINT64_C(1000000000)
#define LIMB_DIGITS 9
#define LIMBS (EXACT_DIGITS_MAX / LIMB_DIGITS + 1)

/* Divides by 5 to the power of at most 12 in place; false where that leaves a remainder. */
static bool divide_exactly(uint32_t *limbs, size_t *n, int64_t fives)
{
    uint64_t divisor = 1, rest = 0;
    while (fives-- > 0)
        divisor *= 5;
    for (size_t i = *n; i-- > 0;) {
        uint64_t part = rest * LIMB + limbs[i];
        limbs[i] = (uint32_t)(part / divisor);
        rest = part % divisor;
    }
    while (*n > 0 && limbs[*n - 1] == 0)
        (*n)--;
    return rest == 0;
}

/* Is digits / 10^places a double? The last digit is not 0. Then it is whole fives and no twos
 * that divide, and what remains over a power of two must fit into 53 bits. */
static bool fraction_is_double(struct str digits, int64_t places)
{
    uint32_t limbs[LIMBS] = { 0 };
    size_t n = 0;
    if (places > 1074)
        return false;
    for (size_t end = digits.len; end > 0; n++) {
        size_t from = end > LIMB_DIGITS ? end - LIMB_DIGITS : 0;
        for (size_t i = from; i < end; i++)
            limbs[n] = limbs[n] * 10 + (uint32_t)(digits.data[i] - '0');
        end = from;
    }
    for (; places > 0; places -= 12)
        if (!divide_exactly(limbs, &n, places < 12 ? places : 12))
            return false;
    return n <= 1 || (n == 2 && limbs[1] * LIMB + limbs[0] < UINT64_C(1) << 53);
}

static bool is_double(const struct parts *p)
{
    struct buf digits;
    int64_t power;
    buf_init(&digits, EXACT_DIGITS_MAX, NULL);
    bool exact = significant(p, &digits, &power);
    if (exact && digits.len > 0 && power < 0) {
        exact = fraction_is_double(buf_str(&digits), -power);
    } else if (exact && digits.len > 0) {
        exact = power + (int64_t)digits.len <= 309;
        if (exact) {
            append_zeros(&digits, power);
            exact = number_integer_is_double((struct integer){ false, buf_str(&digits) });
        }
    }
    buf_done(&digits);
    return exact;
}

bool number_decode_decimal(struct decoder *d, struct str text)
{
    struct parts p;
    if (!parse(text, &p)) {
        const char *name = nonfinite_name(text);
        if (name != NULL)
            write_nonfinite(d, name, STR("{\"$bigdecimal\":"));
        return name != NULL;
    }
    bool tagged = d->options->types == TYPES_TAGGED;
    bool quoted = tagged || d->options->integers == INTEGERS_STRING ||
                  (d->options->integers == INTEGERS_SAFE && !is_double(&p));
    if (tagged)
        chain_append(d->out, STR("{\"$bigdecimal\":"));
    if (quoted)
        chain_append_byte(d->out, '"');
    if (p.negative)
        chain_append_byte(d->out, '-');
    chain_append(d->out, p.digits.len > 0 ? p.digits : STR("0"));
    if (p.fraction.len > 0) {
        chain_append_byte(d->out, '.');
        chain_append(d->out, p.fraction);
    }
    chain_append(d->out, p.power);
    if (quoted)
        chain_append_byte(d->out, '"');
    if (tagged)
        chain_append_byte(d->out, '}');
    return true;
}
