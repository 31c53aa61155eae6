/* SPDX-License-Identifier: Apache-2.0 */
/* Which of an upstream's rules are for a method. Pure. */
#ifndef RPCGATE_SETTINGS_METHOD_RULE_H
#define RPCGATE_SETTINGS_METHOD_RULE_H

#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of a method. */
struct method_rule {
    bool safe;                        /* may run twice */
    bool empty_is_null;               /* an answer with nothing in it is a result */
    int64_t timeout_ms;               /* for the call as a whole */
    const char *timeout_setting;      /* static: which setting that is */
    const struct cache_config *cache; /* how its results are kept; NULL: they are not */
};

/* By the first of `methods` that matches; but for the three introspection methods of `system.`
 * nothing is guessed to be safe. */
struct method_rule method_rule_find(const struct upstream_config *upstream, struct str method);

/* That of a route's method, with what the route itself says. */
struct method_rule method_rule_of_route(const struct route_config *route);

/* The `cache` that holds of those, the innermost first: each may be absent. NULL: neither is
 * anything kept, nor are equal calls made once. */
const struct cache_config *cache_choose(const struct cache_config *inner,
                                        const struct cache_config *outer);

/* Are results of any of its methods kept? */
bool method_rules_keep(const struct upstream_config *upstream);

/* The first rule that is for the method; NULL: there is none, and a result is what it seems. What
 * is to be looked for in it is rule->watch. */
const struct envelope_rule_config *method_envelope(const struct upstream_config *upstream,
                                                   struct str method);

#endif
