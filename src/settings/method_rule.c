/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/method_rule.h"

#include "settings/match.h"

static bool is_introspection(struct str method)
{
    return str_eq(method, STR("system.listMethods")) ||
           str_eq(method, STR("system.methodSignature")) ||
           str_eq(method, STR("system.methodHelp"));
}

const struct cache_config *cache_choose(const struct cache_config *inner,
                                        const struct cache_config *outer)
{
    const struct cache_config *cache = inner != NULL && inner->present ? inner : outer;
    if (cache == NULL || !cache->present)
        return NULL;
    return cache->ttl > 0 || cache->stale_if_error > 0 || cache->collapse ? cache : NULL;
}

struct method_rule method_rule_find(const struct upstream_config *upstream, struct str method)
{
    struct method_rule rule = {
        .safe = is_introspection(method),
        .timeout_ms = upstream->timeouts.total,
        .timeout_setting = "timeouts.total",
    };
    const struct cache_config *cache = NULL;
    for (size_t i = 0; i < upstream->n_methods; i++) {
        const struct method_rule_config *entry = &upstream->methods[i];
        if (entry->match == NULL || !glob_match(str_of(entry->match), method))
            continue;
        rule.safe |= entry->safe;
        rule.empty_is_null = entry->empty == EMPTY_ANSWER_IS_NULL;
        cache = &entry->cache;
        if (entry->timeout > 0) {
            rule.timeout_ms = entry->timeout;
            rule.timeout_setting = "methods.timeout";
        }
        break;
    }
    if (UNLIKELY(rule.safe))
        rule.cache = cache_choose(cache, &upstream->cache);
    return rule;
}

struct method_rule method_rule_of_route(const struct route_config *route)
{
    struct method_rule rule = method_rule_find(route->upstream, str_of(route->method));
    rule.safe |= route->safe;
    if (UNLIKELY(rule.safe && route->cache.present))
        rule.cache = cache_choose(&route->cache, NULL);
    if (route->timeout > 0) {
        rule.timeout_ms = route->timeout;
        rule.timeout_setting = "routes.timeout";
    }
    return rule;
}

bool method_rules_keep(const struct upstream_config *upstream)
{
    bool any = upstream->cache.present;
    for (size_t i = 0; i < upstream->n_methods; i++)
        any |= upstream->methods[i].cache.present;
    return any;
}

const struct envelope_rule_config *method_envelope(const struct upstream_config *upstream,
                                                   struct str method)
{
    for (size_t i = 0; i < upstream->n_envelope; i++)
        if (match_text(&upstream->envelope[i].match, method))
            return &upstream->envelope[i];
    return NULL;
}
