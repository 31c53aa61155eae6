/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text taken exactly, without a double between: whole numbers in any form, such as `1e3`
 * or `5.0`, and seconds with a fraction. */
#ifndef RPCGATE_CODEC_VALUE_NUMBER_TEXT_H
#define RPCGATE_CODEC_VALUE_NUMBER_TEXT_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What number_text_whole() writes at most. [digits] */
#define NUMBER_WHOLE_MAX 400

/* Borrowed from the text. */
struct number_text {
    bool negative;
    struct str whole, fraction; /* digits; `whole` is never empty */
    int64_t exponent;
};

/* Reads `[+-] digits [. digits] [e [+-] digits]`. */
bool number_text_read(struct str text, struct number_text *ret) MUST_CHECK;

/* The digits of a whole number, without sign and leading zeros; 0 where it is not whole, or has
 * more than NUMBER_WHOLE_MAX digits. */
size_t number_text_whole(const struct number_text *n, char to[NUMBER_WHOLE_MAX]);

/* -1, 0 or 1 as `a` is less than, equal to or greater than `b`. */
int number_text_compare(const struct number_text *a, const struct number_text *b);

/* The greatest integer that is not above the number; false where it is beyond 10^15. */
bool number_text_floor(const struct number_text *n, int64_t *ret) MUST_CHECK;

#endif
