/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker has of one configuration: the snapshot, and its pools for the upstreams in it. A
 * request holds the view that it began with to its end; new ones begin with the worker's newest.
 * It belongs to one worker and lives in that worker's thread. */
#ifndef RPCGATE_CLIENT_VIEW_H
#define RPCGATE_CLIENT_VIEW_H

#include "base/list.h"
#include "settings/snapshot.h"

#include <stddef.h>
#include <stdint.h>

struct caller_state;
struct generation;
struct pool;
struct worker;

struct view {
    struct worker *worker;
    struct list in_worker;         /* on worker->views */
    struct config *config;         /* with a reference of its own */
    struct pool **pools;           /* by upstream_config.index; counted in pool.n_views */
    struct caller_state **callers; /* by caller_config.index */
    size_t n_held;                 /* how many hold it */
};

/* Holds a view; whoever does gives it back in the same thread. */
struct view *view_hold(struct view *view);
void view_release(struct view *view);

/* Makes the worker's newest view from a generation. Pools of upstreams that did not change are
 * those that there were. */
void views_follow(struct worker *w, const struct generation *generation);

/* Ends the views and pools that nobody needs any more. Not while requests are being worked on. */
void views_sweep(struct worker *w);

/* When views_sweep() has something to do (CLOCK_NEVER: no need). */
int64_t views_deadline_ms(const struct worker *w);

/* At the worker's end: nobody holds one. */
void views_free(struct worker *w);

#endif
