/* SPDX-License-Identifier: Apache-2.0 */
/* A view of bytes: pointer and length, passed by value, owning nothing. A view dies with the
 * memory that it points into. It may hold NULs and need not be UTF-8. */
#ifndef RPCGATE_BASE_STR_H
#define RPCGATE_BASE_STR_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *data; /* not NUL-terminated; may be NULL where len is 0 */
    size_t len;       /* [bytes] */
};

/* The view of a string literal. */
#define STR(literal) ((struct str){ "" literal "", sizeof(literal) - 1 })

/* For printf's "%.*s". */
#define STR_ARGS(s) (int)(s).len, ((s).data != NULL ? (s).data : "")

static inline struct str str_of(const char *text)
{
    return (struct str){ text, text != NULL ? strlen(text) : 0 };
}

static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    /* NULL + 0 is undefined in C. */
    return (struct str){ from > 0 ? s.data + from : s.data, to - from };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_eq_c(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}

bool str_same_nocase(const char *a, const char *b, size_t len);

/* Equal but for the case of ASCII letters, whatever the locale. */
static inline bool str_eq_nocase(struct str a, struct str b)
{
    /* Most differ in their length or first letter. */
    return a.len == b.len && (a.len == 0 || (((a.data[0] ^ b.data[0]) & ~0x20) == 0 &&
                                             str_same_nocase(a.data, b.data, a.len)));
}

static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

/* Letters of ASCII in either case. */
bool str_starts_with_nocase(struct str s, struct str prefix);

/* Index of the first `byte`, or s.len where there is none. */
static inline size_t str_find(struct str s, char byte)
{
    const char *at = s.len > 0 ? memchr(s.data, byte, s.len) : NULL;
    return at != NULL ? (size_t)(at - s.data) : s.len;
}

static inline bool str_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without spaces and tabs at both ends (RFC 9110 section 5.6.3, OWS). */
static inline struct str str_trim(struct str s)
{
    while (s.len > 0 && str_is_blank(s.data[0]))
        s = str_slice(s, 1, s.len);
    while (s.len > 0 && str_is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* A decimal number of ASCII digits only, at most `max`. */
bool str_to_uint(struct str s, uint64_t max, uint64_t *ret) MUST_CHECK;

/* The number in decimal digits, which stand in `room`. */
#define STR_DECIMAL_MAX 20
struct str str_decimal(uint64_t number, char room[STR_DECIMAL_MAX]);

/* All 16 hexadecimal digits of it, lower-case, without a NUL. */
#define STR_HEX_DIGITS 16
void str_write_hex(uint64_t number, char to[STR_HEX_DIGITS]);

bool glob_match_all(struct str glob, struct str s);

/* Does `glob` match all of `s`? `*` is any run of characters, `?` one character (of UTF-8), all
 * else itself; case counts. Time is at most proportional to glob.len * s.len. */
static inline bool glob_match(struct str glob, struct str s)
{
    return (glob.len == 1 && glob.data[0] == '*') || glob_match_all(glob, s);
}

/* Length of the UTF-8 sequence at `p`, of which `left` bytes may be read; 0 if it is none (RFC 3629
 * section 4: no surrogates, no overlong forms). */
size_t utf8_sequence(const unsigned char *p, size_t left);

/* Length of the valid UTF-8 prefix of `s`. */
size_t utf8_valid_prefix(struct str s);

#endif
