/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retry.h"

/* A pause that is doubled so often is long enough. */
#define DOUBLINGS_MAX 10

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

bool retry_allowed(enum problem_type problem, enum executed executed, bool safe)
{
    switch (problem) {
    case PROBLEM_CONNECT_FAILED:
    case PROBLEM_TLS_FAILED:
        return true;
    case PROBLEM_CONNECTION_LOST:
        return safe || executed == EXECUTED_NO;
    case PROBLEM_TIMEOUT:
        return safe;
    default:
        return false;
    }
}

int64_t retry_pause_ms(int64_t backoff_ms, unsigned attempt, uint32_t random)
{
    unsigned doublings = attempt > DOUBLINGS_MAX ? DOUBLINGS_MAX : attempt - 1;
    int64_t thousandths = 500 + (int64_t)(random % 1001);
    return ((backoff_ms << doublings) * thousandths + 500) / 1000;
}
