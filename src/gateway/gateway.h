/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share: the memory budget, the phase of the service's life, and how each upstream
 * does. Nothing else crosses threads on the way of a call. */
#ifndef RPCGATE_GATEWAY_GATEWAY_H
#define RPCGATE_GATEWAY_GATEWAY_H

#include "base/budget.h"
#include "base/clock.h"
#include "config/config.h"
#include "gateway/upstream_state.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

enum gateway_phase {
    GATEWAY_STARTING,
    GATEWAY_READY,
    GATEWAY_LAME_DUCK, /* /readyz says 503, all else as before */
    GATEWAY_DRAINING,  /* no new connections; replies close theirs */
    GATEWAY_STOPPING   /* what still runs gets `draining` */
};

struct gateway {
    struct budget memory;           /* limits.memory */
    _Atomic enum gateway_phase phase; /* only the main thread changes it, and wakes the workers */
    int idle_fd; /* eventfd: a worker that has nothing running any more tells the main thread */
    struct upstream_state **upstreams; /* by upstream_config.index; owned */
    size_t n_upstreams;
    struct metrics **metrics; /* by the workers' number; owned */
    size_t n_workers;
    const char *const *listener_names; /* borrowed while the workers run */
    size_t n_listeners;
    struct worker **workers; /* by their number; each stands there before its thread begins */
};

/* `config` is borrowed. */
void gateway_init(struct gateway *g, const struct config *config, size_t n_workers);
void gateway_done(struct gateway *g);

static inline enum gateway_phase gateway_phase(struct gateway *g)
{
    return atomic_load_explicit(&g->phase, memory_order_relaxed);
}

#endif
