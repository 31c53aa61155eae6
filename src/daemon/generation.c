/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/generation.h"

#include "base/alloc.h"
#include "client/multicall.h"

#include <stdlib.h>

static struct upstream_state *unchanged(const struct generation *before,
                                        const struct upstream_config *u)
{
    if (before == NULL)
        return NULL;
    const struct upstream_config *old = config_upstream(before->config, str_of(u->name));
    if (old == NULL || !config_same_upstream(old, u))
        return NULL;
    return before->upstreams[old->index];
}

static void find_upstreams(struct generation *generation, struct gateway *g,
                           const struct generation *before)
{
    struct config *config = generation->config;
    generation->upstreams = xcalloc(config->n_upstreams, sizeof(struct upstream_state *));
    for (size_t i = 0; i < config->n_upstreams; i++) {
        const struct upstream_config *u = &config->upstreams[i];
        struct upstream_state *old = unchanged(before, u);
        if (old != NULL) {
            generation->upstreams[i] = upstream_state_ref(old);
            multicall_learn(old, MULTICALL_UNKNOWN);
            continue;
        }
        generation->upstreams[i] = upstream_state_new(config, i, gateway_upstream(g, u->name));
        kept_shelf_bind(&generation->upstreams[i]->kept, g->kept);
        generation->n_changed++;
    }
}

struct generation *generation_new(struct gateway *g, struct config *config,
                                  const struct generation *before,
                                  const struct listener_set *listeners)
{
    struct generation *generation = xcalloc(1, sizeof *generation);
    generation->number = before != NULL ? before->number + 1 : 1;
    generation->config = config_ref(config);
    generation->listeners = *listeners;
    atomic_init(&generation->references, 1);
    find_upstreams(generation, g, before);
    generation->callers = xcalloc(config->n_callers, sizeof(struct caller_state *));
    for (size_t i = 0; i < config->n_callers; i++)
        generation->callers[i] = gateway_caller(g, config->callers[i].name);
    return generation;
}

struct generation *generation_ref(struct generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
    return generation;
}

void generation_unref(struct generation *generation)
{
    if (generation == NULL ||
        atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < generation->config->n_upstreams; i++)
        upstream_state_unref(generation->upstreams[i]);
    for (size_t i = 0; i < generation->listeners.n; i++)
        listener_state_unref(generation->listeners.items[i].state);
    config_unref(generation->config);
    free(generation->upstreams);
    free(generation->callers);
    free(generation->listeners.items);
    free(generation);
}
