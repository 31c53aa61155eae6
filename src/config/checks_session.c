/* SPDX-License-Identifier: Apache-2.0 */
/* `inject`, `session` and `envelope`: that each is whole, and that what stands together can. */
#include "config/checks.h"

#include "config/indexes.h"
#include "settings/result_paths.h"

#include <stdio.h>
#include <string.h>

#define PART_MAX 160

static bool is_set(const struct origin *origin)
{
    return check_is_set(origin);
}

/* One that fits some value: of the ways to test it exactly one is written. */
static void check_test(const struct checking *c, const struct value_test_config *test,
                       const char *part)
{
    const struct origin *o = test->origins;
    if (!test->present)
        return;
    int forms = is_set(&o[TEST_is]) + (is_set(&o[TEST_from]) || is_set(&o[TEST_to])) +
                is_set(&o[TEST_text]) + is_set(&o[TEST_has]);
    if (forms != 1)
        findings_error(c->findings, test->place,
                       "%s: set one of `is`, `from` and `to`, `text`, and `has`", part);
    if (is_set(&o[TEST_text]) && o[TEST_text].shown != NULL && test->text.n == 0)
        findings_error(c->findings, test->place, "%s.text: there is no glob in it", part);
    if (is_set(&o[TEST_has]) && o[TEST_has].shown != NULL && test->has.n == 0)
        findings_error(c->findings, test->place, "%s.has: there is no pointer in it", part);
}

static void refuse_paths(const struct checking *c, struct place place,
                         const struct upstream_config *u, const char *part)
{
    findings_error(c->findings, place,
                   "upstreams.%s.%s: it has more than %d pointers, or one of more than %d parts",
                   u->name, part, DECODE_WATCH_MAX, DECODE_WATCH_DEPTH_MAX);
}

static void check_inject_rule(const struct checking *c, const struct upstream_config *u, size_t i)
{
    const struct inject_rule_config *rule = &u->inject[i];
    const struct origin *o = rule->origins;
    if (is_set(&o[INJECT_at]) && !is_set(&o[INJECT_params]))
        findings_error(c->findings, rule->place,
                       "upstreams.%s.inject[%zu]: `at` says where `params` go, but they are not "
                       "set",
                       u->name, i);
    if (is_set(&o[INJECT_in]) && !is_set(&o[INJECT_member]))
        findings_error(c->findings, rule->place,
                       "upstreams.%s.inject[%zu]: `in` says where `member` goes, but it is not set",
                       u->name, i);
    if (rule->cookies && !u->session.present)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.inject[%zu]: `cookies` are those of a `session`, but it is "
                       "not set",
                       u->name, i);
    if (is_set(&o[INJECT_match]) && o[INJECT_match].shown != NULL && rule->match.n == 0)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.inject[%zu].match: there is no glob in it", u->name, i);
}

static void check_login(const struct checking *c, const struct upstream_config *u)
{
    const struct login_config *login = &u->session.login;
    const struct origin *o = login->origins;
    char part[PART_MAX];
    if (!login->present) {
        findings_error(c->findings, u->session.place, "upstreams.%s.session: `login` is missing",
                       u->name);
        return;
    }
    bool method = is_set(&o[LOGIN_method]), form = is_set(&o[LOGIN_form]);
    if (method == form)
        findings_error(c->findings, login->place,
                       "upstreams.%s.session.login: set either `method` or `form`%s", u->name,
                       method ? ", not both" : "");
    if (form && (is_set(&o[LOGIN_params]) || is_set(&o[LOGIN_keep]) || login->good.present))
        findings_error(c->findings, login->place,
                       "upstreams.%s.session.login: `params`, `keep` and `good` are of a call; a "
                       "`form` has none",
                       u->name);
    snprintf(part, sizeof part, "upstreams.%s.session.login.good", u->name);
    check_test(c, &login->good, part);
    for (size_t i = 0; i < login->keep.n; i++) {
        for (size_t k = 0; k < u->credentials.n; k++) {
            if (strcmp(login->keep.items[i].name, u->credentials.items[k].name) == 0)
                findings_error(c->findings, login->keep.items[i].origin->place,
                               "upstreams.%s.session.login.keep: `credentials` has a `%s`, too",
                               u->name, login->keep.items[i].name);
        }
    }
}

static void check_session(const struct checking *c, struct upstream_config *u)
{
    struct session_config *s = &u->session;
    if (!s->present)
        return;
    check_login(c, u);
    if (s->login.present && !result_paths_of_login(c->config->store, &s->login))
        refuse_paths(c, s->login.place, u, "session.login");
    if (s->logout.present && !is_set(&s->logout.origins[LOGOUT_method]))
        findings_error(c->findings, s->logout.place,
                       "upstreams.%s.session.logout: `method` is missing", u->name);
    if (s->keepalive.present && !is_set(&s->keepalive.origins[KEEPALIVE_method]))
        findings_error(c->findings, s->keepalive.place,
                       "upstreams.%s.session.keepalive: `method` is missing", u->name);
    if (s->keepalive.present && !is_set(&s->keepalive.origins[KEEPALIVE_every]))
        findings_error(c->findings, s->keepalive.place,
                       "upstreams.%s.session.keepalive: `every` is missing", u->name);
    if (s->exclusive && s->parallel > 1)
        findings_error(c->findings, s->place,
                       "upstreams.%s.session: a server that has room for one session "
                       "(`exclusive`) cannot have several in `parallel`",
                       u->name);
}

static void check_envelope(const struct checking *c, struct upstream_config *u, size_t i)
{
    struct envelope_rule_config *rule = &u->envelope[i];
    const struct origin *o = rule->origins;
    char part[PART_MAX];
    if (!rule->present)
        return;
    if (rule->good.present == rule->bad.present)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.envelope[%zu]: set either `good` or `bad`%s", u->name, i,
                       rule->good.present ? ", not both" : "");
    if (is_set(&o[ENVELOPE_match]) && o[ENVELOPE_match].shown != NULL && rule->match.n == 0)
        findings_error(c->findings, rule->place,
                       "upstreams.%s.envelope[%zu].match: there is no glob in it", u->name, i);
    snprintf(part, sizeof part, "envelope[%zu]", i);
    if (!result_paths_of_envelope(c->config->store, rule))
        refuse_paths(c, rule->place, u, part);
    snprintf(part, sizeof part, "upstreams.%s.envelope[%zu].good", u->name, i);
    check_test(c, &rule->good, part);
    snprintf(part, sizeof part, "upstreams.%s.envelope[%zu].bad", u->name, i);
    check_test(c, &rule->bad, part);
}

void check_credentials(const struct checking *c, struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_inject; i++) {
        if (u->inject[i].present)
            check_inject_rule(c, u, i);
    }
    check_session(c, u);
    for (size_t i = 0; i < u->n_envelope; i++)
        check_envelope(c, u, i);
}
