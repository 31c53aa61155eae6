/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share of one caller, by its name: what its `rate` and `max_in_flight` count,
 * and what it holds of limits.memory.
 * It stays to the process's end: a reload forgives nobody. */
#ifndef RPCGATE_FRONT_CALLER_STATE_H
#define RPCGATE_FRONT_CALLER_STATE_H

#include "base/macros.h"
#include "codec/error.h"
#include "settings/snapshot.h"
#include "work/commons.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct caller_state {
    char *name;
    atomic_llong rate_until_ns; /* rules/rate.h */
    atomic_uint in_flight;
    struct memory_share memory;
    struct caller_state *next; /* gateway.callers */
};

struct caller_state *caller_state_new(const char *name, struct commons *commons) MUST_CHECK;
void caller_state_free(struct caller_state *s);

/* One more request is in flight, until caller_state_leave(). err: RATE_LIMITED, and it is not. */
bool caller_state_enter(struct caller_state *s, const struct caller_config *config,
                        struct error *err) MUST_CHECK;
void caller_state_leave(struct caller_state *s);

/* Takes `n` calls off its rate, all or none. err: RATE_LIMITED. */
bool caller_state_take(struct caller_state *s, const struct caller_config *config, size_t n,
                       struct error *err) MUST_CHECK;

#endif
