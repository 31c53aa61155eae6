/* SPDX-License-Identifier: Apache-2.0 */
/* A listener as all workers know it. The main thread opens and closes its sockets; each worker has
 * an endpoint on it. */
#ifndef RPCGATE_FRONT_LISTENER_STATE_H
#define RPCGATE_FRONT_LISTENER_STATE_H

#include "base/macros.h"
#include "io/listener.h"

#include <stdatomic.h>
#include <stddef.h>

struct listen_config;

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

#endif
