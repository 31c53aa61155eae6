/* SPDX-License-Identifier: Apache-2.0 */
#include "client/probe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/site.h"
#include "io/upstream.h"

#include <stdlib.h>

#define PROBE_EVERY_MS 5000

/* Of one upstream. */
struct probe {
    struct pool *pool;
    struct upstream_call call;
    struct chain nothing; /* the document that is not sent */
    uint64_t tried;       /* addresses, in this round */
    int64_t due_ms;
};

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome);

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
    upstream_submit(p->pool->upstream, &p->call);
    return true;
}

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome)
{
    struct probe *p = call->user;
    struct upstream_state *shared = p->pool->shared;
    int64_t now_ms = clock_now_ms();
    bool well = outcome->status == UPSTREAM_OK;
    upstream_state_connected(shared, call->target, now_ms, well);
    if (well || !connect_next(p))
        upstream_state_reached(shared, now_ms, well);
}

/* A call that runs now, or was there lately, says the same. */
static bool is_in_use(const struct upstream_state *shared, int64_t now_ms)
{
    int64_t seen_ms = atomic_load_explicit(&shared->seen_ms, memory_order_relaxed);
    return permits_out(&shared->permits) > 0 || (seen_ms != 0 && now_ms < seen_ms + PROBE_EVERY_MS);
}

static void begin(struct probe *p, int64_t now_ms)
{
    p->due_ms = now_ms + PROBE_EVERY_MS;
    if (p->call.handle != NULL || is_in_use(p->pool->shared, now_ms))
        return;
    p->tried = 0;
    (void)connect_next(p);
}

void probes_run(struct client *client)
{
    int64_t now_ms = loop_now_ms(client->work->loop);
    if (LIKELY(now_ms < client->probes_due_ms))
        return;
    client->probes_due_ms = CLOCK_NEVER;
    for (size_t i = 0; i < client->site->config->n_upstreams && !client->work->quiet; i++) {
        struct probe *p = client->site->pools[i]->probe;
        if (p == NULL)
            continue;
        if (p->due_ms <= now_ms)
            begin(p, now_ms);
        client->probes_due_ms = clock_min(client->probes_due_ms, p->due_ms);
    }
}

void probes_follow(struct client *client)
{
    const struct config *config = client->site->config;
    client->probes_due_ms = CLOCK_NEVER;
    if (client->work->index != 0)
        return;
    for (size_t i = 0; i < config->n_upstreams; i++) {
        struct pool *pool = client->site->pools[i];
        if (!config->upstreams[i].required)
            continue;
        client->probes_due_ms = 0;
        if (pool->probe != NULL)
            continue;
        pool->probe = xcalloc(1, sizeof *pool->probe);
        pool->probe->pool = pool;
        chain_init(&pool->probe->nothing, 0, NULL);
    }
}

void probe_free(struct probe *p)
{
    if (p != NULL && p->call.handle != NULL)
        upstream_cancel(&p->call);
    free(p);
}
