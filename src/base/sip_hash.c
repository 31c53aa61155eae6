/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sip_hash.h"

#include <sys/random.h>

/* One for all tables of a thread: each costs a system call, and nobody can tell what it is. */
static _Thread_local struct sip_key key_of_thread;

void sip_key_need(struct sip_key *key)
{
    if (key->made)
        return;
    struct sip_key *mine = &key_of_thread;
    if (!mine->made) {
        if (getrandom(mine->words, sizeof mine->words, GRND_NONBLOCK) != sizeof mine->words)
            mine->words[0] = (uint64_t)(uintptr_t)key; /* Early at boot: better than no key. */
        mine->made = true;
    }
    *key = *mine;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t sip_hash(const struct sip_key *key, struct str s)
{
    const uint64_t *k = key->words;
    uint64_t v[4] = { k[0] ^ UINT64_C(0x736f6d6570736575), k[1] ^ UINT64_C(0x646f72616e646f6d),
                      k[0] ^ UINT64_C(0x6c7967656e657261), k[1] ^ UINT64_C(0x7465646279746573) };
    uint64_t m;
    size_t at = 0;
    for (; s.len - at >= sizeof m; at += sizeof m) {
        memcpy(&m, s.data + at, sizeof m);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    m = (uint64_t)s.len << 56;
    for (size_t i = 0; at + i < s.len; i++)
        m |= (uint64_t)(unsigned char)s.data[at + i] << (8 * i);
    v[3] ^= m;
    sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
