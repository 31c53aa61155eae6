/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/route_rules.h"

#include "codec/json/cursor.h"
#include "codec/value/number.h"

#include <string.h>

/* No character of a JSON string is written in more. [bytes] */
#define LONGEST_CHARACTER 12

static int order(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_digits(struct str a, struct str b)
{
    if (a.len != b.len)
        return order(a.len, b.len);
    return memcmp(a.data, b.data, a.len);
}

static int compare_integers(struct str a, struct str b)
{
    struct integer x, y;
    if (!number_parse_integer(a, &x) || !number_parse_integer(b, &y))
        return 0; /* which was looked at before */
    if (x.negative != y.negative)
        return x.negative ? -1 : 1;
    return x.negative ? compare_digits(y.digits, x.digits) : compare_digits(x.digits, y.digits);
}

static int compare_decimals(const struct decimal *a, const struct decimal *b)
{
    bool a_is_zero = a->digits[0] == '0', b_is_zero = b->digits[0] == '0';
    int a_sign = a_is_zero ? 0 : a->negative ? -1 : 1;
    int b_sign = b_is_zero ? 0 : b->negative ? -1 : 1;
    if (a_sign != b_sign || a_sign == 0)
        return a_sign - b_sign;
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -a_sign : a_sign;
    size_t n = (size_t)(a->n_digits < b->n_digits ? a->n_digits : b->n_digits);
    int digits = memcmp(a->digits, b->digits, n);
    return a_sign * (digits != 0 ? digits : a->n_digits - b->n_digits);
}

static int compare_numbers(const struct route_input *input, struct str a, struct str b)
{
    struct decimal x, y;
    if (input->type != ROUTE_TYPE_DOUBLE)
        return compare_integers(a, b);
    if (number_parse_double(a, &x) != NUMBER_OK || number_parse_double(b, &y) != NUMBER_OK)
        return 0;
    return compare_decimals(&x, &y);
}

static bool is_number(const struct route_input *input)
{
    return input->type == ROUTE_TYPE_INT || input->type == ROUTE_TYPE_I8 ||
           input->type == ROUTE_TYPE_DOUBLE;
}

static bool check_bounds(const struct route_input *input, struct str number, struct buf *why)
{
    const struct route_param_config *p = input->config;
    if (p->min != NULL && compare_numbers(input, number, str_of(p->min)) < 0)
        buf_printf(why, "must be at least %s, not %.*s", p->min, STR_ARGS(number));
    else if (p->max != NULL && compare_numbers(input, number, str_of(p->max)) > 0)
        buf_printf(why, "must be at most %s, not %.*s", p->max, STR_ARGS(number));
    else
        return true;
    return false;
}

static size_t count_characters(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    return n;
}

static void list(const struct texts *texts, bool quoted, struct buf *to)
{
    for (size_t i = 0; i < texts->n; i++)
        buf_printf(to, "%s%s%s%s",
                   i == 0              ? ""
                   : i + 1 == texts->n ? " or "
                                       : ", ",
                   quoted ? "\"" : "", texts->items[i], quoted ? "\"" : "");
}

static bool is_choice(const struct route_input *input, struct str value, const char *choice)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, SIZE_MAX - 1, NULL);
    if (is_number(input))
        return compare_numbers(input, value, str_of(choice)) == 0;
    if (input->type != ROUTE_TYPE_STRING)
        return str_eq_c(value, choice);
    return str_eq(route_unquoted(str_of(choice), &text), value);
}

static bool check_choices(const struct route_input *input, struct str value, struct buf *why)
{
    const struct texts *choices = &input->config->choices;
    for (size_t i = 0; i < choices->n; i++)
        if (is_choice(input, value, choices->items[i]))
            return true;
    if (choices->n == 0)
        return true;
    buf_append_c(why, "must be ");
    list(choices, false, why);
    return false;
}

static bool refuse_match(const struct route_input *input, struct buf *why)
{
    buf_append_c(why, "must match ");
    list(&input->config->match, true, why);
    return false;
}

static bool check_string(const struct route_input *input, struct str text, struct buf *why)
{
    const struct route_param_config *p = input->config;
    if (p->max_length > 0 && text.len > (size_t)p->max_length &&
        count_characters(text) > (size_t)p->max_length) {
        buf_printf(why, "must have at most %lld characters, not %zu", (long long)p->max_length,
                   count_characters(text));
        return false;
    }
    for (size_t i = 0; i < p->match.n && text.len <= ROUTE_MATCHED_MAX; i++)
        if (glob_match(str_of(p->match.items[i]), text))
            return true;
    return p->match.n == 0 || refuse_match(input, why);
}

/* As in a text of so many bytes: escapes count as the characters that they are. */
static size_t count_in_quoted(struct str inside)
{
    const char *at = inside.data, *end = at + inside.len;
    size_t n = 0;
    while (at < end) {
        bool is_escape = *at == '\\';
        n += is_escape || ((unsigned char)*at & 0xC0) != 0x80;
        if (is_escape && at[1] == 'u' && (at[2] | 0x20) == 'd' && strchr("cdefCDEF", at[3]) != NULL)
            n--; /* the second of a pair */
        at += !is_escape ? 1 : at[1] == 'u' ? 6 : 2;
    }
    return n;
}

struct str route_unquoted(struct str quoted, struct buf *to)
{
    struct str inside = str_slice(quoted, 1, quoted.len - 1);
    if (str_find(inside, '\\') == inside.len)
        return inside;
    json_unquote(quoted, to);
    return buf_str(to);
}

bool route_rules_hold(const struct route_input *input, struct str value, struct buf *why)
{
    if (!check_choices(input, value, why))
        return false;
    if (is_number(input))
        return check_bounds(input, value, why);
    return input->type != ROUTE_TYPE_STRING || check_string(input, value, why);
}

bool route_rules_hold_long(const struct route_input *input, struct str quoted, struct buf *why)
{
    const struct route_param_config *p = input->config;
    struct str inside = str_slice(quoted, 1, quoted.len - 1);
    size_t max = (size_t)p->max_length;
    if (p->choices.n > 0)
        return check_choices(input, quoted, why);
    if (max > 0 && (inside.len / LONGEST_CHARACTER > max || count_in_quoted(inside) > max))
        buf_printf(why, "must have at most %zu characters", max);
    else if (p->match.n > 0)
        refuse_match(input, why);
    return why->len == 0;
}
