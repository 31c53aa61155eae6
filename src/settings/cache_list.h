/* SPDX-License-Identifier: Apache-2.0 */
/* The part of option_list.h that is about answers that are kept; its rows are as there. */
#ifndef RPCGATE_SETTINGS_CACHE_LIST_H
#define RPCGATE_SETTINGS_CACHE_LIST_H

/* cache = { … } of an upstream, of an entry of `methods`, of a route. */
#define CACHE_OPTIONS(X)                                                                           \
    X(duration, ttl, "60s", NULL, "0s", "8760h", LIVE,                                             \
      "How long a result answers equal calls. `0s`: it does not.")                                 \
    X(duration, stale_if_error, "0s", NULL, "0s", "8760h", LIVE,                                   \
      "How much longer it answers where the upstream fails; a fault is no failure.")               \
    X(flag, by_caller, "false", NULL, NULL, NULL, LIVE,                                            \
      "Whether each caller has results of its own; else all who may make a call share them.")      \
    X(flag, collapse, "true", NULL, NULL, NULL, LIVE,                                              \
      "Whether equal calls that are under way at the same time are made once.")

#define CACHE_GROUP_HELP                                                                           \
    "Keeps results and answers equal calls with them; in place of all of a `cache` further out."

#define METHOD_RULE_GROUPS(G) G(cache, cache, CACHE_GROUP_HELP " For `safe` methods alone.")

#endif
