/* SPDX-License-Identifier: Apache-2.0 */
#include "client/pool.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/join.h"
#include "client/probe.h"
#include "client/session_store.h"

#include <assert.h>
#include <stdlib.h>

/* What part of pool.queue_timeout a reply may wait for memory undisturbed. */
#define YIELD_PART 4

static struct call *first_of(const struct pool *pool)
{
    return LIST_FIRST(&pool->waiting, struct call, in_queue);
}

static atomic_uint *n_stalled(const struct client *client)
{
    return &client->work->commons->n_stalled;
}

/* Tells the others since when the first call waits. */
static void show(struct pool *pool)
{
    struct slots *slots = &pool->shared->slots;
    size_t worker = pool->client->work->index;
    bool none = list_empty(&pool->waiting);
    slots_show(slots, worker, none ? 0 : first_of(pool)->queued_us);
    if (none)
        slots_press(slots, worker, NULL);
    else if (UNLIKELY(atomic_load_explicit(n_stalled(pool->client), memory_order_relaxed) > 0))
        work_tell(pool->client->work, NEWS_STALLED);
}

enum slots_answer pool_enter(struct pool *pool, struct call *c)
{
    struct slots *slots = &pool->shared->slots;
    if (LIKELY(slots_try(slots)))
        return SLOTS_TAKEN;
    c->queued_us = clock_now_us();
    list_add_last(&pool->waiting, &c->in_queue);
    show(pool);
    enum slots_answer answer = slots_join(slots);
    if (answer != SLOTS_WAIT) {
        list_remove(&c->in_queue);
        show(pool);
    }
    return answer;
}

void pool_leave(struct pool *pool, struct call *c)
{
    c->queue_us += clock_now_us() - c->queued_us;
    slots_leave(&pool->shared->slots);
    list_remove(&c->in_queue);
    show(pool);
}

static void give_away(struct pool *pool, bool reported)
{
    struct work *to;
    size_t index = slots_give(&pool->shared->slots);
    if (index == SLOTS_NOBODY)
        return;
    if (reported && index != pool->client->work->index)
        transport_drop(pool->remote);
    to = pool->client->work->commons->works[index];
    work_tell(to, NEWS_SLOTS);
}

/* A call that has its turn may fail at once, which brings its slot back: hence a loop. */
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
    return slots_due_elsewhere(&pool->shared->slots, pool->client->work->index,
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

static void pick_up(struct client *client)
{
    if (LIKELY(!work_was_told(client->work, NEWS_SLOTS)))
        return;
    LIST_EACH (&client->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_client);
        pool->in_hand += slots_pick_up(&pool->shared->slots, client->work->index);
        serve(pool);
    }
}

/* ---- Replies that keep slots -------------------------------------------------------------- */

static int64_t undisturbed_ms(const struct call *c)
{
    return c->upstream->pool.queue_timeout / YIELD_PART;
}

static void on_disturbed(struct timer *timer)
{
    struct call *c = CONTAINER_OF(timer, struct call, wait);
    work_tell(c->site->client->work, NEWS_STALLED);
}

void pool_stall(struct pool *pool, struct call *c)
{
    if (!list_empty(&c->in_stalled))
        return;
    list_add_last(&pool->stalled, &c->in_stalled);
    atomic_fetch_add_explicit(n_stalled(pool->client), 1, memory_order_relaxed);
    c->wait.fire = on_disturbed;
    timer_set(pool->client->work, &c->wait, clock_now_ms() + undisturbed_ms(c));
}

void pool_unstall(struct pool *pool, struct call *c)
{
    if (list_empty(&c->in_stalled))
        return;
    list_remove(&c->in_stalled);
    timer_stop(pool->client->work, &c->wait);
    atomic_fetch_sub_explicit(n_stalled(pool->client), 1, memory_order_relaxed);
}

/* A call of a caller whose own replies wait would have to wait for these. */
static void press(struct pool *pool)
{
    const void *who = NULL;
    LIST_EACH (&pool->waiting, at, following) {
        struct memory_share *share = CONTAINER_OF(at, struct call, in_queue)->share;
        if (memory_share_is_short(share))
            continue;
        who = share;
        break;
    }
    if (slots_press(&pool->shared->slots, pool->client->work->index, who))
        commons_tell(pool->client->work->commons, NEWS_STALLED);
}

static bool must_yield(const struct call *c, int64_t now_ms)
{
    int64_t patience_ms = c->upstream->pool.queue_timeout;
    return memory_share_yielded(c->share, now_ms) ||
           memory_patience_ms(&c->memory, now_ms) <= patience_ms - undisturbed_ms(c);
}

/* One at a time: its slot may be all that is wanted. */
static void yield_one(struct pool *pool)
{
    int64_t now_ms = clock_now_ms();
    LIST_EACH (&pool->stalled, at, following) {
        struct call *c = CONTAINER_OF(at, struct call, in_stalled);
        if (!slots_is_pressed(&pool->shared->slots, c->share) || !must_yield(c, now_ms))
            continue;
        memory_share_set_yielded(c->share, now_ms);
        memory_hurry(&c->memory);
        return;
    }
}

static void look_at_stalled(struct client *client)
{
    if (LIKELY(!work_was_told(client->work, NEWS_STALLED)))
        return;
    LIST_EACH (&client->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_client);
        press(pool);
        yield_one(pool);
    }
}

/* ---- Each turn ------------------------------------------------------------------------------ */

void pools_run(struct client *client)
{
    pick_up(client);
    look_at_stalled(client);
}

struct pool *pool_open(struct client *client, struct upstream_state *shared)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pool->client = client;
    pool->shared = upstream_state_ref(shared);
    pool->remote = transport_open(client->transport, shared->config, shared->client);
    list_init(&pool->waiting);
    list_init(&pool->stalled);
    pool->join = join_open(pool);
    list_add_last(&client->pools, &pool->in_client);
    session_store_join(shared->sessions);
    return pool;
}

void pool_close(struct pool *pool)
{
    assert(list_empty(&pool->waiting) && list_empty(&pool->stalled) && pool->in_hand == 0);
    list_remove(&pool->in_client);
    probe_free(pool->probe);
    session_keeper_free(pool->keeper);
    join_free(pool->join);
    transport_close(pool->remote);
    upstream_state_unref(pool->shared);
    free(pool);
}
