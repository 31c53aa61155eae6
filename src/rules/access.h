/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may do. Nothing is allowed unless it is; deny wins. */
#ifndef RPCGATE_RULES_ACCESS_H
#define RPCGATE_RULES_ACCESS_H

#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct access_rules {
    const struct access_rule_config *items;
    size_t n;
};

/* A caller's rights: borrowed from the configuration. */
struct access {
    struct access_rules allow, deny;
};

enum access_answer {
    ACCESS_NO,
    ACCESS_YES,
    ACCESS_BY_PARAMS /* the params decide: access_may_call_with() */
};

/* May it call `upstream/method`? Both sides of a glob match by themselves, so that a `/` in a
 * method's name cannot reach over. */
enum access_answer access_may_call(const struct access *access, struct str upstream,
                                   struct str method);

/* And with those params? `params` is the call's JSON, which is known to be valid: an array, the one
 * param, or no bytes. A rule with `params` matches where each that it names is a string, which may
 * be written {"$string": "…"}, that one of its globs matches. Any other form of a param (a string
 * that XML cannot carry, or that is too long to be looked at, base64, a number, a struct, nil …)
 * counts against the caller: it matches nothing in `allow`, and everything in `deny`. A param that
 * is not there matches nothing. */
bool access_may_call_with(const struct access *access, struct str upstream, struct str method,
                          struct str params);

/* A call, and the route by which it is made. */
struct access_call {
    struct str upstream, method;
    struct str params; /* as above */
    struct str route;  /* its name, of which rules with `@` are; NULL data: none */
};

/* As access_may_call(): the params do not count yet. */
enum access_answer access_answer(const struct access *access, const struct access_call *call);

/* Is there a right to that route, by its name or to what it calls? What its call denies is told
 * apart from that. */
bool access_may_see_route(const struct access *access, const struct access_call *call);

/* As access_may_call_with(), with the rule that decides: the first of `deny` that matches, else the
 * first of `allow`. */
struct access_decision {
    bool may;
    bool by_rule; /* else none of `allow` matches */
    size_t rule;  /* its place in `allow`, or in `deny` */
};
struct access_decision access_decide(const struct access *access, const struct access_call *call);

/* Is the rule about that upstream and method, whatever the params are? */
bool access_rule_names(const struct access_rule_config *rule, const struct access_call *call);

/* Does it match the call, as a rule of `deny` or of `allow`? */
bool access_rule_matches(const struct access_rules *rules, size_t i, const struct access_call *call,
                         bool deny);

/* May it use anything of that upstream? */
bool access_may_see(const struct access *access, struct str upstream);

#endif
