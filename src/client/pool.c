/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pool.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/attempt.h"
#include "client/call.h"
#include "client/probe.h"
#include "daemon/gateway.h"
#include "daemon/worker_state.h"

#include <assert.h>
#include <stdlib.h>

static struct call *first_of(const struct pool *pool)
{
    return LIST_FIRST(&pool->waiting, struct call, in_queue);
}

/* Tells the others since when the first call waits. */
static void show(struct pool *pool)
{
    permits_show(&pool->shared->permits, pool->worker->index,
                 list_empty(&pool->waiting) ? 0 : first_of(pool)->queued_us);
}

enum permits_answer pool_enter(struct pool *pool, struct call *c)
{
    struct permits *permits = &pool->shared->permits;
    if (LIKELY(permits_try(permits)))
        return PERMITS_TAKEN;
    c->queued_us = clock_now_us();
    list_add_last(&pool->waiting, &c->in_queue);
    show(pool);
    enum permits_answer answer = permits_join(permits);
    if (answer != PERMITS_WAIT) {
        list_remove(&c->in_queue);
        show(pool);
    }
    return answer;
}

void pool_leave(struct pool *pool, struct call *c)
{
    c->queue_us += clock_now_us() - c->queued_us;
    permits_leave(&pool->shared->permits);
    list_remove(&c->in_queue);
    show(pool);
}

static void give_away(struct pool *pool, bool reported)
{
    struct worker *to;
    size_t index = permits_give(&pool->shared->permits);
    if (index == PERMITS_NOBODY)
        return;
    if (reported && index != pool->worker->index)
        upstream_drop_connection(pool->client);
    to = pool->worker->gateway->workers[index];
    atomic_store_explicit(&to->permits_given, true, memory_order_release);
    worker_wake(to);
}

/* A call that has its turn may fail at once, which brings its permit back: hence a loop. */
static void serve(struct pool *pool)
{
    if (pool->serving)
        return;
    pool->serving = true;
    while (pool->in_hand > 0) {
        pool->in_hand--;
        if (list_empty(&pool->waiting)) {
            give_away(pool, false);
            continue;
        }
        struct call *c = first_of(pool);
        pool_leave(pool, c);
        attempt_run(c);
    }
    pool->serving = false;
}

static bool is_due_elsewhere(const struct pool *pool)
{
    return permits_due_elsewhere(&pool->shared->permits, pool->worker->index,
                                 first_of(pool)->queued_us, clock_now_us());
}

void pool_give(struct pool *pool, bool reported)
{
    if (list_empty(&pool->waiting) || is_due_elsewhere(pool)) {
        give_away(pool, reported);
        return;
    }
    pool->in_hand++;
    serve(pool);
}

static void pick_up(struct worker *w)
{
    if (LIKELY(!atomic_load_explicit(&w->permits_given, memory_order_relaxed)))
        return;
    (void)atomic_exchange_explicit(&w->permits_given, false, memory_order_acq_rel);
    LIST_EACH (&w->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_worker);
        pool->in_hand += permits_pick_up(&pool->shared->permits, w->index);
        serve(pool);
    }
}

/* Those whose time has come; the worker's `wait_due_ms` becomes that of the next. */
static void end_waits(struct worker *w, enum call_state state, int64_t now_ms,
                      void (*end)(struct call *c))
{
    LIST_EACH (&w->calls_in[state], at, following) {
        struct call *c = CONTAINER_OF(at, struct call, in_state);
        if (c->wait_until_ms <= now_ms)
            end(c);
        else
            w->wait_due_ms = clock_min(w->wait_due_ms, c->wait_until_ms);
    }
}

void pools_run(struct worker *w)
{
    int64_t now_ms = loop_now_ms(w->loop);
    pick_up(w);
    if (LIKELY(now_ms < w->wait_due_ms))
        return;
    w->wait_due_ms = CLOCK_NEVER;
    end_waits(w, CALL_QUEUED, now_ms, attempt_give_up);
    end_waits(w, CALL_BACKOFF, now_ms, attempt_start);
}

struct pool *pool_open(struct worker *w, struct upstream_state *shared)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pool->worker = w;
    pool->shared = upstream_state_ref(shared);
    pool->client = upstream_open(w->client, shared->config, shared->client);
    list_init(&pool->waiting);
    list_add_last(&w->pools, &pool->in_worker);
    return pool;
}

void pool_close(struct pool *pool)
{
    assert(list_empty(&pool->waiting) && pool->in_hand == 0);
    list_remove(&pool->in_worker);
    probe_free(pool->probe);
    upstream_close(pool->client);
    upstream_state_unref(pool->shared);
    free(pool);
}
