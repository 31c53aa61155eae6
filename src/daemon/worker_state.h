/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a worker, for the files that a request's way goes through. */
#ifndef RPCGATE_DAEMON_WORKER_STATE_H
#define RPCGATE_DAEMON_WORKER_STATE_H

#include "base/list.h"
#include "daemon/worker.h"
#include "io/http_server.h"
#include "io/loop.h"
#include "io/upstream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct batch_reader;
struct call;
struct decoder;
struct encoder;
struct generation;
struct request;
struct view;

/* A few of each are kept for the next call: their memory is warm. */
#define WORKER_SPARE 64

struct spare {
    void *items[WORKER_SPARE];
    size_t n;
};

#define WORKER_REQUEST_STATES 3
#define WORKER_CALL_STATES 7

struct worker {
    size_t index;
    struct gateway *gateway;
    struct loop *loop;
    struct upstreams *client;

    _Atomic(struct generation *) mailbox; /* the newest that it was not told of yet; NULL: none */
    struct generation *generation;        /* the newest */
    atomic_uint followed;                 /* number of the newest that all is done for */
    int64_t follow_again_ms;              /* CLOCK_NEVER: all is done for the newest */
    struct view *view;                    /* the newest: what requests begin with */
    struct list views;                    /* of struct view; former ones, too */
    int64_t views_due_ms;      /* when former ones are to be looked at; CLOCK_NEVER: none */
    struct list pools;         /* of struct pool, of all views */
    struct list doors;         /* of struct door */
    int64_t probes_due_ms;     /* when the next is; CLOCK_NEVER: there is none */
    atomic_uint n_turns;       /* of the loop; for the watchdog */
    atomic_bool permits_given; /* other workers have: pools_run() looks for them */

    struct list requests_in[WORKER_REQUEST_STATES]; /* of struct request, by enum request_state */
    struct list calls_in[WORKER_CALL_STATES];       /* of struct call, by enum call_state */
    struct list awaiting;                           /* of struct multicall_wait */
    struct list looks;    /* of struct look: those that wait for what an upstream tells of itself */
    int64_t looks_due_ms; /* when the wait of one of them ends; CLOCK_NEVER: no need */
    atomic_bool told;     /* there is news for them */
    struct list turns;    /* of struct turn: work that waits for its next step */
    int64_t wait_due_ms;  /* when a QUEUED or BACKOFF call's wait ends, at the earliest */
    struct list starved;  /* of struct memory_wait: those that wait for memory, first come first */
    atomic_size_t running; /* requests; only this worker changes it */

    struct spare encoders, decoders, readers, calls, requests;
    atomic_bool shed;       /* the spare ones are to be freed */
    uint64_t next_id;       /* for X-Request-Id */
    bool quiet;             /* has stopped accepting */
    int64_t flush_until_ms; /* the end of the end: replies still on their way are waited for */
    pthread_t thread;
};

struct encoder *worker_take_encoder(struct worker *w);
void worker_give_encoder(struct worker *w, struct encoder *e);
struct decoder *worker_take_decoder(struct worker *w);
void worker_give_decoder(struct worker *w, struct decoder *d);

struct batch_reader *worker_take_reader(struct worker *w);
void worker_give_reader(struct worker *w, struct batch_reader *reader);

/* One that its owner fills, and one that does not run any more. */
struct call *worker_take_call(struct worker *w);
void worker_give_call(struct worker *w, struct call *c);

/* A zeroed request, and its end. */
struct request *worker_take_request(struct worker *w);
void worker_give_request(struct worker *w, struct request *r);

void worker_free_spare(struct worker *w);

#endif
