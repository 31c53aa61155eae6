/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP's tokens: names of headers, methods and parameters. RFC 9110 section 5.6.2. */
#ifndef RPCGATE_RULES_TOKEN_H
#define RPCGATE_RULES_TOKEN_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool token_is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Is `c` a letter, a digit or one of `marks`? */
static inline bool token_is_one_of(char c, const char *marks)
{
    return token_is_alphanumeric(c) || (c != '\0' && strchr(marks, c) != NULL);
}

static inline bool token_is_part(char c)
{
    static const uint64_t parts[4] = {
        UINT64_C(0x03FF6CFA00000000), /* !#$%&'*+-. and digits */
        UINT64_C(0x57FFFFFFC7FFFFFE), /* letters and ^_`|~ */
    };
    return (parts[(unsigned char)c >> 6] >> ((unsigned char)c & 63) & 1) != 0;
}

/* How many bytes of a token `s` begins with. */
static inline size_t token_prefix(struct str s)
{
    size_t len = 0;
    while (len < s.len && token_is_part(s.data[len]))
        len++;
    return len;
}

static inline bool token_is_valid(struct str s)
{
    return s.len > 0 && token_prefix(s) == s.len;
}

#endif
