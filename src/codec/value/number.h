/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal text and numbers, without regard to the locale. Integers stay text, so that every digit
 * survives. A floating-point number is the nearest double (IEEE 754 binary64), kept as the fewest
 * decimal digits that read back as the same double. */
#ifndef RPCGATE_CODEC_VALUE_NUMBER_H
#define RPCGATE_CODEC_VALUE_NUMBER_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Room for number_write_plain() and number_write_json(). [bytes] */
#define NUMBER_PLAIN_MAX 352
#define NUMBER_JSON_MAX 32

/* d.ddd times ten to the power of `exponent`. Zero is the one digit 0 with exponent 0. */
struct decimal {
    bool negative; /* also of -0.0 */
    int n_digits;  /* 1 to 17; no trailing zeros */
    int exponent;  /* -324 to 308 */
    char digits[18];
};

enum number_result {
    NUMBER_OK,
    NUMBER_OVERFLOW, /* larger than every double */
    NUMBER_INVALID   /* no number of the grammar */
};

/* Reads `[+-] digits [. digits] [e [+-] digits]`, with at least one digit on either side of the
 * point: `5.` and `.5` are numbers here, NaN and infinities are not. What is smaller than every
 * double becomes zero. Time is linear, memory constant. */
enum number_result number_parse_double(struct str text, struct decimal *ret) MUST_CHECK;

/* Without an exponent, at least one digit on both sides of the point: `-0.0`, `20.0`, `0.001`.
 * Returns the length; no NUL is written. */
size_t number_write_plain(const struct decimal *d, char to[NUMBER_PLAIN_MAX]);

/* A JSON number that is seen not to be an integer: `20.0`, `1e+300`, `5e-324`, `-0.0`, as Python's
 * repr() writes it. Returns the length; no NUL is written. */
size_t number_write_json(const struct decimal *d, char to[NUMBER_JSON_MAX]);

/* An integer of any size in its canonical text. */
struct integer {
    bool negative;     /* never of 0 */
    struct str digits; /* without leading zeros, "0" for zero; borrowed from the text */
};

/* Reads `[+-] digits`; false where it is anything else. */
bool number_parse_integer(struct str text, struct integer *ret) MUST_CHECK;

enum integer_range {
    INTEGER_32,  /* -2^31 to 2^31 - 1 */
    INTEGER_64,  /* -2^63 to 2^63 - 1 */
    INTEGER_SAFE /* -(2^53 - 1) to 2^53 - 1: no other integer reads as the same double */
};

bool number_integer_fits(struct integer n, enum integer_range range);

/* Is there a double of exactly this value? */
bool number_integer_is_double(struct integer n);

#endif
