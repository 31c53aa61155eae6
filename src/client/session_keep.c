/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that rest are kept alive, by a worker that has logged in. */
#include "client/session_store.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/pool.h"

#include <stdlib.h>

struct session_keeper {
    struct pool *pool;
    struct timer due;
};

/* NULL: the newest configuration has not that upstream, or has changed it. */
static const struct upstream_config *find_upstream(const struct pool *pool)
{
    const struct site *site = pool->client->site;
    for (size_t i = 0; i < site->config->n_upstreams; i++)
        if (site->pools[i] == pool)
            return &site->config->upstreams[i];
    return NULL;
}

static void on_due(struct timer *timer)
{
    struct session_keeper *k = CONTAINER_OF(timer, struct session_keeper, due);
    struct client *client = k->pool->client;
    struct session_store *s = k->pool->shared->sessions;
    const struct upstream_config *upstream = find_upstream(k->pool);
    int64_t now_ms = clock_now_ms(), every_ms = s->config->session.keepalive.every, next_ms;
    if (client->work->quiet || upstream == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    struct session *session = sessions_rested(&s->sessions, now_ms, every_ms, &next_ms);
    pthread_mutex_unlock(&s->lock);
    timer_set(client->work, timer, session != NULL ? now_ms + every_ms : next_ms);
    if (session != NULL)
        session_job_begin(s, client->site, upstream, SESSION_KEEPALIVE,
                          CONTAINER_OF(session, struct held_session, session));
}

void session_keep(struct pool *pool)
{
    const struct session_config *config = &pool->shared->config->session;
    struct session_keeper *k = pool->keeper;
    if (!config->keepalive.present)
        return;
    if (k == NULL) {
        k = pool->keeper = xcalloc(1, sizeof *k);
        k->pool = pool;
        k->due.fire = on_due;
    }
    if (!k->due.is_set)
        timer_set(pool->client->work, &k->due, clock_now_ms() + config->keepalive.every);
}

void session_keeper_free(struct session_keeper *k)
{
    if (k == NULL)
        return;
    timer_stop(k->pool->client->work, &k->due);
    free(k);
}
