/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread with a loop, HTTP servers, an HTTP client, and the requests that run
 * between them. Workers share nothing but struct gateway and the configuration. */
#ifndef RPCGATE_GATEWAY_WORKER_H
#define RPCGATE_GATEWAY_WORKER_H

#include "base/macros.h"
#include "config/config.h"
#include "gateway/gateway.h"
#include "io/listener.h"

#include <stdbool.h>
#include <stddef.h>

struct worker;

struct worker_options {
    size_t index;               /* which socket of each listener is this worker's */
    size_t n_workers;           /* connections are shared out evenly */
    struct config *config;      /* the worker takes a reference of its own */
    struct gateway *gateway;    /* borrowed */
    const struct listener *listeners; /* borrowed while starting */
    size_t n_listeners;
};

/* Makes the worker and starts its thread. NULL: errno says why. */
struct worker *worker_start(const struct worker_options *options) MUST_CHECK;

/* Makes the worker look at the gateway's phase. Any thread. */
void worker_wake(struct worker *worker);

/* Does anything run? Any thread. */
bool worker_busy(const struct worker *worker);

/* Waits for the thread's end, which comes after the phase GATEWAY_STOPPING. */
void worker_join(struct worker *worker);

/* When all have ended: until then the others may wake it. */
void worker_free(struct worker *worker);

#endif
