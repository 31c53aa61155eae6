/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/access.h"

#include "rules/param.h"

enum match { MATCH_NEVER, MATCH_BY_PARAMS, MATCH_ALWAYS };

/* No upstream's name has a `/`, so the first one parts a glob. */
static void split(const char *glob, struct str *upstream, struct str *method)
{
    struct str text = str_of(glob);
    size_t slash = str_find(text, '/');
    *upstream = (struct str){ text.data, slash };
    *method = slash < text.len ? str_slice(text, slash + 1, text.len) : (struct str){ NULL, 0 };
}

static bool is_of_routes(const struct access_rule_config *rule)
{
    return rule->match[0] == '@';
}

bool access_rule_names(const struct access_rule_config *rule, const struct access_call *call)
{
    struct str for_upstream, for_method;
    if (is_of_routes(rule))
        return call->route.data != NULL && glob_match(str_of(rule->match + 1), call->route);
    split(rule->match, &for_upstream, &for_method);
    return glob_match(for_upstream, call->upstream) && glob_match(for_method, call->method);
}

static enum match match_name(const struct access_rules *rules, const struct access_call *call)
{
    enum match best = MATCH_NEVER;
    for (size_t i = 0; i < rules->n && best != MATCH_ALWAYS; i++)
        if (access_rule_names(&rules->items[i], call))
            best = rules->items[i].n_params > 0 ? MATCH_BY_PARAMS : MATCH_ALWAYS;
    return best;
}

enum access_answer access_answer(const struct access *access, const struct access_call *call)
{
    enum match allowed = match_name(&access->allow, call);
    enum match denied = match_name(&access->deny, call);
    if (allowed == MATCH_NEVER || denied == MATCH_ALWAYS)
        return ACCESS_NO;
    return allowed == MATCH_BY_PARAMS || denied == MATCH_BY_PARAMS ? ACCESS_BY_PARAMS : ACCESS_YES;
}

enum access_answer access_may_call(const struct access *access, struct str upstream,
                                   struct str method)
{
    return access_answer(access, &(struct access_call){ .upstream = upstream, .method = method });
}

bool access_may_see_route(const struct access *access, const struct access_call *call)
{
    for (size_t i = 0; i < access->deny.n; i++) {
        const struct access_rule_config *rule = &access->deny.items[i];
        if (is_of_routes(rule) && rule->n_params == 0 && access_rule_names(rule, call))
            return false;
    }
    return match_name(&access->allow, call) != MATCH_NEVER;
}

static bool any_glob_matches(const struct texts *globs, struct str text)
{
    for (size_t i = 0; i < globs->n; i++)
        if (glob_match(str_of(globs->items[i]), text))
            return true;
    return false;
}

/* `if_unsure`: what holds of a param that is there, but not as a string that goes out as it was
 * read: many methods take base64, a number or a date for the string of the same characters. */
static bool params_match(const struct access_rule_config *rule, struct params *params,
                         bool if_unsure)
{
    for (size_t i = 0; i < rule->n_params; i++) {
        const struct param_rule_config *param = &rule->params[i];
        struct str text;
        enum param_form form = params_read(params, (size_t)param->at, &text);
        bool matches = form == PARAM_TEXT ? any_glob_matches(&param->in, text)
                                          : form != PARAM_NONE && if_unsure;
        if (!matches)
            return false;
    }
    return true;
}

/* The first that matches, or rules->n. */
static size_t find_match(const struct access_rules *rules, const struct access_call *call,
                         struct params *params, bool if_unsure)
{
    for (size_t i = 0; i < rules->n; i++)
        if (access_rule_names(&rules->items[i], call) &&
            params_match(&rules->items[i], params, if_unsure))
            return i;
    return rules->n;
}

struct access_decision access_decide(const struct access *access, const struct access_call *call)
{
    CLEANUP(params_done) struct params read;
    params_init(&read, call->params);
    size_t denied = find_match(&access->deny, call, &read, /* if_unsure */ true);
    if (denied < access->deny.n)
        return (struct access_decision){ .by_rule = true, .rule = denied };
    size_t allowed = find_match(&access->allow, call, &read, /* if_unsure */ false);
    bool may = allowed < access->allow.n;
    return (struct access_decision){ .may = may, .by_rule = may, .rule = allowed };
}

bool access_may_call_with(const struct access *access, struct str upstream, struct str method,
                          struct str params)
{
    struct access_call call = { .upstream = upstream, .method = method, .params = params };
    return access_decide(access, &call).may;
}

bool access_rule_matches(const struct access_rules *rules, size_t i, const struct access_call *call,
                         bool deny)
{
    CLEANUP(params_done) struct params read;
    params_init(&read, call->params);
    return access_rule_names(&rules->items[i], call) && params_match(&rules->items[i], &read, deny);
}

/* Does `wide` surely match whatever `narrow` does? Read as a text, a glob is matched by those that
 * are at least as wide, but for a `?` that meets a `*`. */
static bool covers(struct str wide, struct str narrow)
{
    return glob_match(wide, narrow) &&
           (str_find(wide, '?') == wide.len || str_find(narrow, '*') == narrow.len);
}

static bool all_denied(const struct access_rules *deny, struct str upstream, struct str allowed)
{
    for (size_t i = 0; i < deny->n; i++) {
        struct str for_upstream, for_method;
        split(deny->items[i].match, &for_upstream, &for_method);
        if (deny->items[i].n_params == 0 && glob_match(for_upstream, upstream) &&
            covers(for_method, allowed))
            return true;
    }
    return false;
}

bool access_may_see(const struct access *access, struct str upstream)
{
    for (size_t i = 0; i < access->allow.n; i++) {
        struct str for_upstream, for_method;
        split(access->allow.items[i].match, &for_upstream, &for_method);
        if (glob_match(for_upstream, upstream) && !all_denied(&access->deny, upstream, for_method))
            return true;
    }
    return false;
}
