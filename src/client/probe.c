/* SPDX-License-Identifier: Apache-2.0 */
#include "client/probe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/site.h"
#include "io/transport.h"

#include <stdlib.h>

#define PROBE_EVERY_MS 5000

/* Of one upstream. */
struct probe {
    struct pool *pool;
    struct upstream_call call;
    struct chain nothing; /* the document that is not sent */
    uint64_t tried;       /* addresses, in this round */
    struct timer due;
};

static void on_done(struct upstream_call *call, const struct upstream_result *result);

/* False: all addresses were tried. */
static bool connect_next(struct probe *p)
{
    int64_t now_ms = clock_now_ms();
    size_t target = upstream_state_target(p->pool->shared, now_ms, p->tried);
    if (target == UPSTREAM_NO_TARGET)
        return false;
    p->tried |= UINT64_C(1) << target;
    p->call = (struct upstream_call){
        .body = &p->nothing,
        .target = target,
        .connect_only = true,
        .deadline_ms = clock_now_ms() + p->pool->shared->config->timeouts.connect,
        .on_done = on_done,
        .user = p,
    };
    transport_submit(p->pool->remote, &p->call);
    return true;
}

static void on_done(struct upstream_call *call, const struct upstream_result *result)
{
    struct probe *p = call->user;
    struct upstream_state *shared = p->pool->shared;
    int64_t now_ms = clock_now_ms();
    bool well = result->status == UPSTREAM_OK;
    upstream_state_connected(shared, call->target, now_ms, well);
    if (well || !connect_next(p))
        upstream_state_reached(shared, now_ms, well);
}

/* A call that runs now, or was there lately, says the same. */
static bool is_in_use(const struct upstream_state *shared, int64_t now_ms)
{
    int64_t seen_ms = atomic_load_explicit(&shared->seen_ms, memory_order_relaxed);
    return slots_out(&shared->slots) > 0 || (seen_ms != 0 && now_ms < seen_ms + PROBE_EVERY_MS);
}

/* One of an upstream that the newest configuration has not, or has changed, ends. */
static bool is_wanted(const struct probe *p)
{
    const struct site *site = p->pool->client->site;
    for (size_t i = 0; i < site->config->n_upstreams; i++)
        if (site->pools[i] == p->pool)
            return true;
    return false;
}

static void on_due(struct timer *timer)
{
    struct probe *p = CONTAINER_OF(timer, struct probe, due);
    struct work *w = p->pool->client->work;
    int64_t now_ms = clock_now_ms();
    if (w->quiet || !is_wanted(p))
        return;
    timer_set(w, timer, now_ms + PROBE_EVERY_MS);
    if (p->call.handle != NULL || is_in_use(p->pool->shared, now_ms))
        return;
    p->tried = 0;
    (void)connect_next(p);
}

static struct probe *probe_new(struct pool *pool)
{
    struct probe *p = xcalloc(1, sizeof *p);
    p->pool = pool;
    p->due.fire = on_due;
    chain_init(&p->nothing, 0, NULL);
    return p;
}

void probes_follow(struct client *client)
{
    const struct config *config = client->site->config;
    if (client->work->index != 0)
        return;
    for (size_t i = 0; i < config->n_upstreams; i++) {
        struct pool *pool = client->site->pools[i];
        if (!config->upstreams[i].required)
            continue;
        if (pool->probe == NULL)
            pool->probe = probe_new(pool);
        if (!pool->probe->due.is_set)
            timer_set(client->work, &pool->probe->due, 0);
    }
}

void probe_free(struct probe *p)
{
    if (p == NULL)
        return;
    timer_stop(p->pool->client->work, &p->due);
    if (p->call.handle != NULL)
        transport_cancel(p->pool->remote, &p->call);
    free(p);
}
