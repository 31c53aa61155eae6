/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen bytes looked at in one go, by vectors that the compiler maps to what the machine has. A
 * comparison gives 255 for each byte where it holds, and 0 where not. */
#ifndef RPCGATE_BASE_SIXTEEN_H
#define RPCGATE_BASE_SIXTEEN_H

#include <stdint.h>
#include <string.h>

typedef unsigned char bytes16 __attribute__((vector_size(16)));
typedef signed char signed16 __attribute__((vector_size(16)));

static inline bytes16 sixteen_bytes(const char *at)
{
    bytes16 b;
    memcpy(&b, at, sizeof b);
    return b;
}

/* The place of the first byte that is not 0, all of which are 0 or 255; 16 where there is none. */
static inline unsigned sixteen_first(bytes16 set)
{
    uint64_t half[2];
    memcpy(half, &set, sizeof half);
    unsigned before = half[0] != 0 ? 0 : 8;
    uint64_t found = half[0] != 0 ? half[0] : half[1];
    if (found == 0)
        return 16;
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        return before + (unsigned)__builtin_ctzll(found) / 8;
    return before + (unsigned)__builtin_clzll(found) / 8;
}

#endif
