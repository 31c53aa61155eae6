/* SPDX-License-Identifier: Apache-2.0 */
/* A hash of a member's name, for few names of one object: whoever compares many has to use one with
 * a key (base/sip_hash.h). */
#ifndef RPCGATE_CODEC_NAME_HASH_H
#define RPCGATE_CODEC_NAME_HASH_H

#include "base/str.h"

#include <stdint.h>
#include <string.h>

static inline uint64_t name_hash_load(const char *at, size_t n)
{
    uint64_t value = 0;
    memcpy(&value, at, n);
    return value;
}

static inline uint64_t name_hash_mix(uint64_t hash, uint64_t bytes)
{
    hash = (hash ^ bytes) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

/* All loads are of constant size, and overlap at the end. */
static inline uint64_t name_hash(struct str name)
{
    const char *p = name.data;
    uint64_t hash = name.len * UINT64_C(0x9E3779B97F4A7C15), rest = 0;
    for (size_t at = 0; at + 8 < name.len; at += 8)
        hash = name_hash_mix(hash, name_hash_load(p + at, 8));
    if (name.len >= 8)
        rest = name_hash_load(p + name.len - 8, 8);
    else if (name.len >= 4)
        rest = name_hash_load(p, 4) << 32 | name_hash_load(p + name.len - 4, 4);
    else if (name.len > 0)
        rest = name_hash_load(p, 1) << 16 | name_hash_load(p + name.len / 2, 1) << 8 |
               name_hash_load(p + name.len - 1, 1);
    return name_hash_mix(hash, rest);
}

#endif
