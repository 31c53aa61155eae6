/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "config/indexes.h"
#include "settings/method_rule.h"

#include <stdint.h>
#include <string.h>

/* How often `<n>` stands in a text. */
static size_t count_places(const char *text)
{
    size_t n = 0;
    for (; text != NULL && (text = strstr(text, FAULT_PLACE)) != NULL; text++)
        n++;
    return n;
}

static void check_fault_rule(const struct checking *c, const struct upstream_config *u, size_t i)
{
    const struct fault_rule_config *rule = &u->faults[i];
    const struct origin *text = &rule->origins[FAULT_text];
    const struct origin *match = &rule->origins[FAULT_match];
    if (rule->retry_after == PAUSE_OF_TEXT && !text->unresolved && count_places(rule->text) != 1)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.faults[%zu].retry_after: `" FAULT_PLACE "` must stand once in "
                       "`text`, where the number is",
                       u->name, i);
    if (rule->session_expired && !u->session.present)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.faults[%zu]: there is no `session` that could expire", u->name,
                       i);
    if (check_is_set(match) && match->shown != NULL && rule->match.n == 0)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.faults[%zu].match: there is no glob in it", u->name, i);
}

static void check_faults(const struct checking *c, struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_faults; i++) {
        struct fault_rule_config *rule = &u->faults[i];
        bool from = check_is_set(&rule->origins[FAULT_from]);
        bool to = check_is_set(&rule->origins[FAULT_to]);
        check_fault_rule(c, u, i);
        rule->has_range = from || to;
        rule->from = from ? rule->from : INT64_MIN;
        rule->to = to ? rule->to : INT64_MAX;
        if (rule->from <= rule->to)
            continue;
        if (rule->origins[FAULT_from].hidden || rule->origins[FAULT_to].hidden)
            findings_error(c->findings, rule->place,
                           "upstreams.%s.faults[%zu]: no code lies between the two", u->name, i);
        else
            findings_error(c->findings, rule->place,
                           "upstreams.%s.faults[%zu]: no code lies from %lld to %lld", u->name, i,
                           (long long)rule->from, (long long)rule->to);
    }
}

static void check_methods(const struct checking *c, const struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_methods; i++) {
        const struct method_rule_config *rule = &u->methods[i];
        if (!rule->present)
            continue;
        if (!check_is_set(&rule->origins[METHOD_match]))
            findings_error(c->findings, rule->place,
                           "upstreams.%s.methods[%zu]: `match` is missing, a glob over names of "
                           "methods",
                           u->name, i);
        if (rule->cache.present && !rule->safe && rule->match != NULL &&
            !method_rule_find(u, str_of(rule->match)).safe)
            findings_error(c->findings, rule->cache.place,
                           "upstreams.%s.methods[%zu].cache: results are kept of safe methods "
                           "alone; say `safe = true;` if these change nothing and may run twice, "
                           "else leave `cache` out",
                           u->name, i);
    }
}

/* `Z` says that a date is UTC's. */
static void check_dates(const struct checking *c, const struct upstream_config *u)
{
    const struct origin *zone = &u->origins[UPSTREAM_timezone];
    if (u->dates == DATES_ZULU && check_is_set(zone) && u->timezone != NULL &&
        strcmp(u->timezone, "UTC") != 0)
        findings_error(c->findings, zone->place,
                       "upstreams.%s.timezone: dates = \"zulu\" says that all dates are UTC's; "
                       "leave `timezone` out, or choose other dates",
                       u->name);
}

void check_upstream(const struct checking *c, struct upstream_config *u)
{
    const struct origin *connect = &u->timeouts.origins[TIMEOUTS_connect];
    if (!u->present)
        return; /* it is no group, which is told */
    check_constant_templates(c, u);
    check_reach(c, u);
    if (!check_is_set(&u->compression.origins[COMPRESSION_request_over]))
        u->compression.request_over = SIZE_MAX;
    if (check_is_set(connect) && u->timeouts.connect > u->timeouts.total)
        findings_warn(c->findings, connect->place,
                      "upstreams.%s.timeouts.connect: it is longer than timeouts.total, so it is "
                      "never reached",
                      u->name);
    check_tls(c, u);
    check_faults(c, u);
    check_methods(c, u);
    check_dates(c, u);
    check_credentials(c, u);
    check_templates(c, u);
}
