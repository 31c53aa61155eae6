/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/number_text.h"

#include "codec/value/digits.h"

#define EXPONENT_MAX INT64_C(1000000000000000)
#define FLOOR_MAX INT64_C(1000000000000000)

static struct str take_digits(struct str *rest)
{
    size_t n = (size_t)(digits_end(rest->data, rest->data + rest->len) - rest->data);
    struct str digits = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n, rest->len);
    return digits;
}

/* Takes a sign, too, where there is one; true for a minus. */
static bool take_sign(struct str *rest)
{
    bool negative = rest->len > 0 && rest->data[0] == '-';
    if (negative || (rest->len > 0 && rest->data[0] == '+'))
        *rest = str_slice(*rest, 1, rest->len);
    return negative;
}

bool number_text_read(struct str text, struct number_text *ret)
{
    struct number_text n = { .fraction = STR("") };
    n.negative = take_sign(&text);
    n.whole = take_digits(&text);
    if (n.whole.len == 0)
        return false;
    if (text.len > 0 && text.data[0] == '.') {
        text = str_slice(text, 1, text.len);
        n.fraction = take_digits(&text);
        if (n.fraction.len == 0)
            return false;
    }
    if (text.len > 0 && (text.data[0] | 0x20) == 'e') {
        text = str_slice(text, 1, text.len);
        bool negative = take_sign(&text);
        struct str digits = take_digits(&text);
        if (digits.len == 0)
            return false;
        const char *end = digits.data + digits.len;
        const char *at = zeros_end(digits.data, end);
        for (; at < end && n.exponent < EXPONENT_MAX; at++)
            n.exponent = n.exponent * 10 + (*at - '0');
        if (negative)
            n.exponent = -n.exponent;
    }
    *ret = n;
    return text.len == 0;
}

/* The digit at that place; zeros follow the last. */
static char digit_at(const struct number_text *n, size_t i)
{
    if (i < n->whole.len)
        return n->whole.data[i];
    i -= n->whole.len;
    return i < n->fraction.len ? n->fraction.data[i] : '0';
}

static size_t count_zeros(struct str text)
{
    return (size_t)(zeros_end(text.data, text.data + text.len) - text.data);
}

/* Place of the first digit that is not zero; the number of digits where all are. */
static size_t first_digit(const struct number_text *n)
{
    size_t zeros = count_zeros(n->whole);
    return zeros < n->whole.len ? zeros : zeros + count_zeros(n->fraction);
}

static bool is_zero_from(const struct number_text *n, int64_t place)
{
    size_t digits = n->whole.len + n->fraction.len;
    size_t from = place < 0 ? 0 : (size_t)place < digits ? (size_t)place : digits;
    size_t split = from < n->whole.len ? from : n->whole.len;
    struct str whole = str_slice(n->whole, split, n->whole.len);
    struct str fraction = str_slice(n->fraction, from - split, n->fraction.len);
    return count_zeros(whole) == whole.len && count_zeros(fraction) == fraction.len;
}

size_t number_text_whole(const struct number_text *n, char to[NUMBER_WHOLE_MAX])
{
    int64_t point = (int64_t)n->whole.len + n->exponent;
    size_t first = first_digit(n);
    if (!is_zero_from(n, point))
        return 0;
    if (first == n->whole.len + n->fraction.len) {
        to[0] = '0';
        return 1;
    }
    int64_t len = point - (int64_t)first;
    if (len > NUMBER_WHOLE_MAX)
        return 0;
    for (int64_t i = 0; i < len; i++)
        to[i] = digit_at(n, first + (size_t)i);
    return (size_t)len;
}

bool number_text_floor(const struct number_text *n, int64_t *ret)
{
    int64_t point = (int64_t)n->whole.len + n->exponent;
    int64_t first = (int64_t)first_digit(n);
    int64_t value = 0;
    if (first == (int64_t)(n->whole.len + n->fraction.len)) {
        *ret = 0;
        return true;
    }
    for (int64_t i = first; i < point; i++) {
        value = value * 10 + (digit_at(n, (size_t)i) - '0');
        if (value > FLOOR_MAX)
            return false;
    }
    if (n->negative)
        value = is_zero_from(n, point) ? -value : -value - 1;
    *ret = value;
    return true;
}

/* Zeros before the first other digit; as many as there are digits: it is zero. */
static size_t leading_zeros(const struct number_text *n)
{
    size_t i = 0;
    while (i < n->whole.len + n->fraction.len && digit_at(n, i) == '0')
        i++;
    return i;
}

static bool is_zero(const struct number_text *n)
{
    return leading_zeros(n) == n->whole.len + n->fraction.len;
}

/* Of two that are not zero, without their signs. */
static int compare_sizes(const struct number_text *a, const struct number_text *b)
{
    size_t i = leading_zeros(a), k = leading_zeros(b);
    int64_t a_power = (int64_t)a->whole.len - (int64_t)i + a->exponent;
    int64_t b_power = (int64_t)b->whole.len - (int64_t)k + b->exponent;
    if (a_power != b_power)
        return a_power < b_power ? -1 : 1;
    for (; i < a->whole.len + a->fraction.len || k < b->whole.len + b->fraction.len; i++, k++)
        if (digit_at(a, i) != digit_at(b, k))
            return digit_at(a, i) < digit_at(b, k) ? -1 : 1;
    return 0;
}

int number_text_compare(const struct number_text *a, const struct number_text *b)
{
    bool a_zero = is_zero(a), b_zero = is_zero(b);
    if (a_zero && b_zero)
        return 0;
    int sign = (a_zero ? b->negative : !a->negative) ? 1 : -1;
    if (a_zero || b_zero || a->negative != b->negative)
        return sign;
    return sign * compare_sizes(a, b);
}
