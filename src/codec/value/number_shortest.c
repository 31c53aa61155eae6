/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/value/number_shortest.h"

#ifdef __SIZEOF_INT128__

#define POWER_MAX 27 /* 5^27 has 63 bits */
#define MANTISSA_BITS 53
#define SHIFT 70 /* 10^17 has 57 bits: they stay below 127 */

static int bit_length(unsigned __int128 x)
{
    uint64_t high = (uint64_t)(x >> 64);
    return high != 0 ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)x);
}

static const uint64_t powers_of_five[POWER_MAX + 1] = {
    UINT64_C(1),
    UINT64_C(5),
    UINT64_C(25),
    UINT64_C(125),
    UINT64_C(625),
    UINT64_C(3125),
    UINT64_C(15625),
    UINT64_C(78125),
    UINT64_C(390625),
    UINT64_C(1953125),
    UINT64_C(9765625),
    UINT64_C(48828125),
    UINT64_C(244140625),
    UINT64_C(1220703125),
    UINT64_C(6103515625),
    UINT64_C(30517578125),
    UINT64_C(152587890625),
    UINT64_C(762939453125),
    UINT64_C(3814697265625),
    UINT64_C(19073486328125),
    UINT64_C(95367431640625),
    UINT64_C(476837158203125),
    UINT64_C(2384185791015625),
    UINT64_C(11920928955078125),
    UINT64_C(59604644775390625),
    UINT64_C(298023223876953125),
    UINT64_C(1490116119384765625),
    UINT64_C(7450580596923828125),
};

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

/* value / (tens * 2^shift), which has 64 bits; of two that are equally near the even one, as
 * everybody else does. */
static uint64_t divide_nearest(unsigned __int128 value, uint64_t tens, int shift)
{
    unsigned __int128 unit = (unsigned __int128)tens << shift;
    uint64_t n = (uint64_t)(value >> shift) / tens;
    unsigned __int128 rest = value - n * unit;
    unsigned __int128 other = unit - rest;
    return n + (rest > other || (rest == other && (n & 1) != 0));
}

bool number_shortest(uint64_t digits, int scale, uint64_t *ret_digits, int *ret_scale)
{
    int e;
    if (scale < 0 || scale > POWER_MAX)
        return false;
    uint64_t five = powers_of_five[scale];
    uint64_t m = nearest_double(digits, five, scale, &e);
    /* Below a power of two the doubles are twice as near: left to others. */
    if (m == UINT64_C(1) << MANTISSA_BITS || m == UINT64_C(1) << (MANTISSA_BITS - 1))
        return false;
    /* All times 10^scale * 2^shift, the double and half the distance to the next are integers. */
    int shift = e + scale >= 1 ? 0 : 1 - e - scale;
    unsigned __int128 half = (unsigned __int128)five << (e + scale + shift - 1);
    unsigned __int128 value = half * 2 * m;
    uint64_t best = divide_nearest(value, 1, shift);
    int best_scale = scale;
    uint64_t ten = 10;
    for (int fewer = 1; fewer <= 2; fewer++, ten *= 10) {
        unsigned __int128 unit = (unsigned __int128)ten << shift;
        uint64_t n = divide_nearest(value, ten, shift);
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
