/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include "base/alloc.h"

#include <stdlib.h>

void gateway_init(struct gateway *g, const struct config *config, size_t n_workers)
{
    atomic_init(&g->memory.max, config->limits.memory);
    atomic_init(&g->phase, GATEWAY_STARTING);
    g->n_upstreams = config->n_upstreams;
    g->upstreams = xcalloc(g->n_upstreams, sizeof(struct upstream_state *));
    for (size_t i = 0; i < g->n_upstreams; i++)
        g->upstreams[i] = upstream_state_new(&config->upstreams[i], n_workers);
    g->workers = xcalloc(n_workers, sizeof(struct worker *));
    g->metrics = xcalloc(n_workers, sizeof(struct metrics *));
    g->n_workers = n_workers;
    for (size_t i = 0; i < n_workers; i++)
        g->metrics[i] = metrics_new(config->n_upstreams, config->n_listen);
}

void gateway_done(struct gateway *g)
{
    for (size_t i = 0; i < g->n_upstreams; i++)
        upstream_state_free(g->upstreams[i]);
    for (size_t i = 0; i < g->n_workers; i++)
        metrics_free(g->metrics[i]);
    free(g->metrics);
    free(g->upstreams);
    free(g->workers);
}
