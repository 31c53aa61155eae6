/* SPDX-License-Identifier: Apache-2.0 */
/* `join`: that there are calls to be joined, and a way. */
#include "config/checks.h"

#include "config/indexes.h"

/* What its settings depend on may be hidden: then it is not told. */
static void check_max(const struct checking *c, const struct upstream_config *u)
{
    const struct origin *max = &u->join.origins[JOIN_max];
    const struct origin *multicall_max = &u->origins[UPSTREAM_multicall_max];
    if (u->join.max <= u->multicall_max)
        return;
    struct place place = check_is_set(max) ? max->place : u->join.place;
    if (max->hidden || multicall_max->hidden)
        findings_error(c->findings, place, "upstreams.%s.join.max: it is more than multicall_max",
                       u->name);
    else
        findings_error(c->findings, place,
                       "upstreams.%s.join.max: %lld calls are more than multicall_max allows for "
                       "one system.multicall (%lld)",
                       u->name, (long long)u->join.max, (long long)u->multicall_max);
}

static bool has_safe_method(const struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_methods; i++)
        if (u->methods[i].safe)
            return true;
    return false;
}

static bool has_safe_route(const struct config *config, const struct upstream_config *u)
{
    for (size_t i = 0; i < config->n_routes; i++)
        if (config->routes[i].upstream == u && config->routes[i].safe)
            return true;
    return false;
}

static void check(const struct checking *c, const struct upstream_config *u)
{
    if (!u->present || !u->join.present)
        return;
    check_max(c, u);
    if (u->multicall == MULTICALL_USE_NEVER)
        findings_error(c->findings, u->join.place,
                       "upstreams.%s.join: calls are joined by system.multicall, which multicall = "
                       "\"never\" rules out; leave one of the two out",
                       u->name);
    else if (!has_safe_method(u) && !has_safe_route(c->config, u))
        findings_warn(c->findings, u->join.place,
                      "upstreams.%s.join: only calls of `safe` methods are joined, and neither "
                      "`methods` nor a route says that one is",
                      u->name);
}

void check_join(const struct checking *c)
{
    for (size_t i = 0; i < c->config->n_upstreams; i++)
        check(c, &c->config->upstreams[i]);
}
