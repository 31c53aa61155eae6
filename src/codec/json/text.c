/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/text.h"

#include "codec/value/digits.h"

/* Letters have bit 0x40, and 1 to 6 in their low half. */
static uint32_t hex_value(char c)
{
    uint32_t x = (unsigned char)c;
    return (x & 0x0F) + 9 * (x >> 6);
}

static uint32_t read_unit(const char *digits)
{
    return hex_value(digits[0]) << 12 | hex_value(digits[1]) << 8 | hex_value(digits[2]) << 4 |
           hex_value(digits[3]);
}

uint32_t json_read_escape(const char **at)
{
    const char *p = *at;
    *at = p + 2;
    switch (p[1]) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        break;
    default: /* `"`, `\` and `/` stand for themselves. */
        return (unsigned char)p[1];
    }
    uint32_t unit = read_unit(p + 2);
    *at = p + 6;
    if (unit < 0xD800 || unit > 0xDBFF)
        return unit;
    *at = p + 12;
    return 0x10000 + ((unit - 0xD800) << 10) + (read_unit(p + 8) - 0xDC00);
}

/* Bit 0x80 of each byte that is `c`, and of no other. */
static uint64_t bytes_that_are(uint64_t x, char c)
{
    uint64_t others = x ^ EACH_BYTE((unsigned char)c);
    return ~(((others & EACH_BYTE(0x7F)) + EACH_BYTE(0x7F)) | others) & EACH_BYTE(0x80);
}

static bool eight_spaces(const char *at)
{
    uint64_t x = eight_bytes(at);
    return (bytes_that_are(x, ' ') | bytes_that_are(x, '\n') | bytes_that_are(x, '\r') |
            bytes_that_are(x, '\t')) == EACH_BYTE(0x80);
}

const char *json_skip_spaces(const char *at, const char *end)
{
    while (end - at >= 8 && eight_spaces(at))
        at += 8;
    while (at < end && json_is_space(*at))
        at++;
    return at;
}

const char *json_skip_spaces_back(const char *at, const char *end)
{
    while (end - at >= 8 && eight_spaces(end - 8))
        end -= 8;
    while (end > at && json_is_space(end[-1]))
        end--;
    return end;
}

/* Eight bytes at a time, up to where one of them is a quote or backslash, and to that one where the
 * first byte is the lowest. */
static inline const char *skip_run(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t x = eight_bytes(at);
        uint64_t found = eight_zeros(x ^ EACH_BYTE('"')) | eight_zeros(x ^ EACH_BYTE('\\'));
        if (found != 0)
            return at + eight_first(found);
        at += 8;
    }
    return at;
}

const char *json_run_end(const char *at, const char *end)
{
    at = skip_run(at, end);
    while (*at != '"' && *at != '\\')
        at++;
    return at;
}

const char *json_run_within(const char *at, const char *stop)
{
    at = skip_run(at, stop);
    while (at < stop && *at != '"' && *at != '\\')
        at++;
    return at;
}

const char *json_string_end(const char *at, const char *end)
{
    at = json_run_end(at, end);
    while (*at == '\\') {
        do /* Escapes often follow one another. */
            at += at[1] == 'u' ? 6 : 2;
        while (*at == '\\');
        at = json_run_end(at, end);
    }
    return at;
}

const char *json_number_end(const char *at, const char *end)
{
    for (;; at++) {
        at = digits_end(at, end);
        if (at == end || (*at != '-' && *at != '+' && *at != '.' && *at != 'e' && *at != 'E'))
            return at;
    }
}

size_t utf8_write(uint32_t c, char to[4])
{
    unsigned char *b = (unsigned char *)to;
    if (c < 0x80) {
        b[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        b[0] = (unsigned char)(0xC0 | c >> 6);
        b[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        b[0] = (unsigned char)(0xE0 | c >> 12);
        b[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        b[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    b[0] = (unsigned char)(0xF0 | c >> 18);
    b[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    b[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    b[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}
