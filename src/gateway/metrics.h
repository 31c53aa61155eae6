/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker counts. Only the worker writes its numbers, so that counting costs no lock; who
 * shows them reads those of all workers and adds them up. */
#ifndef RPCGATE_GATEWAY_METRICS_H
#define RPCGATE_GATEWAY_METRICS_H

#include "base/error.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct request;

/* Outcome 0 is `ok`, outcome 1 + type a problem. */
#define METRICS_OUTCOMES (PROBLEM_TYPES + 1)

/* Upper bounds of the histograms' buckets, in microseconds; one more bucket has the rest. */
#define METRICS_BOUNDS(X)                                                                          \
    X(500)                                                                                         \
    X(1000) X(2500) X(5000) X(10000) X(25000) X(50000) X(100000) X(250000) X(500000) X(1000000)    \
        X(2500000) X(5000000) X(10000000) X(30000000)
#define METRICS_BUCKETS 16

/* An upstream's method names that are labels: those of the first METHOD_NAMES_MAX that succeeded.
 * Any thread, without a lock: a name that is there stays where it is. */
#define METHOD_NAMES_MAX 200
#define METHOD_NAMES_SLOTS 512
#define METHOD_OTHER METHOD_NAMES_SLOTS

struct method_names {
    _Atomic(char *) names[METHOD_NAMES_SLOTS]; /* owned */
    atomic_size_t n;
};

/* The place of a name, METHOD_OTHER where it has none. With `add` it gets one, if there is room. */
size_t method_names_find(struct method_names *names, struct str name, bool add);
void method_names_done(struct method_names *names);

struct histogram {
    atomic_ullong buckets[METRICS_BUCKETS];
    atomic_ullong sum_us;
};

/* Of one upstream, or of what belongs to none. */
struct upstream_metrics {
    _Atomic(atomic_ullong *) outcomes[METHOD_NAMES_SLOTS + 1]; /* by method, then outcome */
    struct histogram request, upstream, queue;
    atomic_ullong retries;
};

/* One worker's. */
struct metrics {
    struct upstream_metrics *upstreams; /* by number; one more for requests without upstream */
    size_t n_upstreams;
    atomic_size_t *connections; /* by listener */
    size_t n_listeners;
};

struct metrics *metrics_new(size_t n_upstreams, size_t n_listeners) MUST_CHECK;
void metrics_free(struct metrics *m);

/* Counts a request that has ended. */
void metrics_count_request(struct metrics *m, const struct request *r);

/* Counts the time and the attempts of a call that has ended. */
void metrics_count_call(struct metrics *m, const struct call *c);

/* Says how many connections a listener has in this worker. */
static inline void metrics_set_connections(struct metrics *m, size_t listener, size_t n)
{
    atomic_store_explicit(&m->connections[listener], n, memory_order_relaxed);
}

#endif
