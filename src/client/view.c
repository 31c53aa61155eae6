/* SPDX-License-Identifier: Apache-2.0 */
#include "client/view.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/pool.h"
#include "daemon/generation.h"
#include "daemon/worker_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How often it is looked whether pools of former upstreams can go. */
#define SWEEP_MS 100

struct view *view_hold(struct view *view)
{
    view->n_held++;
    return view;
}

void view_release(struct view *view)
{
    struct worker *w = view->worker;
    assert(view->n_held > 0);
    view->n_held--;
    if (UNLIKELY(view != w->view && view->n_held == 0))
        w->views_due_ms = 0;
}

static void view_close(struct view *view)
{
    assert(view->n_held == 0);
    list_remove(&view->in_worker);
    for (size_t i = 0; i < view->config->n_upstreams; i++)
        view->pools[i]->n_views--;
    config_unref(view->config);
    free(view->pools);
    free(view->callers);
    free(view);
}

/* The worker's pool for that upstream. Most stay in their places over a reload. */
static struct pool *find_pool(struct worker *w, const struct generation *generation, size_t index)
{
    struct upstream_state *shared = generation->upstreams[index];
    if (w->view != NULL && index < w->view->config->n_upstreams &&
        w->view->pools[index]->shared == shared)
        return w->view->pools[index];
    LIST_EACH (&w->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_worker);
        if (pool->shared == shared)
            return pool;
    }
    return pool_open(w, shared);
}

void views_follow(struct worker *w, const struct generation *generation)
{
    struct view *view = xcalloc(1, sizeof *view);
    const struct config *config = generation->config;
    view->worker = w;
    view->config = config_ref(generation->config);
    view->pools = xcalloc(config->n_upstreams, sizeof(struct pool *));
    for (size_t i = 0; i < config->n_upstreams; i++) {
        view->pools[i] = find_pool(w, generation, i);
        view->pools[i]->n_views++;
    }
    view->callers = xcalloc(config->n_callers, sizeof(struct caller_state *));
    for (size_t i = 0; i < config->n_callers; i++)
        view->callers[i] = generation->callers[i];
    list_add_last(&w->views, &view->in_worker);
    w->view = view;
    w->views_due_ms = 0;
}

/* A pool stays while any worker has calls of its upstream: until then one of them may give a permit
 * to this worker, which must be passed on. */
static bool is_needed(const struct pool *pool)
{
    const struct permits *permits = &pool->shared->permits;
    return pool->n_views > 0 || permits_out(permits) > 0 || permits_waiting(permits) > 0;
}

static bool sweep_pools(struct worker *w)
{
    bool is_left = false;
    LIST_EACH (&w->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_worker);
        if (!is_needed(pool))
            pool_close(pool);
        else
            is_left |= pool->n_views == 0;
    }
    return is_left;
}

void views_sweep(struct worker *w)
{
    int64_t now_ms = loop_now_ms(w->loop);
    if (LIKELY(now_ms < w->views_due_ms))
        return;
    LIST_EACH (&w->views, at, following) {
        struct view *view = CONTAINER_OF(at, struct view, in_worker);
        if (view != w->view && view->n_held == 0)
            view_close(view);
    }
    w->views_due_ms = sweep_pools(w) ? now_ms + SWEEP_MS : CLOCK_NEVER;
}

int64_t views_deadline_ms(const struct worker *w)
{
    return w->views_due_ms;
}

void views_free(struct worker *w)
{
    LIST_EACH (&w->views, at, following) {
        view_close(CONTAINER_OF(at, struct view, in_worker));
    }
    w->view = NULL;
    LIST_EACH (&w->pools, at, following) {
        pool_close(CONTAINER_OF(at, struct pool, in_worker));
    }
}
