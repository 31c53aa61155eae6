/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker has of one configuration: the snapshot, and its pools for the upstreams in it. A
 * request holds the view that it began with to its end; new ones begin with the worker's newest.
 * It belongs to one worker and lives in that worker's thread. */
#ifndef RPCGATE_GATEWAY_VIEW_H
#define RPCGATE_GATEWAY_VIEW_H

#include "base/macros.h"
#include "config/config.h"

#include <stddef.h>

struct pool;
struct worker;

struct view {
    struct worker *worker;
    struct config *config; /* with a reference of its own */
    struct pool **pools;   /* by upstream_config.index */
    size_t n_held;         /* how many hold it */
};

/* NULL: errno says why. */
struct view *view_open(struct worker *w, struct config *config) MUST_CHECK;

/* Nobody may hold it. NULL is fine. */
void view_close(struct view *view);

static inline struct view *view_hold(struct view *view)
{
    view->n_held++;
    return view;
}

static inline void view_release(struct view *view)
{
    view->n_held--;
}

#endif
