/* SPDX-License-Identifier: Apache-2.0 */
/* The service's listeners over its generations: a reload opens those that are new, keeps those that
 * stay, and closes the others when no worker needs them any more. */
#ifndef RPCGATE_DAEMON_LISTENERS_H
#define RPCGATE_DAEMON_LISTENERS_H

#include "base/macros.h"
#include "daemon/activation.h"
#include "daemon/generation.h"

#include <stdbool.h>
#include <stddef.h>

/* One that the newest generation has not; but a worker may still open an endpoint on it. */
struct retired_listener {
    struct listener_state *state; /* referenced */
    unsigned generation;          /* the first without it */
};

struct listeners {
    struct activation given;
    size_t n_workers;
    const struct generation *current; /* borrowed; NULL: none yet */
    struct retired_listener *retired;
    size_t n_retired;
};

void listeners_init(struct listeners *l, size_t n_workers);

/* For a configuration: `ret` is for generation_new(). False: the reason is in the log, and all is
 * as before. */
bool listeners_open(struct listeners *l, const struct config *config,
                    struct listener_set *ret) MUST_CHECK;

/* Those are what the service serves now. */
void listeners_follow(struct listeners *l, const struct generation *generation);

/* All workers have followed up to that generation: closes those that it does not need. */
void listeners_sweep(struct listeners *l, unsigned followed);

/* Nobody is to be accepted any more. */
void listeners_close(struct listeners *l);

void listeners_done(struct listeners *l);

#endif
