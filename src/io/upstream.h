/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client for the calls of one worker: libcurl behind a wall, its multi handles on the
 * worker's loop. It is the first row of io/transport.h, and the tool uses it as it is.
 *
 * Where a kept connection turns out to be dead, the call fails with UPSTREAM_LOST. Connections are
 * never shared between two upstreams. */
#ifndef RPCGATE_IO_UPSTREAM_H
#define RPCGATE_IO_UPSTREAM_H

#include "base/macros.h"
#include "io/loop.h"
#include "io/transport.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

struct upstreams;        /* a worker's client */
struct upstream;         /* one upstream's connections and handles in it */
struct upstream_details; /* io/upstream_details.h */

/* What only the tool asks for. Borrowed until on_done(). */
struct upstream_extra {
    bool get; /* a GET; `body` is empty then */
    /* Nothing is sent: on_trace() sees the head that would be, and the call is to be cancelled
     * then. Its upstream must not have https. */
    bool is_dry;
    /* With connect_only: whatever certificate comes is taken, to be looked at. */
    bool trusts_any;
    /* Filled before on_done(); owned by who calls. NULL: nobody looks into it. */
    struct upstream_details *details;
};

/* libcurl's global state, which is some MiB with OpenSSL's: whoever needs it begins it, in whatever
 * thread, and who has TLS before any call. */
bool upstreams_global_init(void) MUST_CHECK;

/* In the end, when no other thread is there. */
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
bool upstream_ends_unsaid(struct upstream_shared *shared) MUST_CHECK;

/* Time-outs and ended calls. To be called after every wait. */
void upstreams_run(struct upstreams *all);

/* When upstreams_run() must be called at the latest (CLOCK_NEVER: no need). */
int64_t upstreams_deadline_ms(const struct upstreams *all);

/* The same as a row of the table. */
struct transport *upstreams_transport_new(struct loop *loop) MUST_CHECK;

#endif
