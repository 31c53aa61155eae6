/* SPDX-License-Identifier: Apache-2.0 */
/* How long an upstream keeps connections that nobody uses, as far as it shows. Many servers end
 * them without saying so: a request that meets such an end is lost, and nobody knows whether it
 * ran. So an age at which a connection was found ended is not trusted any more, nor one that comes
 * near it, until one is seen alive at a greater age. Any thread may use it. */
#ifndef RPCGATE_IO_UPSTREAM_KEEPING_H
#define RPCGATE_IO_UPSTREAM_KEEPING_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All ages are trusted. */
#define KEEPING_ALL INT64_MAX

/* Zeroed with `max_us` set it trusts all of them. */
struct upstream_keeping {
    int64_t max_us;     /* older ones are closed by us */
    atomic_llong doubt; /* the age that is not trusted, + 1 [us]; 0: there is none */
    atomic_llong limit; /* where there is doubt: the greatest age that is trusted [us] */
};

/* The greatest age at which a connection may carry a request; 0: none may. */
int64_t keeping_limit_us(const struct upstream_keeping *k);

/* The upstream has ended a connection that had rested for so long. True: that is news. */
bool keeping_ended(struct upstream_keeping *k, int64_t age_us);

/* A connection that had rested for so long was alive. True: doubts are over. */
bool keeping_seen(struct upstream_keeping *k, int64_t age_us);

#endif
