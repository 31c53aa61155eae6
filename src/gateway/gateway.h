/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share: the memory budget and the phase of the service's life. Nothing else
 * crosses threads on the way of a call. */
#ifndef RPCGATE_GATEWAY_GATEWAY_H
#define RPCGATE_GATEWAY_GATEWAY_H

#include "base/budget.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stdint.h>

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
};

static inline enum gateway_phase gateway_phase(struct gateway *g)
{
    return atomic_load_explicit(&g->phase, memory_order_relaxed);
}

#endif
