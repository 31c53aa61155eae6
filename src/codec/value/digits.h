/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of decimal digits, eight at a time: a number may have millions, and is read in one step. */
#ifndef RPCGATE_CODEC_VALUE_DIGITS_H
#define RPCGATE_CODEC_VALUE_DIGITS_H

#include <stdint.h>
#include <string.h>

/* The first byte from `at` on that is no digit, or `end`. */
static inline const char *digits_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t x;
        memcpy(&x, at, sizeof x);
        /* 0x30 to 0x39: the high half is 3, and stays so with six more. */
        uint64_t more = x + UINT64_C(0x0606060606060606);
        if ((x & UINT64_C(0xF0F0F0F0F0F0F0F0)) != UINT64_C(0x3030303030303030) ||
            (more & UINT64_C(0xF0F0F0F0F0F0F0F0)) != UINT64_C(0x3030303030303030))
            break;
        at += 8;
    }
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The same for zeros. */
static inline const char *zeros_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t x;
        memcpy(&x, at, sizeof x);
        if (x != UINT64_C(0x3030303030303030))
            break;
        at += 8;
    }
    while (at < end && *at == '0')
        at++;
    return at;
}

#endif
