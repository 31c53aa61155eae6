/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "config/indexes.h"

static void check_limits(const struct checking *c)
{
    const struct limits_config *l = &c->config->limits;
    const struct origin *body = &l->origins[LIMITS_body], *memory = &l->origins[LIMITS_memory];
    struct place place = check_is_set(body) ? body->place : memory->place;
    if (l->body <= l->memory)
        return;
    if (body->hidden || memory->hidden)
        findings_error(c->findings, place,
                       "limits.body: this is more than limits.memory allows for all together");
    else
        findings_error(c->findings, place,
                       "limits.body: %zu bytes are more than limits.memory allows for all together "
                       "(%zu)",
                       l->body, l->memory);
}

static void check_upstreams(const struct checking *c)
{
    for (size_t i = 0; i < c->config->n_upstreams; i++)
        check_upstream(c, &c->config->upstreams[i]);
}

void checks_run(const struct checking *c)
{
    check_listen(c);
    check_limits(c);
    check_traces(c);
    check_upstreams(c);
    check_routes(c);
    check_mcp(c);
    check_join(c);
    check_callers(c);
    check_access(c);
}
