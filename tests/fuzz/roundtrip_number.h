/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPCGATE_TESTS_ROUNDTRIP_NUMBER_H
#define RPCGATE_TESTS_ROUNDTRIP_NUMBER_H

#include "base/buf.h"

#include <stdint.h>

/* 0.DIGITS * 10^exponent, without zeros at either end. */
struct roundtrip_number {
    bool negative;
    bool integer;      /* has neither point nor exponent */
    size_t places;     /* digits behind the point */
    struct buf digits; /* owned */
    int64_t exponent;
};

/* The text has a number's grammar; anything else aborts. */
void roundtrip_number_read(const struct buf *text, struct roundtrip_number *n);

#endif
