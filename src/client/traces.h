/* SPDX-License-Identifier: Apache-2.0 */
/* Spans on their way to a collector (`traces`). Workers put them into a bounded queue, which costs
 * them a moment's lock and never a wait; a thread of its own sends them, many at once, by OTLP over
 * HTTP in JSON. What finds no room, or is not taken for too long, is dropped and counted. */
#ifndef RPCGATE_CLIENT_TRACES_H
#define RPCGATE_CLIENT_TRACES_H

#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct post;
struct span_text;
struct traces_config;

struct traces {
    atomic_ullong sent, dropped;                /* spans */
    atomic_ullong exports_good, exports_failed; /* requests to the collector */

    pthread_mutex_t lock; /* never held while anything is waited for but the sender's `wake` */
    pthread_cond_t wake;
    struct span_text *first, **last; /* those that wait; owned */
    size_t n;                        /* of them */
    size_t bytes;                    /* that these hold, and those that are being sent */
    struct config *config;           /* the newest; referenced; NULL: there is none yet */
    unsigned n_configs;              /* how many there have been */
    bool stopping;
    int64_t stop_by_ms; /* while stopping: when it must be over */

    bool has_thread; /* the main thread's own */
    pthread_t thread;
    struct post *post;   /* the sender's, but for post_hurry(), which takes the lock */
    bool is_failing;     /* the sender's own: the collector has not taken the last ones, */
    unsigned n_followed; /* and n_configs when it had no connections */
};

void traces_init(struct traces *t);

/* The sender has ended. */
void traces_done(struct traces *t);

/* Puts a span, a JSON object of OTLP, into the queue. Any thread. */
void traces_put(struct traces *t, const struct traces_config *config, struct str span);

/* Spans are sent by these settings from now on; the first that want it sent begin the sender.
 * False: errno says why that did not begin. Main thread. */
bool traces_follow(struct traces *t, struct config *config);

/* Sends what is left, within two seconds, and ends the sender. No worker runs. */
void traces_stop(struct traces *t);

/* client/trace_sender.c */
void *trace_sender_run(void *traces);

/* ---- Between the two ------------------------------------------------------------------------ */

struct span_text {
    struct span_text *next;
    size_t len;
    char data[];
};

/* What one costs. [bytes] */
static inline size_t span_text_bytes(const struct span_text *s)
{
    return sizeof *s + s->len;
}

#endif
