/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool same_bytes(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static bool same_eight(const char *a, const char *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x == y || same_bytes(a, b, sizeof x);
}

/* Most that are the same are so in their case, too. */
bool str_same_nocase(const char *a, const char *b, size_t len)
{
    if (len < 8)
        return same_bytes(a, b, len);
    for (size_t i = 0; i + 8 < len; i += 8)
        if (!same_eight(a + i, b + i))
            return false;
    return same_eight(a + len - 8, b + len - 8);
}

bool str_starts_with_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq_nocase(str_slice(s, 0, prefix.len), prefix);
}

bool str_to_uint(struct str s, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.data[i] - (unsigned)'0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *ret = value;
    return true;
}

struct str str_decimal(uint64_t number, char room[STR_DECIMAL_MAX])
{
    size_t at = STR_DECIMAL_MAX;
    do
        room[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return (struct str){ room + at, STR_DECIMAL_MAX - at };
}

void str_write_hex(uint64_t number, char to[STR_HEX_DIGITS])
{
    for (size_t i = STR_HEX_DIGITS; i-- > 0; number >>= 4)
        to[i] = "0123456789abcdef"[number & 15];
}

static size_t next_character(struct str s, size_t at)
{
    at++;
    while (at < s.len && ((unsigned char)s.data[at] & 0xC0) == 0x80)
        at++;
    return at;
}

bool glob_match_all(struct str glob, struct str s)
{
    size_t g = 0, i = 0;
    size_t star = SIZE_MAX, resume = 0; /* the last `*`, and where it may go on swallowing */
    while (i < s.len) {
        if (g < glob.len && glob.data[g] == '*') {
            star = g++;
            resume = i;
        } else if (g < glob.len && glob.data[g] == '?') {
            g++;
            i = next_character(s, i);
        } else if (g < glob.len && glob.data[g] == s.data[i]) {
            g++;
            i++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            resume = next_character(s, resume);
            i = resume;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.data[g] == '*')
        g++;
    return g == glob.len;
}

size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char lo = 0x80, hi = 0xBF;
    size_t len;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        len = 2;
    else if (p[0] >= 0xE0 && p[0] <= 0xEF)
        len = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (p[0] == 0xE0)
        lo = 0xA0;
    else if (p[0] == 0xED)
        hi = 0x9F;
    else if (p[0] == 0xF0)
        lo = 0x90;
    else if (p[0] == 0xF4)
        hi = 0x8F;
    if (left < len || p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

size_t utf8_valid_prefix(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t at = 0;
    while (at < s.len) {
        uint64_t eight;
        if (s.len - at >= sizeof eight) {
            memcpy(&eight, p + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t len = utf8_sequence(p + at, s.len - at);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}
