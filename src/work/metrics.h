/* SPDX-License-Identifier: Apache-2.0 */
/* What workers count. Only the worker itself writes its numbers, so that counting costs no lock;
 * who shows them reads those of all workers and adds them up. */
#ifndef RPCGATE_WORK_METRICS_H
#define RPCGATE_WORK_METRICS_H

#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "settings/snapshot.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Outcome 0 is `ok`, outcome 1 + type a problem. */
#define METRICS_OUTCOMES (PROBLEM_TYPES + 1)

/* Upper bounds of the histograms' buckets, in microseconds; one more bucket has the rest. */
#define METRICS_BOUNDS(X)                                                                          \
    X(500)                                                                                         \
    X(1000)                                                                                        \
    X(2500)                                                                                        \
    X(5000)                                                                                        \
    X(10000)                                                                                       \
    X(25000)                                                                                       \
    X(50000) X(100000) X(250000) X(500000) X(1000000) X(2500000) X(5000000) X(10000000) X(30000000)
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

struct histogram {
    atomic_ullong buckets[METRICS_BUCKETS];
    atomic_ullong sum_us;
};

#define METRICS_FACES 4

/* Of one upstream, or of what belongs to none; one worker's. */
struct upstream_metrics {
    _Atomic(atomic_ullong *) outcomes[METHOD_NAMES_SLOTS + 1]; /* by method, then outcome */
    struct histogram request, upstream, queue;
    atomic_ullong faces[METRICS_FACES]; /* requests, by the place of their bit in enum face */
    atomic_ullong retries;
};

/* Of one worker, for each state that calls may be in (client/call.h). */
#define METRICS_STATES 12
struct state_metrics {
    atomic_uint n;
    atomic_llong oldest_ms; /* when the call began that is in it for the longest time; 0: none is */
};

/* An upstream by its name: its numbers live on when a reload changes it, and from its leaving the
 * configuration to its coming back. */
/* What came of a login (client/session_store.h). */
enum login_result { LOGIN_OK, LOGIN_REFUSED, LOGIN_FAILED, LOGIN_RESULTS };

struct upstream_record {
    char *name;                         /* "": of requests that belong to no upstream */
    struct method_names methods;        /* which of its methods have numbers of their own */
    struct upstream_metrics *by_worker; /* each writes its own only */
    atomic_ullong logins[LOGIN_RESULTS], sessions_expired; /* rare: of all workers */
    size_t n_workers;
    struct upstream_record *next; /* of the process, by name */
};

struct upstream_record *upstream_record_new(const char *name, size_t n_workers) MUST_CHECK;
void upstream_record_free(struct upstream_record *record);

/* Counts `us` in the bucket of the least bound that is not below it (Prometheus' `le`). */
void histogram_observe(struct histogram *h, int64_t us);

/* Counts in that worker a call, or a request that made none: outcome 0 is `ok`, 1 + type a problem.
 * `method` without bytes: of none. */
void metrics_count_outcome(struct upstream_record *record, size_t worker, struct str method,
                           size_t outcome);

/* Counts a request that has ended and came by that face, and its time. */
void metrics_count_request(struct upstream_record *record, size_t worker, enum face face,
                           int64_t us);

/* Counts the time and the attempts of a call that has ended. */
struct call_times {
    unsigned attempts;
    int64_t upstream_us, queue_us;
};
void metrics_count_call(struct upstream_record *record, size_t worker,
                        const struct call_times *times);

#endif
