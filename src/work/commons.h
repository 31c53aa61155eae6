/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share whatever the configuration is: the memory budget, the phase of the
 * service's life, and each other. */
#ifndef RPCGATE_WORK_COMMONS_H
#define RPCGATE_WORK_COMMONS_H

#include "base/budget.h"
#include "work/memory.h"
#include "work/metrics.h"

#include <stdatomic.h>
#include <stddef.h>

struct work;

enum phase {
    PHASE_STARTING,
    PHASE_READY,
    PHASE_LAME_DUCK, /* /readyz says 503, all else as before */
    PHASE_DRAINING,  /* no new connections; replies close theirs */
    PHASE_STOPPING   /* what still runs gets `draining` */
};

struct commons {
    struct budget memory;                     /* limits.memory */
    _Atomic(struct memory_wait *) privileged; /* the reply that goes on when it is short; or NULL */
    struct memory_share own;                  /* of calls that no caller has asked for */
    struct memory_press press;
    atomic_uint n_stalled;    /* replies that wait for memory with a slot */
    _Atomic enum phase phase; /* only the main thread changes it, and wakes the workers */
    int main_fd;              /* eventfd: a worker has done what the main thread may wait for */
    struct work **works;      /* by worker; each stands there before its thread begins; owned */
    struct state_metrics (*calls)[METRICS_STATES]; /* by worker; owned */
    size_t n_workers;
};

void commons_init(struct commons *c, size_t n_workers);

/* No worker may run. */
void commons_done(struct commons *c);

/* limits.memory is so many bytes now. */
void commons_set_memory(struct commons *c, size_t bytes);

static inline enum phase phase_of(const struct commons *c)
{
    return atomic_load_explicit(&c->phase, memory_order_relaxed);
}

#endif
