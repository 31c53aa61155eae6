/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of JSON strings (RFC 8259 section 7) that are known to be valid, and UTF-8. */
#ifndef RPCGATE_CODEC_JSON_TEXT_H
#define RPCGATE_CODEC_JSON_TEXT_H

#include "base/eight.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the escape whose backslash is at *at and moves behind it; a pair of surrogates is one
 * escape. Returns the character. */
uint32_t json_read_escape(const char **at);

/* The first byte from `at` on that is the string's closing quote or a backslash. */
const char *json_run_end(const char *at, const char *end);

/* The same, but no further than to `stop`, which may be behind `at` already. */
const char *json_run_within(const char *at, const char *stop);

/* The closing quote of the string whose text begins at `at`, which is behind the opening quote. */
const char *json_string_end(const char *at, const char *end);

static inline bool json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The first byte from `at` on that is no white space, or `end`. */
const char *json_skip_spaces(const char *at, const char *end);

/* The same, where there is none mostly. */
static inline const char *json_skip_space(const char *at, const char *end)
{
    if (LIKELY(at >= end || !json_is_space(*at)))
        return at;
    return json_skip_spaces(at + 1, end);
}

/* Behind the last byte before `end` that is no white space, or `at`. */
const char *json_skip_spaces_back(const char *at, const char *end);

/* A whole text without the byte order mark that some programs write before it (RFC 8259 section
 * 8.1 lets a reader pass it over). */
static inline struct str json_without_mark(struct str text)
{
    bool marked = str_starts_with(text, STR("\xEF\xBB\xBF"));
    return marked ? str_slice(text, 3, text.len) : text;
}

/* Behind the number that begins at `at`. */
const char *json_number_end(const char *at, const char *end);

/* A code point as UTF-8; returns how many bytes. */
size_t utf8_write(uint32_t c, char to[4]);

/* U+FFFE or U+FFFF, which XML cannot carry; three bytes of UTF-8 begin there. */
static inline bool utf8_is_noncharacter(const char *at)
{
    return at[0] == '\xEF' && at[1] == '\xBF' && (unsigned char)at[2] >= 0xBE;
}

/* Can XML 1.0 carry that character (its production 2, Char)? */
static inline bool xml_is_char(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c != 0xFFFE && c != 0xFFFF && (c < 0xD800 || c > 0xDFFF) && c <= 0x10FFFF;
}

#endif
