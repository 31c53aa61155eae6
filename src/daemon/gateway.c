/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gateway.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void gateway_init(struct gateway *g, size_t n_workers)
{
    atomic_init(&g->phase, GATEWAY_STARTING);
    memory_share_init(&g->anonymous, &g->memory);
    memory_share_init(&g->own, &g->memory);
    g->workers = xcalloc(n_workers, sizeof(struct worker *));
    g->n_workers = n_workers;
    g->no_upstream = upstream_record_new("", n_workers);
}

void gateway_done(struct gateway *g)
{
    for (struct upstream_record *at = g->records, *next; at != NULL; at = next) {
        next = at->next;
        upstream_record_free(at);
    }
    for (struct caller_state *at = g->callers, *next; at != NULL; at = next) {
        next = at->next;
        caller_state_free(at);
    }
    memory_share_done(&g->anonymous);
    memory_share_done(&g->own);
    upstream_record_free(g->no_upstream);
    free(g->workers);
}

struct upstream_record *gateway_upstream(struct gateway *g, const char *name)
{
    struct upstream_record *at = g->records;
    while (at != NULL && strcmp(at->name, name) != 0)
        at = at->next;
    if (at != NULL)
        return at;
    at = upstream_record_new(name, g->n_workers);
    at->next = g->records;
    return g->records = at;
}

struct caller_state *gateway_caller(struct gateway *g, const char *name)
{
    struct caller_state *at = g->callers;
    while (at != NULL && strcmp(at->name, name) != 0)
        at = at->next;
    if (at != NULL)
        return at;
    at = caller_state_new(name, &g->memory);
    at->next = g->callers;
    return g->callers = at;
}
