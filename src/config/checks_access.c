/* SPDX-License-Identifier: Apache-2.0 */
/* What callers may do: that each rule is whole, and that it is about something. */
#include "config/checks.h"

#include "base/str.h"
#include "config/indexes.h"

#include <stdio.h>

/* A list of rules, and its name in messages. */
struct rules {
    const char *owner; /* "callers[0]" */
    const char *list;  /* "allow" */
    const struct access_rule_config *items;
    size_t n;
};

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

static bool names_route(const struct config *config, struct str glob)
{
    for (size_t i = 0; i < config->n_routes; i++) {
        if (config->routes[i].name != NULL && glob_match(glob, str_of(config->routes[i].name)))
            return true;
    }
    return false;
}

static void check_params(const struct checking *c, const struct rules *rules, size_t i)
{
    for (size_t k = 0; k < rules->items[i].n_params; k++) {
        const struct param_rule_config *param = &rules->items[i].params[k];
        const struct origin *in = &param->origins[PARAM_RULE_in];
        if (!param->present)
            continue; /* it is no group, which is told */
        if (!check_is_set(&param->origins[PARAM_RULE_at]))
            findings_error(c->findings, param->place,
                           "%s.%s[%zu].params[%zu]: `at` is missing, the number of the param",
                           rules->owner, rules->list, i, k);
        if (!check_is_set(in) || (in->shown != NULL && param->in.n == 0))
            findings_error(c->findings, param->place,
                           "%s.%s[%zu].params[%zu]: `in` is missing, the globs of which one must "
                           "match",
                           rules->owner, rules->list, i, k);
    }
}

static void check_rules(const struct checking *c, const struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct access_rule_config *rule = &rules->items[i];
        const struct origin *match = &rule->origins[ACCESS_RULE_match];
        if (rule->present && !check_is_set(match))
            findings_error(c->findings, rule->place,
                           "%s.%s[%zu]: `match` is missing, a glob over `upstream/method`",
                           rules->owner, rules->list, i);
        if (rule->match != NULL && !match->unresolved && rule->match[0] == '@') {
            if (!names_route(c->config, str_of(rule->match + 1)))
                findings_warn(c->findings, rule->place,
                              "%s.%s[%zu]: no route has a name that \"%s\" matches", rules->owner,
                              rules->list, i, origin_told(match, rule->match));
        } else if (rule->match != NULL && !match->unresolved &&
                   !names_upstream(c->config, str_of(rule->match)))
            findings_warn(c->findings, rule->place,
                          "%s.%s[%zu]: no upstream has a name that \"%s\" matches", rules->owner,
                          rules->list, i, origin_told(match, rule->match));
        check_params(c, rules, i);
    }
}

static void check_callers_rules(const struct checking *c)
{
    for (size_t i = 0; i < c->config->n_callers; i++) {
        const struct caller_config *caller = &c->config->callers[i];
        char owner[32];
        snprintf(owner, sizeof owner, "callers[%zu]", i);
        check_rules(c, &(struct rules){ owner, "allow", caller->allow, caller->n_allow });
        check_rules(c, &(struct rules){ owner, "deny", caller->deny, caller->n_deny });
        if (caller->present && caller->allow == NULL)
            findings_warn(c->findings, caller->place,
                          "%s: it may not call anything: `allow` is not set", owner);
    }
}

static void check_anonymous(const struct checking *c)
{
    const struct anonymous_config *a = &c->config->anonymous;
    check_rules(c, &(struct rules){ "anonymous", "allow", a->allow, a->n_allow });
    check_rules(c, &(struct rules){ "anonymous", "deny", a->deny, a->n_deny });
    if (c->findings->n_errors > 0 || c->config->n_callers > 0 || a->allow != NULL)
        return;
    findings_warn(c->findings, a->present ? a->place : c->config->place,
                  "nobody may make calls: there are no `callers`, and %s; `anonymous = { allow = [ "
                  "\"*/*\" ]; };` lets all who connect use all upstreams",
                  a->present ? "`anonymous.allow` is not set" : "there is no `anonymous`");
}

void check_access(const struct checking *c)
{
    check_callers_rules(c);
    check_anonymous(c);
}
