/* SPDX-License-Identifier: Apache-2.0 */
/* How often something may happen: a bucket that holds `burst` and fills with `rate` a second, kept
 * as one point in time (the generic cell rate algorithm, ITU-T I.371), so that many threads can
 * share it without a lock. Zero is a full bucket. */
#ifndef RPCGATE_RULES_RATE_H
#define RPCGATE_RULES_RATE_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rate_limit {
    int64_t rate;  /* a second: 1 to 1000000 */
    int64_t burst; /* at once: 1 to 1000000 */
};

/* Takes `n` at once, all or none, at the time `now_ns`. `until_ns` is when all that was taken will
 * have come back. False: *ret_wait_ns is how long it takes until it can be had; 0: for ever, for it
 * is more than `burst`. */
bool rate_take(atomic_llong *until_ns, const struct rate_limit *limit, int64_t n, int64_t now_ns,
               int64_t *ret_wait_ns) MUST_CHECK;

/* That wait in whole seconds, for Retry-After. */
unsigned rate_wait_s(int64_t wait_ns);

#endif
