/* SPDX-License-Identifier: Apache-2.0 */
/* What decode_plain.c knows about XML between tags; all else it leaves to libxml2. */
#include "base/sixteen.h"
#include "codec/json/text.h"
#include "codec/xml/decode_private.h"

static size_t sum_bytes(uint64_t x)
{
    uint64_t pairs = (x & UINT64_C(0x00FF00FF00FF00FF)) + (x >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    return pairs * UINT64_C(0x0001000100010001) >> 48;
}

/* Line ends, or bytes that begin a character. A lane of the vector counts to 255. */
static inline size_t count(const char *at, const char *end, bool lines)
{
    size_t n = 0;
    while (end - at >= 16) {
        size_t left = (size_t)(end - at) / 16;
        bytes16 sum = { 0 };
        uint64_t half[2];
        for (left = left < 255 ? left : 255; left > 0; left--, at += 16) {
            bytes16 b = sixteen_bytes(at);
            sum -= lines ? (bytes16)(b == '\n') : (bytes16)((signed16)b >= -64);
        }
        memcpy(half, &sum, sizeof half);
        n += sum_bytes(half[0]) + sum_bytes(half[1]);
    }
    for (; at < end; at++)
        n += lines ? *at == '\n' : ((unsigned char)*at & 0xC0) != 0x80;
    return n;
}

size_t plain_count_lines(const char *at, const char *end)
{
    return count(at, end, true);
}

size_t plain_count_characters(const char *at, const char *end)
{
    return count(at, end, false);
}

static inline bool is_plain(char byte)
{
    unsigned char c = (unsigned char)byte;
    return c >= 0x20 ? c < 0x80 && c != '<' && c != '&' && c != ']' : c == '\n' || c == '\t';
}

static inline bool all_plain_in_16(const char *at)
{
    bytes16 b = sixteen_bytes(at);
    uint64_t halves[2];
    bytes16 special = ((bytes16)(b < 0x20) & (bytes16)(b != '\n') & (bytes16)(b != '\t')) |
                      (bytes16)(b == '<') | (bytes16)(b == '&') | (bytes16)(b == ']') |
                      (bytes16)(b >= 0x80);
    memcpy(halves, &special, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* Behind the characters beyond ASCII that begin at `at`, as far as XML can carry them. */
static const char *skip_beyond_ascii(const char *at, const char *end)
{
    const char *behind = at;
    while (behind < end && (unsigned char)*behind >= 0x80)
        behind++;
    behind = at + utf8_valid_prefix((struct str){ at, (size_t)(behind - at) });
    while ((at = memchr(at, 0xEF, (size_t)(behind - at))) != NULL) {
        if (at[1] == '\xBF' && (unsigned char)at[2] >= 0xBE) /* U+FFFE, U+FFFF */
            return at;
        at += 3;
    }
    return behind;
}

const char *plain_text_end(const char *at, const char *end)
{
    for (;;) {
        const char *near = end - at > 16 ? at + 16 : end;
        while (at < near && is_plain(*at))
            at++;
        if (at == near)
            while (end - at >= 16 && all_plain_in_16(at))
                at += 16;
        if (at == end)
            return at;
        if ((unsigned char)*at >= 0x80) {
            const char *behind = skip_beyond_ascii(at, end);
            if (behind == at)
                return at;
            at = behind;
        } else if (!is_plain(*at)) {
            return at;
        }
    }
}

uint32_t plain_referenced(struct str text)
{
    static const struct {
        struct str name;
        char character;
    } known[] = { { { "lt", 2 }, '<' },
                  { { "gt", 2 }, '>' },
                  { { "amp", 3 }, '&' },
                  { { "quot", 4 }, '"' },
                  { { "apos", 4 }, '\'' } };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eq(text, known[i].name))
            return (uint32_t)known[i].character;
    bool hex = text.len > 1 && text.data[1] == 'x';
    size_t at = hex ? 2 : 1;
    uint64_t c = 0;
    if (text.len <= at || text.data[0] != '#')
        return 0;
    for (; at < text.len; at++) {
        char digit = text.data[at], letter = (char)(digit | 0x20);
        if (digit >= '0' && digit <= '9')
            c = c * (hex ? 16 : 10) + (uint64_t)(digit - '0');
        else if (hex && letter >= 'a' && letter <= 'f')
            c = c * 16 + (uint64_t)(letter - 'a' + 10);
        else
            return 0;
    }
    return c <= 0x10FFFF && xml_is_char((uint32_t)c) ? (uint32_t)c : 0;
}

/* Takes ` name="value"` with that name; false where there is something else. */
static bool take_attribute(struct str *text, const char *name, struct str *value)
{
    struct str rest = *text;
    size_t len = strlen(name);
    if (rest.len < len + 4 || rest.data[0] != ' ' || memcmp(rest.data + 1, name, len) != 0 ||
        rest.data[len + 1] != '=')
        return false;
    char quote = rest.data[len + 2];
    rest = str_slice(rest, len + 3, rest.len);
    size_t end = str_find(rest, quote);
    if ((quote != '"' && quote != '\'') || end == rest.len)
        return false;
    *value = str_slice(rest, 0, end);
    *text = str_slice(rest, end + 1, rest.len);
    return true;
}

static bool is_encoding(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!letter && (i == 0 || !other))
            return false;
    }
    return name.len > 0;
}

const char *plain_skip_prolog(struct str text)
{
    struct str open = STR("<?xml"), value;
    const char *end = text.data + text.len;
    if (str_starts_with(text, open)) {
        text = str_slice(text, open.len, text.len);
        if (!take_attribute(&text, "version", &value) || !str_eq(value, STR("1.0")))
            return NULL;
        if (take_attribute(&text, "encoding", &value) && !is_encoding(value))
            return NULL;
        text = xml_trim(text);
        if (!str_starts_with(text, STR("?>")))
            return NULL;
        text = str_slice(text, 2, text.len);
    }
    return json_skip_space(text.data, end);
}
