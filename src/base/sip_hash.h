/* SPDX-License-Identifier: Apache-2.0 */
/* A keyed hash for tables of names that others choose: without the key nobody can make names that
 * collide, so that these cost no more than others. */
#ifndef RPCGATE_BASE_SIP_HASH_H
#define RPCGATE_BASE_SIP_HASH_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* {0} is none yet. */
struct sip_key {
    bool made;
    uint64_t words[2];
};

/* The thread's own, if it is none yet. */
void sip_key_need(struct sip_key *key);

/* SipHash-1-3 (Aumasson and Bernstein, 2012). */
uint64_t sip_hash(const struct sip_key *key, struct str s);

#endif
