/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoded UTF-8, read one character at a time. RFC 3986 section 2.1, RFC 3629. */
#ifndef RPCGATE_RULES_PERCENT_H
#define RPCGATE_RULES_PERCENT_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct percent_character {
    uint32_t code; /* Unicode code point */
    size_t len;    /* [bytes] */
    char bytes[4]; /* its UTF-8 */
};

/* Takes the first character off `s`, which must not be empty. False: a `%` without two hexadecimal
 * digits, or bytes that are no UTF-8. */
bool percent_next(struct str *s, struct percent_character *ret) MUST_CHECK;

/* The same of UTF-8 that is not encoded: a `%` stands for itself. */
bool percent_next_plain(struct str *s, struct percent_character *ret) MUST_CHECK;

/* C0, DEL or C1. */
bool percent_is_control(const struct percent_character *c);

/* Does it leave a mark: no control character, white space, format character, or noncharacter? */
bool percent_is_visible(const struct percent_character *c);

#endif
