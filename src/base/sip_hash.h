/* SPDX-License-Identifier: Apache-2.0 */
/* A keyed hash for tables of names that others choose: without the key nobody can make names that
 * collide, so that these cost no more than others. */
#ifndef RPCGATE_BASE_SIP_HASH_H
#define RPCGATE_BASE_SIP_HASH_H

#include "base/str.h"

#include <stdint.h>

struct sip_key {
    uint64_t words[2];
};

struct sip_key sip_key_new(void);

/* SipHash-1-3 (Aumasson and Bernstein, 2012). */
uint64_t sip_hash(const struct sip_key *key, struct str s);

#endif
