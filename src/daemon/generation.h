/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration with all that the workers share of it. The main thread makes it and hands it to
 * each worker, which makes its own site and endpoints from it; nothing in it changes, but for the
 * atomics in what it points to. */
#ifndef RPCGATE_DAEMON_GENERATION_H
#define RPCGATE_DAEMON_GENERATION_H

#include "base/macros.h"
#include "client/upstream_state.h"
#include "daemon/gateway.h"
#include "front/endpoint.h"
#include "settings/snapshot.h"

#include <stdatomic.h>
#include <stddef.h>

struct generation {
    unsigned number; /* of the first: 1 */
    struct config *config;
    struct upstream_state **upstreams; /* by upstream_config.index; referenced */
    struct caller_state **callers;     /* by caller_config.index */
    struct listener_set listeners;
    size_t n_changed; /* upstreams that are new or not as they were */
    atomic_uint references;
};

/* With one reference. `before` is the one that it follows, or NULL: what did not change is taken
 * over. Takes the set with its references. */
struct generation *generation_new(struct gateway *g, struct config *config,
                                  const struct generation *before,
                                  const struct listener_set *listeners) MUST_CHECK;

struct generation *generation_ref(struct generation *generation);

/* NULL is fine. */
void generation_unref(struct generation *generation);

#endif
