/* SPDX-License-Identifier: Apache-2.0 */
/* A listener in one worker, with the HTTP server on it: what the server's handler knows of where a
 * request came in. A reload that changes what the server was made with opens another door on the
 * same socket; the old one takes nobody in any more and goes when its last connection has ended. */
#ifndef RPCGATE_DAEMON_DOOR_H
#define RPCGATE_DAEMON_DOOR_H

#include "base/list.h"
#include "base/macros.h"
#include "io/http_server.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct generation;
struct listener_state;
struct worker;

struct door {
    struct worker *worker;
    struct list in_worker;           /* on worker->doors */
    struct listener_state *listener; /* referenced */
    struct http_server *server;
    struct config *config;              /* what the server was made with: a reference, */
    const struct listen_config *listen; /* and the listener's entry in it */
    unsigned serve;                     /* set of enum serve */
    size_t n_counted;                   /* of its connections, in listener->connections */
    bool is_closing;
};

/* Opens, replaces and closes doors so that they are those of the generation. False: errno says why;
 * what is missing is tried again by the next call. */
bool doors_follow(struct worker *w, const struct generation *generation) MUST_CHECK;

/* Runs what is ready, ends doors that have nobody left, and counts the connections. */
void doors_run(struct worker *w);

/* When doors_run() must be called at the latest (CLOCK_NEVER: no need). */
int64_t doors_deadline_ms(const struct worker *w);

/* Brings the metrics' numbers of connections up to date. */
void doors_count(const struct worker *w);

/* All stop accepting, and wait for nobody who does not send. */
void doors_close(struct worker *w);

/* At the worker's end: no request may rest. */
void doors_free(struct worker *w);

#endif
