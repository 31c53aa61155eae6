/* SPDX-License-Identifier: Apache-2.0 */
/* All that outlives a configuration: what workers share, and what is known by name. */
#ifndef RPCGATE_DAEMON_GATEWAY_H
#define RPCGATE_DAEMON_GATEWAY_H

#include "client/kept.h"
#include "client/traces.h"
#include "front/caller_state.h"
#include "front/front.h"
#include "work/commons.h"
#include "work/metrics.h"

#include <stddef.h>

struct gateway {
    struct commons commons;
    struct front_commons front;
    struct kept_store *kept; /* owned */
    struct traces traces;

    /* Each is made by the main thread when a configuration first has its name, and stays. Workers
     * know only those that their sites and generation point to. */
    struct upstream_record *records;
    struct caller_state *callers;
};

void gateway_init(struct gateway *g, size_t n_workers);

/* No worker may run. */
void gateway_done(struct gateway *g);

/* Those of that name; the main thread only. */
struct upstream_record *gateway_upstream(struct gateway *g, const char *name);
struct caller_state *gateway_caller(struct gateway *g, const char *name);

#endif
