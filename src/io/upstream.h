/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client for the calls of one worker: libcurl behind a wall, its multi handles on the
 * worker's loop. It knows HTTP, not XML-RPC: a document goes out, bytes come back.
 *
 * No request is ever sent twice: where a kept connection turns out to be dead, the call fails with
 * UPSTREAM_LOST, and the rules decide. Connections are never shared between two upstreams. */
#ifndef RPCGATE_IO_UPSTREAM_H
#define RPCGATE_IO_UPSTREAM_H

#include "base/chain.h"
#include "base/list.h"
#include "base/macros.h"
#include "base/str.h"
#include "io/loop.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upstreams; /* a worker's client */
struct upstream;  /* one upstream's connections and handles in it */
struct upstream_call;
struct upstream_shared;  /* io/upstream_shared.h */
struct upstream_details; /* io/upstream_details.h */

enum upstream_status {
    UPSTREAM_OK,             /* a complete HTTP response */
    UPSTREAM_CONNECT_FAILED, /* name not found, refused, no route, connect timeout */
    UPSTREAM_TLS_FAILED,
    UPSTREAM_LOST,         /* ended before a complete response; bad chunks or length */
    UPSTREAM_BAD_RESPONSE, /* no HTTP, or compression that cannot be undone */
    UPSTREAM_TIMEOUT,
    UPSTREAM_STOPPED, /* on_data said stop */
    UPSTREAM_FAILED   /* no memory, or an error that has no better name */
};

#define UPSTREAM_REASON_MAX 256
#define UPSTREAM_TEXT_MAX 256
#define UPSTREAM_CODING_MAX 32

/* How it ended. Borrowed in on_done(). */
struct upstream_outcome {
    enum upstream_status status;
    bool reached; /* at least one byte of the request may have gone out */
    bool reused;  /* on a kept connection */
    bool unsaid;  /* LOST: a kept one had been ended, or was about to be, without a word */
    /* One was refused, the upstream's or ours: it will be the next time, too. */
    bool certificate;
    const char *setting; /* CONNECT_FAILED: the limit that ended it, static; NULL: none did */
    int http_status;     /* 0: no response head */
    /* LOST or TIMEOUT, and all that is missing is the body's end: what has come of it may be a
     * whole document. Not with chunks, which tell that more is to come. */
    bool cut;
    char reason_phrase[UPSTREAM_TEXT_MAX];
    char content_type[UPSTREAM_TEXT_MAX];     /* "": none */
    char strange_coding[UPSTREAM_CODING_MAX]; /* a Content-Encoding that was passed by; "": none */
    char detail[UPSTREAM_REASON_MAX];         /* why it failed, for people; no credentials */
    const struct upstream_header {
        const char *name, *value;
    } * headers; /* those that a problem may show: Allow, Content-Length, Content-Type, Date,
                    Location, Retry-After, Server, WWW-Authenticate */
    size_t n_headers;
    int64_t duration_us; /* from submit to done */
};

/* One exchange with an upstream. Owned by the caller; it must stay where it is until on_done(). */
struct upstream_call {
    const struct chain *body; /* the document; borrowed until on_done() */
    /* Where the compressed document is kept, for the next call with the same body: empty at first.
     * It stays where it is until on_done(). NULL: it is not kept. */
    struct chain *packed;
    const char *content_type; /* static */
    bool get;                 /* a GET; `body` is empty then */
    /* Nothing is sent: on_trace() sees the head that would be, and the call is to be cancelled
     * then. Its upstream must not have https. */
    bool rehearsal;
    size_t target;                      /* which of the upstream's URLs */
    bool connect_only;                  /* nothing is sent; a new connection is made and closed */
    int64_t deadline_ms;                /* monotonic; CLOCK_NEVER: none */
    struct str traceparent, tracestate; /* sent on where there are any; borrowed */
    /* The response's head is complete: `http_status` and its Content-Type. */
    void (*on_head)(struct upstream_call *call, int http_status, struct str content_type);
    /* Before on_data(). False: the piece cannot be taken now, it comes after upstream_go_on().
     * NULL: whatever comes is taken. */
    bool (*has_room)(struct upstream_call *call, size_t bytes);
    /* A piece of the body, decompressed. False: stop, the connection is closed. */
    bool (*on_data)(struct upstream_call *call, struct str bytes);
    /* Is what has come all that is wanted? Then what HTTP promises beyond is waited for a quarter
     * of a second only: the call ends as one that was cut. NULL: it never is. */
    bool (*is_whole)(const struct upstream_call *call);
    /* The heads as they go over the wire, in pieces. NULL: they are not wanted. */
    void (*on_trace)(struct upstream_call *call, bool sent, struct str bytes);
    /* Called once, from upstreams_run() or a loop event, never from upstream_submit(). */
    void (*on_done)(struct upstream_call *call, const struct upstream_outcome *outcome);
    /* Filled before on_done(); owned by who calls. NULL: nobody looks into it. */
    struct upstream_details *details;
    /* With connect_only: whatever certificate comes is taken, to be looked at. */
    bool trusts_any;
    void *user;
    void *handle; /* the client's own; NULL before and after */
};

/* Once in a process, before any thread: libcurl's global state. */
bool upstreams_global_init(void) MUST_CHECK;
void upstreams_global_done(void);

struct upstreams *upstreams_new(struct loop *loop) MUST_CHECK;
/* No call may be under way. */
void upstreams_free(struct upstreams *all);

/* The client for one upstream; `config` is borrowed and outlives it. `shared` is what its clients
 * in other workers have, too; NULL: there is none. */
struct upstream *upstream_open(struct upstreams *all, const struct upstream_config *config,
                               struct upstream_shared *shared) MUST_CHECK;
void upstream_close(struct upstream *u);

/* Begins a call. */
void upstream_submit(struct upstream *u, struct upstream_call *call);

/* Goes on with a response that has_room() had none for. */
void upstream_go_on(struct upstream_call *call);

/* Ends a call at once without on_done(). The connection is closed if the request was under way. */
void upstream_cancel(struct upstream_call *call);

/* In on_done(): closes the connection on which that call ran, if it was kept. */
void upstream_drop_connection(struct upstream *u);

/* Has it ended a connection that was kept, without saying so? */
bool upstream_ends_unsaid(const struct upstream *u) MUST_CHECK;

/* Time-outs and ended calls. To be called after every wait. */
void upstreams_run(struct upstreams *all);

/* When upstreams_run() must be called at the latest (CLOCK_NEVER: no need). */
int64_t upstreams_deadline_ms(const struct upstreams *all);

#endif
