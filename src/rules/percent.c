/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/percent.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool next_byte(struct str *s, char *ret)
{
    if (s->len == 0)
        return false;
    if (s->data[0] != '%') {
        *ret = s->data[0];
        *s = str_slice(*s, 1, s->len);
        return true;
    }
    int high = s->len >= 3 ? hex_digit(s->data[1]) : -1;
    int low = s->len >= 3 ? hex_digit(s->data[2]) : -1;
    if (high < 0 || low < 0)
        return false;
    *ret = (char)(unsigned char)(high << 4 | low);
    *s = str_slice(*s, 3, s->len);
    return true;
}

/* What the first byte says; utf8_valid_prefix() judges whether that is so. */
static size_t sequence_length(unsigned char first)
{
    if (first < 0xC0)
        return 1;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

static bool next_plain_byte(struct str *s, char *ret)
{
    if (s->len == 0)
        return false;
    *ret = s->data[0];
    *s = str_slice(*s, 1, s->len);
    return true;
}

static bool next(struct str *s, bool (*byte)(struct str *, char *), struct percent_character *ret)
{
    static const unsigned char first_bits[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    if (!byte(s, &ret->bytes[0]))
        return false;
    ret->len = sequence_length((unsigned char)ret->bytes[0]);
    for (size_t i = 1; i < ret->len; i++)
        if (!byte(s, &ret->bytes[i]))
            return false;
    if (utf8_valid_prefix((struct str){ ret->bytes, ret->len }) != ret->len)
        return false;
    ret->code = (unsigned char)ret->bytes[0] & first_bits[ret->len];
    for (size_t i = 1; i < ret->len; i++)
        ret->code = ret->code << 6 | ((unsigned char)ret->bytes[i] & 0x3FU);
    return true;
}

bool percent_next(struct str *s, struct percent_character *ret)
{
    return next(s, next_byte, ret);
}

bool percent_next_plain(struct str *s, struct percent_character *ret)
{
    return next(s, next_plain_byte, ret);
}

bool percent_is_control(const struct percent_character *c)
{
    return c->code < 0x20 || (c->code >= 0x7F && c->code <= 0x9F);
}

bool percent_is_visible(const struct percent_character *c)
{
    /* White space, and what is laid out without a mark of its own (zero widths, directions). */
    static const struct {
        uint32_t first, last;
    } invisible[] = {
        { 0x0000, 0x0020 },   { 0x007F, 0x00A0 }, { 0x00AD, 0x00AD }, { 0x061C, 0x061C },
        { 0x1680, 0x1680 },   { 0x180E, 0x180E }, { 0x2000, 0x200F }, { 0x2028, 0x202F },
        { 0x205F, 0x206F },   { 0x3000, 0x3000 }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB },
        { 0xE0000, 0xE007F },
    };
    for (size_t i = 0; i < ARRAY_LEN(invisible); i++)
        if (c->code >= invisible[i].first && c->code <= invisible[i].last)
            return false;
    return (c->code & 0xFFFE) != 0xFFFE;
}
