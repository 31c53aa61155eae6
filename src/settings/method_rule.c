/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/method_rule.h"

#include "settings/match.h"

static bool is_introspection(struct str method)
{
    return str_eq(method, STR("system.listMethods")) ||
           str_eq(method, STR("system.methodSignature")) ||
           str_eq(method, STR("system.methodHelp"));
}

struct method_rule method_rule_find(const struct upstream_config *upstream, struct str method)
{
    struct method_rule rule = {
        .safe = is_introspection(method),
        .timeout_ms = upstream->timeouts.total,
        .timeout_setting = "timeouts.total",
    };
    for (size_t i = 0; i < upstream->n_methods; i++) {
        const struct method_rule_config *entry = &upstream->methods[i];
        if (entry->match == NULL || !glob_match(str_of(entry->match), method))
            continue;
        rule.safe |= entry->safe;
        rule.empty_is_null = entry->empty == EMPTY_ANSWER_IS_NULL;
        if (entry->timeout > 0) {
            rule.timeout_ms = entry->timeout;
            rule.timeout_setting = "methods.timeout";
        }
        break;
    }
    return rule;
}

struct method_rule method_rule_of_route(const struct route_config *route)
{
    struct method_rule rule = method_rule_find(route->upstream, str_of(route->method));
    rule.safe |= route->safe;
    if (route->timeout > 0) {
        rule.timeout_ms = route->timeout;
        rule.timeout_setting = "routes.timeout";
    }
    return rule;
}

const struct envelope_rule_config *method_envelope(const struct upstream_config *upstream,
                                                   struct str method)
{
    for (size_t i = 0; i < upstream->n_envelope; i++)
        if (match_text(&upstream->envelope[i].match, method))
            return &upstream->envelope[i];
    return NULL;
}
