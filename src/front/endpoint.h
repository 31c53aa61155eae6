/* SPDX-License-Identifier: Apache-2.0 */
/* A listener in one worker, with the HTTP server on it: what the server's handler knows of where a
 * request came in. A reload that changes what the server was made with opens another endpoint on
 * the same socket; the old one takes nobody in any more and goes when its last connection has
 * ended. */
#ifndef RPCGATE_FRONT_ENDPOINT_H
#define RPCGATE_FRONT_ENDPOINT_H

#include "base/list.h"
#include "base/macros.h"
#include "io/http_server.h"
#include "io/listener.h"
#include "settings/snapshot.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct front;

/* A listener as all workers know it. The main thread opens and closes its sockets. */
struct listener_state {
    struct listener listener;
    atomic_size_t *connections; /* by worker; each writes its own only */
    atomic_ullong handshakes_failed;
    atomic_bool told_ended; /* the log was told that its socket was ended from outside */
    atomic_uint references;
};

/* A listener, and the entry of `listen` in its configuration that it stands for. */
struct open_listener {
    struct listener_state *state; /* referenced */
    const struct listen_config *config;
};

struct listener_set {
    struct open_listener *items; /* owned */
    size_t n;
};

/* Takes the listener; with one reference. */
struct listener_state *listener_state_new(const struct listener *listener,
                                          size_t n_workers) MUST_CHECK;

struct listener_state *listener_state_ref(struct listener_state *s);

/* The listener must be closed when the last one goes. NULL is fine. */
void listener_state_unref(struct listener_state *s);

/* In one worker. */
struct endpoint {
    struct front *front;
    struct list in_front;            /* on front->endpoints */
    struct listener_state *listener; /* referenced */
    struct http_server *server;
    struct config *config;              /* what the server was made with: a reference, */
    const struct listen_config *listen; /* and the listener's entry in it */
    unsigned serve;                     /* set of enum serve */
    size_t n_counted;                   /* of its connections, in listener->connections */
    bool is_closing;
};

/* Opens, replaces and closes endpoints so that they are those of the set, which is borrowed until
 * the next one. False: errno says why; what is missing is tried again by the next call. */
bool endpoints_follow(struct front *front, struct config *config,
                      const struct listener_set *listeners) MUST_CHECK;

/* Runs what is ready, ends endpoints that have nobody left, and counts the connections. */
void endpoints_run(struct front *front);

/* When endpoints_run() must be called at the latest (CLOCK_NEVER: no need). */
int64_t endpoints_deadline_ms(const struct front *front);

/* Brings the metrics' numbers of connections up to date. */
void endpoints_count(const struct front *front);

/* All stop accepting, and wait for nobody who does not send. */
void endpoints_close(struct front *front);

/* At the worker's end: no request may rest. */
void endpoints_free(struct front *front);

#endif
