/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes looked at in one go. */
#ifndef RPCGATE_BASE_EIGHT_H
#define RPCGATE_BASE_EIGHT_H

#include <stdint.h>
#include <string.h>

static inline uint64_t eight_bytes(const char *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
    return x;
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (uint64_t)(b))

/* The high bit of each byte of `x` that is zero; none where there is no such byte, but behind the
 * first one there may be bits too many. */
static inline uint64_t eight_zeros(uint64_t x)
{
    return (x - EACH_BYTE(0x01)) & ~x & EACH_BYTE(0x80);
}

/* The place of the first byte that has its high bit in `found`, which is not 0; where the lowest
 * byte is not the first, 0: it is there or behind. */
static inline size_t eight_first(uint64_t found)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (size_t)__builtin_ctzll(found) / 8 : 0;
}

#endif
