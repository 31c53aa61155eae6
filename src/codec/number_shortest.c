/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/number_shortest.h"

#ifdef __SIZEOF_INT128__

#define POWER_MAX 27 /* 5^27 has 63 bits */
#define MANTISSA_BITS 53
#define SHIFT 70 /* 10^17 has 57 bits: they stay below 127 */

static int bit_length(unsigned __int128 x)
{
    uint64_t high = (uint64_t)(x >> 64);
    return high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)x);
}

static uint64_t power_of_five(int n)
{
    uint64_t power = 1;
    while (n-- > 0)
        power *= 5;
    return power;
}

/* The nearest double of digits / 5^scale / 2^scale, as m * 2^e. */
static uint64_t nearest_double(uint64_t digits, uint64_t five, int scale, int *ret_e)
{
    unsigned __int128 scaled = (unsigned __int128)digits << SHIFT;
    unsigned __int128 quotient = scaled / five;
    bool more = quotient * five != scaled;
    int drop = bit_length(quotient) - MANTISSA_BITS;
    uint64_t m = (uint64_t)(quotient >> drop);
    unsigned __int128 rest = quotient - ((unsigned __int128)m << drop);
    unsigned __int128 half = (unsigned __int128)1 << (drop - 1);
    *ret_e = drop - SHIFT - scale;
    if (rest > half || (rest == half && (more || (m & 1) != 0)))
        m++;
    return m;
}

/* value / unit; of two that are equally near the even one, as everybody else does. */
static uint64_t divide_nearest(unsigned __int128 value, unsigned __int128 unit)
{
    unsigned __int128 n = value / unit;
    unsigned __int128 rest = value - n * unit;
    unsigned __int128 other = unit - rest;
    return (uint64_t)n + (rest > other || (rest == other && (n & 1) != 0));
}

bool number_shortest(uint64_t digits, int scale, uint64_t *ret_digits, int *ret_scale)
{
    int e;
    if (scale < 0 || scale > POWER_MAX)
        return false;
    uint64_t five = power_of_five(scale);
    uint64_t m = nearest_double(digits, five, scale, &e);
    /* Below a power of two the doubles are twice as near: left to others. */
    if (m == UINT64_C(1) << MANTISSA_BITS || m == UINT64_C(1) << (MANTISSA_BITS - 1))
        return false;
    /* All times 10^scale * 2^shift, the double and half the distance to the next are integers. */
    int shift = e + scale >= 1 ? 0 : 1 - e - scale;
    unsigned __int128 half = (unsigned __int128)five << (e + scale + shift - 1);
    unsigned __int128 value = half * 2 * m;
    uint64_t best = divide_nearest(value, (unsigned __int128)1 << shift);
    int best_scale = scale;
    uint64_t ten = 10;
    for (int fewer = 1; fewer <= 2; fewer++, ten *= 10) {
        unsigned __int128 unit = (unsigned __int128)ten << shift;
        uint64_t n = divide_nearest(value, unit);
        unsigned __int128 back = n * unit;
        unsigned __int128 distance = back > value ? back - value : value - back;
        if (distance > half || (distance == half && (m & 1) != 0))
            break;
        best = n;
        best_scale = scale - fewer;
    }
    *ret_digits = best;
    *ret_scale = best_scale;
    return true;
}

#else

bool number_shortest(uint64_t digits, int scale, uint64_t *ret_digits, int *ret_scale)
{
    (void)digits;
    (void)scale;
    (void)ret_digits;
    (void)ret_scale;
    return false;
}

#endif
