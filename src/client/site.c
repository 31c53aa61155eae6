/* SPDX-License-Identifier: Apache-2.0 */
#include "client/site.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/pool.h"
#include "client/session_store.h"

#include <assert.h>
#include <stdlib.h>

/* How often it is looked whether pools of former upstreams can go. */
#define SWEEP_MS 100

struct site *site_hold(struct site *site)
{
    site->n_held++;
    return site;
}

void site_release(struct site *site)
{
    assert(site->n_held > 0);
    site->n_held--;
    if (UNLIKELY(site != site->client->site && site->n_held == 0))
        timer_set(site->client->work, &site->client->sites_timer, 0);
}

static void site_close(struct site *site)
{
    assert(site->n_held == 0);
    list_remove(&site->in_client);
    for (size_t i = 0; i < site->config->n_upstreams; i++)
        site->pools[i]->n_sites--;
    for (size_t i = 0; i < site->config->n_upstreams; i++)
        inject_close(site->injects[i], &site->config->upstreams[i]);
    free(site->injects);
    config_unref(site->config);
    free(site->pools);
    free(site);
}

/* The client's pool for that upstream. Most stay in their places over a reload. */
static struct pool *find_pool(struct client *client, struct upstream_state *shared, size_t index)
{
    const struct site *site = client->site;
    if (site != NULL && index < site->config->n_upstreams && site->pools[index]->shared == shared)
        return site->pools[index];
    LIST_EACH (&client->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_client);
        if (pool->shared == shared)
            return pool;
    }
    return pool_open(client, shared);
}

void site_open(struct client *client, struct site *site, struct config *config,
               struct upstream_state *const *upstreams)
{
    site->client = client;
    site->config = config_ref(config);
    site->pools = xcalloc(config->n_upstreams, sizeof(struct pool *));
    site->injects = xcalloc(config->n_upstreams, sizeof(struct inject *));
    for (size_t i = 0; i < config->n_upstreams; i++) {
        site->pools[i] = find_pool(client, upstreams[i], i);
        site->pools[i]->n_sites++;
        site->injects[i] = inject_open(&config->upstreams[i]);
    }
    list_add_last(&client->sites, &site->in_client);
    client->site = site;
    timer_set(client->work, &client->sites_timer, 0);
}

const struct inject *site_inject(const struct site *site, const struct upstream_config *upstream,
                                 struct str method)
{
    return inject_find(site->injects[upstream->index], upstream, method);
}

struct upstream_record *site_record(const struct site *site, const struct upstream_config *upstream)
{
    return site->pools[upstream->index]->shared->record;
}

/* A pool stays while any worker has calls of its upstream: until then one of them may give a slot
 * to this worker, which must be passed on. */
static bool is_needed(const struct pool *pool)
{
    const struct slots *slots = &pool->shared->slots;
    return pool->n_sites > 0 || slots_out(slots) > 0 || slots_waiting(slots) > 0;
}

static bool sweep_pools(struct client *client)
{
    bool is_left = false;
    LIST_EACH (&client->pools, at, following) {
        struct pool *pool = CONTAINER_OF(at, struct pool, in_client);
        if (!is_needed(pool))
            pool_close(pool);
        else
            is_left |= pool->n_sites == 0;
    }
    return is_left;
}

/* Upstreams that no other site has need their sessions no more. Logging out holds the site. */
static void leave(struct site *site)
{
    if (site->is_leaving)
        return;
    site->is_leaving = true;
    for (size_t i = 0; i < site->config->n_upstreams; i++) {
        struct pool *pool = site->pools[i];
        if (pool->n_sites > 1 || pool->has_left)
            continue;
        pool->has_left = true;
        session_store_leave(pool->shared->sessions, site, &site->config->upstreams[i]);
    }
}

void sites_leave(struct client *client)
{
    LIST_EACH (&client->sites, at, following) {
        struct site *site = CONTAINER_OF(at, struct site, in_client);
        for (size_t i = 0; i < site->config->n_upstreams; i++) {
            struct pool *pool = site->pools[i];
            if (pool->has_left)
                continue;
            pool->has_left = true;
            session_store_leave(pool->shared->sessions, site, &site->config->upstreams[i]);
        }
    }
}

void sites_sweep(struct timer *timer)
{
    struct client *client = CONTAINER_OF(timer, struct client, sites_timer);
    LIST_EACH (&client->sites, at, following) {
        struct site *site = CONTAINER_OF(at, struct site, in_client);
        if (site != client->site && site->n_held == 0)
            leave(site);
        if (site != client->site && site->n_held == 0)
            site_close(site);
    }
    if (sweep_pools(client))
        timer_set(client->work, timer, clock_now_ms() + SWEEP_MS);
}

void sites_free(struct client *client)
{
    LIST_EACH (&client->sites, at, following) {
        site_close(CONTAINER_OF(at, struct site, in_client));
    }
    client->site = NULL;
    LIST_EACH (&client->pools, at, following) {
        pool_close(CONTAINER_OF(at, struct pool, in_client));
    }
}
