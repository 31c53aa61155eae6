/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "config/checked_texts.h"

#include <string.h>

/* Index of a setting's origin: LIMITS_body … */
enum limits_index {
#define X(kind, name, ...) LIMITS_##name,
    LIMITS_OPTIONS(X)
#undef X
};

static void check_limits(const struct checking *c)
{
    const struct limits_config *l = &c->config->limits;
    const struct origin *body = &l->origins[LIMITS_body], *memory = &l->origins[LIMITS_memory];
    if (l->body > l->memory)
        findings_error(c->findings, check_is_set(body) ? body->place : memory->place,
                       "limits.body: %zu bytes are more than limits.memory allows for all together "
                       "(%zu)",
                       l->body, l->memory);
}

static void check_upstreams(const struct checking *c)
{
    for (size_t i = 0; i < c->config->n_upstreams; i++)
        check_upstream(c, &c->config->upstreams[i]);
}

/* Does the glob's first side name an upstream? */
static bool names_upstream(const struct config *config, struct str glob)
{
    struct str upstream = str_slice(glob, 0, str_find(glob, '/'));
    for (size_t i = 0; i < config->n_upstreams; i++) {
        if (glob_match(upstream, str_of(config->upstreams[i].name)))
            return true;
    }
    return false;
}

static void check_anonymous(const struct checking *c)
{
    const struct config *config = c->config;
    struct findings *findings = c->findings;
    const struct anonymous_config *a = &config->anonymous;
    struct place whole = config->place;
    if (findings->n_errors == 0 && (!a->present || a->n_allow == 0) && config->n_callers == 0)
        findings_warn(
            findings, a->present ? a->place : whole,
            "nobody may make calls: %s `anonymous = { allow = [ \"*/*\" ]; };` lets every "
            "caller that connects use all upstreams",
            a->present ? "`anonymous.allow` is empty;" : "there is no `anonymous`;");
    for (size_t i = 0; i < a->n_allow; i++) {
        const struct access_rule_config *rule = &a->allow[i];
        if (rule->match != NULL && !names_upstream(config, str_of(rule->match)))
            findings_warn(findings, rule->place,
                          "anonymous.allow: no upstream has a name that \"%s\" matches",
                          rule->match);
    }
}

void checks_run(const struct checking *c)
{
    check_listen(c);
    check_limits(c);
    check_upstreams(c);
    check_anonymous(c);
}
