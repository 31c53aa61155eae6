/* SPDX-License-Identifier: Apache-2.0 */
#include "roundtrip_number.h"

#include "roundtrip_values.h"

static int64_t read_exponent(const char *at)
{
    bool negative = *at == '-';
    int64_t value = 0;
    if (*at == '-' || *at == '+')
        at++;
    for (; *at != '\0' && value < INT64_C(1000000000000); at++)
        value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

void roundtrip_number_read(const struct buf *text, struct roundtrip_number *n)
{
    const char *at = buf_c(text);
    *n = (struct roundtrip_number){ .negative = *at == '-', .integer = true };
    buf_init(&n->digits, text->len + 1, NULL);
    if (*at == '-' || *at == '+')
        at++;
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && n->integer); at++) {
        if (*at == '.') {
            n->integer = false;
            continue;
        }
        n->places += !n->integer;
        n->exponent += n->integer && (n->digits.len > 0 || *at != '0');
        n->exponent -= !n->integer && n->digits.len == 0 && *at == '0';
        if (n->digits.len > 0 || *at != '0')
            buf_append_byte(&n->digits, *at);
    }
    while (n->digits.len > 0 && n->digits.data[n->digits.len - 1] == '0')
        n->digits.len--;
    if (*at == 'e' || *at == 'E') {
        n->integer = false;
        n->exponent += read_exponent(at + 1);
        at += strspn(at, "eE+-0123456789");
    }
    roundtrip_check(*at == '\0');
    if (n->digits.len == 0)
        n->exponent = 0;
}
