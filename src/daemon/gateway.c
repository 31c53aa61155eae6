/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gateway.h"

#include "base/alloc.h"

#include <string.h>

void gateway_init(struct gateway *g, size_t n_workers)
{
    commons_init(&g->commons, n_workers);
    front_commons_init(&g->front, &g->commons);
    g->kept = kept_store_new();
    traces_init(&g->traces);
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
    traces_done(&g->traces);
    front_commons_done(&g->front);
    kept_store_free(g->kept);
    commons_done(&g->commons);
}

struct upstream_record *gateway_upstream(struct gateway *g, const char *name)
{
    struct upstream_record *at = g->records;
    while (at != NULL && strcmp(at->name, name) != 0)
        at = at->next;
    if (at != NULL)
        return at;
    at = upstream_record_new(name, g->commons.n_workers);
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
    at = caller_state_new(name, &g->commons);
    at->next = g->callers;
    return g->callers = at;
}
