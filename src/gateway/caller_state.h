/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share of one caller, by its name: what its `rate` and `max_in_flight` count.
 * It stays to the process's end: a reload forgives nobody. */
#ifndef RPCGATE_GATEWAY_CALLER_STATE_H
#define RPCGATE_GATEWAY_CALLER_STATE_H

#include "base/macros.h"

#include <stdatomic.h>

struct caller_state {
    char *name;
    atomic_llong rate_tat_us; /* when its calls so far would all have come at its `rate` */
    atomic_uint in_flight;
    struct caller_state *next; /* gateway.callers */
};

struct caller_state *caller_state_new(const char *name) MUST_CHECK;
void caller_state_free(struct caller_state *s);

#endif
