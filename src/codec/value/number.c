/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/number.h"

#include "codec/value/digits.h"
#include "codec/value/number_shortest.h"

#include <assert.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Decimals of so many digits all read as different doubles (DBL_DIG), hence none of them has a
 * shorter form; that holds where doubles are normal, which EXPONENT_SURE keeps clear of. */
#define DIGITS_SURE 15
#define EXPONENT_SURE 300

/* No double, and no middle between two, has more significant digits than 768. What follows can
 * only matter by not being zero. */
#define DIGITS_MAX 770

/* Saturation of exponents: above the length of any text that fits into memory. */
#define EXPONENT_MAX INT64_C(1000000000000000)

/* The parts of a number's text. */
struct parts {
    bool negative;
    bool more;        /* a digit other than zero followed those in `digits` */
    int n_digits;     /* without leading and trailing zeros; 0: the number is zero */
    int64_t exponent; /* of the first digit */
    char digits[DIGITS_MAX + 1];
};

/* Reads the exponent's digits; false where there is none or something else. */
static bool scan_exponent(struct str text, int64_t *ret)
{
    bool negative = false;
    int64_t value = 0;
    if (text.len > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
        negative = text.data[0] == '-';
        text = str_slice(text, 1, text.len);
    }
    const char *end = text.data + text.len;
    if (text.len == 0 || digits_end(text.data, end) != end)
        return false;
    for (const char *at = zeros_end(text.data, end); at < end && value < EXPONENT_MAX; at++)
        value = value * 10 + (*at - '0');
    *ret = negative ? -value : value;
    return true;
}

static size_t count_digits(struct str text)
{
    if (text.len == 0) /* and perhaps nowhere */
        return 0;
    return (size_t)(digits_end(text.data, text.data + text.len) - text.data);
}

static size_t count_zeros(struct str text)
{
    if (text.len == 0) /* and perhaps nowhere */
        return 0;
    return (size_t)(zeros_end(text.data, text.data + text.len) - text.data);
}

static void add_digits(struct parts *p, struct str digits)
{
    size_t room = (size_t)(DIGITS_MAX - p->n_digits);
    size_t n = digits.len < room ? digits.len : room;
    if (digits.len == 0)
        return;
    memcpy(p->digits + p->n_digits, digits.data, n);
    p->n_digits += (int)n;
    struct str rest = str_slice(digits, n, digits.len);
    p->more = p->more || count_zeros(rest) < rest.len;
}

/* Reads digits and the point; returns how many bytes, 0 where there is no digit. */
static size_t scan_digits(struct str text, struct parts *p)
{
    struct str whole = str_slice(text, 0, count_digits(text));
    struct str fraction = STR("");
    size_t point = whole.len < text.len && text.data[whole.len] == '.';
    if (point != 0) {
        struct str rest = str_slice(text, whole.len + 1, text.len);
        fraction = str_slice(rest, 0, count_digits(rest));
    }
    size_t any = whole.len + fraction.len;
    whole = str_slice(whole, count_zeros(whole), whole.len);
    p->exponent = (int64_t)whole.len - 1;
    if (whole.len == 0) {
        size_t zeros = count_zeros(fraction);
        p->exponent = -(int64_t)zeros - 1;
        fraction = str_slice(fraction, zeros, fraction.len);
    }
    add_digits(p, whole);
    add_digits(p, fraction);
    return any > 0 ? any + point : 0;
}

static bool scan_parts(struct str text, struct parts *p)
{
    int64_t exponent = 0;
    p->negative = false;
    p->more = false;
    p->n_digits = 0;
    if (text.len > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
        p->negative = text.data[0] == '-';
        text = str_slice(text, 1, text.len);
    }
    size_t at = scan_digits(text, p);
    if (at == 0)
        return false;
    if (at < text.len) {
        if (text.data[at] != 'e' && text.data[at] != 'E')
            return false;
        if (!scan_exponent(str_slice(text, at + 1, text.len), &exponent))
            return false;
    }
    p->exponent += exponent;
    while (p->n_digits > 0 && p->digits[p->n_digits - 1] == '0' && !p->more)
        p->n_digits--;
    return true;
}

static void set_digits(struct decimal *ret, const char *digits, int n, int exponent)
{
    while (n > 1 && digits[n - 1] == '0')
        n--;
    ret->n_digits = n;
    ret->exponent = exponent;
    memmove(ret->digits, digits, (size_t)n);
    ret->digits[n] = '\0';
}

/* The nearest double of `n` digits, d.ddd * 10^exponent. The text has no point and strtod_l() a
 * locale of its own: the process's locale has no say. */
static double to_double(const char *digits, int n, int64_t exponent, bool more)
{
    char text[DIGITS_MAX + 32];
    int scale = (int)(exponent - (n - 1));
    assert(n <= DIGITS_MAX);
    memcpy(text, digits, (size_t)n);
    if (more) {
        text[n++] = '1';
        scale--;
    }
    snprintf(text + n, sizeof text - (size_t)n, "e%d", scale);
    /* glibc keeps one immutable object for "C": no allocation, and nothing to share. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return value;
}

/* The decimal of `precision` digits that is nearest to `value`. */
static void round_to(double value, int precision, struct decimal *ret)
{
    char text[40];
    char digits[24];
    snprintf(text, sizeof text, "%.*e", precision - 1, value);
    digits[0] = text[0];
    /* Between them is the locale's decimal point, of whatever length. */
    char *e = strchr(text, 'e');
    assert(e != NULL && e - text > precision - 1);
    memcpy(digits + 1, e - (precision - 1), (size_t)(precision - 1));
    set_digits(ret, digits, precision, atoi(e + 1));
}

/* The next decimal of so many digits, away from zero. */
static void step_up(struct decimal *d, int precision)
{
    while (d->n_digits < precision)
        d->digits[d->n_digits++] = '0';
    int i = precision - 1;
    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->exponent++;
    }
    set_digits(d, d->digits, precision, d->exponent);
}

static bool reads_back(const struct decimal *d, double value)
{
    double back = to_double(d->digits, d->n_digits, d->exponent, false);
    return memcmp(&back, &value, sizeof back) == 0;
}

/* The nearest decimal of so many digits that reads back as `value`, if there is one. */
static bool shorten(double value, int precision, struct decimal *ret)
{
    int exponent;
    round_to(value, precision, ret);
    if (reads_back(ret, value))
        return true;
    /* At powers of two the doubles above are twice as far away as those below: where the nearest
     * decimal is below and too far, the next above may do. */
    if (fabs(frexp(value, &exponent)) > 0.5)
        return false;
    step_up(ret, precision);
    return reads_back(ret, value);
}

static enum number_result parse_slowly(const struct parts *p, struct decimal *ret)
{
    double value = to_double(p->digits, p->n_digits, p->exponent, p->more);
    if (isinf(value))
        return NUMBER_OVERFLOW;
    if (fpclassify(value) == FP_ZERO) {
        set_digits(ret, "0", 1, 0);
        return NUMBER_OK;
    }
    /* Whoever has a form of some digits has one of more, too, so that halving finds the fewest.
     * Only below the normal range fewer than 15 may do, and 17 always do. */
    int too_few = fpclassify(value) == FP_NORMAL ? DIGITS_SURE - 1 : 0, enough = 17;
    while (enough - too_few > 1) {
        int precision = too_few + (enough - too_few) / 2;
        if (shorten(value, precision, ret))
            enough = precision;
        else
            too_few = precision;
    }
    shorten(value, enough, ret);
    return NUMBER_OK;
}

/* 16 or 17 digits, as programs write doubles. */
static bool parse_quickly(const struct parts *p, struct decimal *ret)
{
    uint64_t read = 0, value;
    int scale, read_scale = p->n_digits - 1 - (int)p->exponent;
    char digits[24];
    int n = sizeof digits;
    if (p->n_digits > 17)
        return false;
    for (int i = 0; i < p->n_digits; i++)
        read = read * 10 + (uint64_t)(p->digits[i] - '0');
    if (!number_shortest(read, read_scale, &value, &scale))
        return false;
    if (value == read && scale == read_scale) {
        set_digits(ret, p->digits, p->n_digits, (int)p->exponent);
        return true;
    }
    for (; value > 0; value /= 10)
        digits[--n] = (char)('0' + value % 10);
    int len = (int)sizeof digits - n;
    set_digits(ret, digits + n, len, len - 1 - scale);
    return true;
}

enum number_result number_parse_double(struct str text, struct decimal *ret)
{
    struct parts p;
    if (!scan_parts(text, &p))
        return NUMBER_INVALID;
    ret->negative = p.negative;
    if (p.n_digits == 0 || p.exponent < -400) {
        set_digits(ret, "0", 1, 0);
        return NUMBER_OK;
    }
    if (p.exponent > 308)
        return NUMBER_OVERFLOW;
    if (p.n_digits <= DIGITS_SURE && p.exponent <= EXPONENT_SURE && p.exponent >= -EXPONENT_SURE) {
        set_digits(ret, p.digits, p.n_digits, (int)p.exponent);
        return NUMBER_OK;
    }
    return parse_quickly(&p, ret) ? NUMBER_OK : parse_slowly(&p, ret);
}

static char *put(char *to, const char *from, int n)
{
    memcpy(to, from, (size_t)n);
    return to + n;
}

static char *put_zeros(char *to, int n)
{
    memset(to, '0', (size_t)n);
    return to + n;
}

size_t number_write_plain(const struct decimal *d, char to[NUMBER_PLAIN_MAX])
{
    char *at = to;
    int whole = d->exponent + 1; /* digits before the point */
    if (d->negative)
        *at++ = '-';
    if (whole <= 0) {
        at = put(at, "0.", 2);
        at = put_zeros(at, -whole);
        at = put(at, d->digits, d->n_digits);
    } else if (d->n_digits <= whole) {
        at = put(at, d->digits, d->n_digits);
        at = put_zeros(at, whole - d->n_digits);
        at = put(at, ".0", 2);
    } else {
        at = put(at, d->digits, whole);
        *at++ = '.';
        at = put(at, d->digits + whole, d->n_digits - whole);
    }
    return (size_t)(at - to);
}

size_t number_write_json(const struct decimal *d, char to[NUMBER_JSON_MAX])
{
    char *at = to;
    if (d->exponent >= -4 && d->exponent < 16) {
        char plain[NUMBER_PLAIN_MAX];
        size_t len = number_write_plain(d, plain);
        assert(len <= NUMBER_JSON_MAX);
        memcpy(to, plain, len);
        return len;
    }
    if (d->negative)
        *at++ = '-';
    *at++ = d->digits[0];
    if (d->n_digits > 1) {
        *at++ = '.';
        at = put(at, d->digits + 1, d->n_digits - 1);
    }
    char exponent[16];
    int len = snprintf(exponent, sizeof exponent, "e%+03d", d->exponent);
    at = put(at, exponent, len);
    return (size_t)(at - to);
}

bool number_parse_integer(struct str text, struct integer *ret)
{
    size_t at = 0;
    bool negative = text.len > 0 && text.data[0] == '-';
    if (text.len > 0 && (text.data[0] == '+' || text.data[0] == '-'))
        at = 1;
    if (at == text.len)
        return false;
    ret->digits = str_slice(text, at, text.len);
    if (count_digits(ret->digits) != ret->digits.len)
        return false;
    size_t zeros = count_zeros(str_slice(ret->digits, 0, ret->digits.len - 1));
    ret->digits = str_slice(ret->digits, zeros, ret->digits.len);
    ret->negative = negative && ret->digits.data[0] != '0';
    return true;
}

bool number_integer_fits(struct integer n, enum integer_range range)
{
    static const struct {
        struct str greatest, least; /* digits */
    } bounds[] = {
        [INTEGER_32] = { { "2147483647", 10 }, { "2147483648", 10 } },
        [INTEGER_64] = { { "9223372036854775807", 19 }, { "9223372036854775808", 19 } },
        [INTEGER_SAFE] = { { "9007199254740991", 16 }, { "9007199254740991", 16 } },
    };
    struct str bound = n.negative ? bounds[range].least : bounds[range].greatest;
    if (n.digits.len != bound.len)
        return n.digits.len < bound.len;
    return memcmp(n.digits.data, bound.data, bound.len) <= 0;
}

bool number_integer_is_double(struct integer n)
{
    struct decimal d;
    char text[DIGITS_MAX];
    if (n.digits.len <= 19) { /* of 64 bits: a double has 53 of them and zeros behind */
        uint64_t bits = 0;
        for (size_t i = 0; i < n.digits.len; i++)
            bits = bits * 10 + (uint64_t)(n.digits.data[i] - '0');
        return bits == 0 || bits >> __builtin_ctzll(bits) < UINT64_C(1) << 53;
    }
    if (n.digits.len > 309 || number_parse_double(n.digits, &d) != NUMBER_OK)
        return false;
    double value = to_double(d.digits, d.n_digits, d.exponent, false);
    /* The exact value: a whole double has at most 309 digits. */
    int len = snprintf(text, sizeof text, "%.0f", value);
    return str_eq(n.digits, (struct str){ text, (size_t)len });
}
