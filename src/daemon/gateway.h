/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share whatever the configuration is: the memory budget, the phase of the
 * service's life, and what is known by name. Nothing else crosses threads on the way of a call but
 * the atomics in upstream_state and caller_state. */
#ifndef RPCGATE_DAEMON_GATEWAY_H
#define RPCGATE_DAEMON_GATEWAY_H

#include "base/budget.h"
#include "front/caller_state.h"
#include "front/refusals.h"
#include "work/memory.h"
#include "work/metrics.h"

#include <stdatomic.h>
#include <stddef.h>

struct worker;

enum gateway_phase {
    GATEWAY_STARTING,
    GATEWAY_READY,
    GATEWAY_LAME_DUCK, /* /readyz says 503, all else as before */
    GATEWAY_DRAINING,  /* no new connections; replies close theirs */
    GATEWAY_STOPPING   /* what still runs gets `draining` */
};

struct gateway {
    struct budget memory;                   /* limits.memory */
    _Atomic(struct memory_wait *) favoured; /* the reply that goes on when it is short; or NULL */
    struct memory_share anonymous, own;     /* of callers without a name, and of our own calls */
    atomic_uint n_stalled;                  /* replies that wait for memory with a permit */
    struct refusals refusals;               /* wrong credentials, */
    struct refusals strangers;              /* and all requests of callers that are not known, */
    struct refusals handshakes;             /* and TLS handshakes that failed */
    _Atomic enum gateway_phase phase; /* only the main thread changes it, and wakes the workers */
    int main_fd;             /* eventfd: a worker has done what the main thread may wait for */
    struct worker **workers; /* by their number; each stands there before its thread begins */
    size_t n_workers;

    /* Reloads since the start, for the metrics. */
    atomic_uint reloads_good, reloads_bad;
    atomic_bool last_reload_bad;

    /* Each is made by the main thread when a configuration first has its name, and stays. Workers
     * know only those that their views and generation point to. */
    struct upstream_record *records;
    struct upstream_record *no_upstream;
    struct caller_state *callers;
};

void gateway_init(struct gateway *g, size_t n_workers);

/* No worker may run. */
void gateway_done(struct gateway *g);

/* Those of that name; the main thread only. */
struct upstream_record *gateway_upstream(struct gateway *g, const char *name);
struct caller_state *gateway_caller(struct gateway *g, const char *name);

static inline enum gateway_phase gateway_phase(struct gateway *g)
{
    return atomic_load_explicit(&g->phase, memory_order_relaxed);
}

#endif
