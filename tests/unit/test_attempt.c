/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts of a call: what is tried again and when, one address after the other, the breaker, and
 * the one deadline of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/macros.h"

#define PLAIN "upstreams = { u = { url = \"http://u/\"; }; };\n"

/* How often and how far apart: pauses vary by a half. */
#define TRIES                                                                                      \
    "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 3; backoff = \"100ms\"; };\n"   \
    "  timeouts = { total = \"10s\"; }; methods = ( { match = \"safe.*\"; safe = true; } ); }; };"

static struct rig rig;
static struct fake *const fake = &rig.workers[0].fake;

static void a_call_goes_out_and_comes_back(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    rig_call_begin(&rig, 0, &c, "m", "[1]");
    assert_int_equal(c.call.state, CALL_CALLING);
    assert_int_equal(slots_out(&rig.states[0]->slots), 1);
    char *document = fake_document(fake, 0);
    assert_non_null(strstr(document, "<methodName>m</methodName>"));
    free(document);
    assert_int_equal(fake_call(fake, 0)->deadline_ms, c.call.deadline_ms);
    fake_answer(fake, 0, 200, RIG_ANSWER("<int>7</int>"));
    rig_assert_value(&c, "7");
    assert_int_equal(c.call.attempts, 1);
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    rig_call_done(&c);
    rig_close(&rig);
}

/* What an attempt may end with, and whether another one follows for a method that may run twice,
 * and for others. */
static void what_is_tried_again(void **state)
{
    static const struct {
        enum upstream_status status;
        bool reached, again, safe_again;
        enum problem_type problem;
        enum executed executed;
    } cases[] = {
        { UPSTREAM_CONNECT_FAILED, false, true, true, PROBLEM_CONNECT_FAILED, EXECUTED_NO },
        { UPSTREAM_TLS_FAILED, false, true, true, PROBLEM_TLS_FAILED, EXECUTED_NO },
        { UPSTREAM_LOST, false, true, true, PROBLEM_CONNECTION_LOST, EXECUTED_NO },
        { UPSTREAM_LOST, true, false, true, PROBLEM_CONNECTION_LOST, EXECUTED_UNKNOWN },
        { UPSTREAM_TIMEOUT, true, false, true, PROBLEM_TIMEOUT, EXECUTED_UNKNOWN },
        { UPSTREAM_BAD_RESPONSE, true, false, false, PROBLEM_BAD_RESPONSE, EXECUTED_UNKNOWN },
        { UPSTREAM_FAILED, false, false, false, PROBLEM_INTERNAL, EXECUTED_NO },
    };
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        const bool safe = i % 2 == 1;
        struct rig_call c;
        rig_open(&rig, TRIES);
        rig_call_begin(&rig, 0, &c, safe ? "safe.m" : "m", "[]");
        fake_fail(fake, 0, cases[i / 2].status, cases[i / 2].reached);
        if (safe ? cases[i / 2].safe_again : cases[i / 2].again) {
            assert_int_equal(c.call.state, CALL_BACKOFF);
            assert_int_equal(slots_out(&rig.states[0]->slots), 0);
        } else {
            rig_assert_problem(&c, cases[i / 2].problem, cases[i / 2].executed);
        }
        rig_call_done(&c);
        rig_close(&rig);
    }
}

static void pauses_grow_and_attempts_end(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, TRIES);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    rig_turn(&rig, 49);
    assert_int_equal(fake_n(fake), 0);
    rig_turn(&rig, 102); /* 100 ms, times a half to one and a half */
    assert_int_equal(fake_n(fake), 1);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    rig_turn(&rig, 99);
    assert_int_equal(fake_n(fake), 0);
    rig_turn(&rig, 202);
    assert_int_equal(fake_n(fake), 1);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    rig_assert_problem(&c, PROBLEM_CONNECT_FAILED, EXECUTED_NO);
    assert_int_equal(c.call.attempts, 3);
    rig_call_done(&c);
    rig_close(&rig);
}

/* One that may have reached the upstream is not forgotten by a later one that has not. */
static void what_may_have_run_is_remembered(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, TRIES);
    rig_call_begin(&rig, 0, &c, "safe.m", "[]");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    for (unsigned i = 1; i < 3; i++) {
        rig_turn(&rig, 301);
        fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    }
    rig_assert_problem(&c, PROBLEM_CONNECT_FAILED, EXECUTED_UNKNOWN);
    rig_call_done(&c);
    rig_close(&rig);
}

/* No pause leads beyond the deadline, and nothing is sent behind it. */
static void one_deadline_holds_for_all(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, TRIES);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    rig_turn(&rig, 9990);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    rig_assert_problem(&c, PROBLEM_CONNECT_FAILED, EXECUTED_NO);
    assert_int_equal(c.call.attempts, 1);
    rig_call_done(&c);
    rig_close(&rig);
}

static void a_refused_certificate_is_final(void **state)
{
    struct rig_call c;
    struct upstream_result result = { .status = UPSTREAM_TLS_FAILED, .certificate = true };
    (void)state;
    rig_open(&rig, TRIES);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_end(fake, 0, &result);
    rig_assert_problem(&c, PROBLEM_TLS_FAILED, EXECUTED_NO);
    rig_call_done(&c);
    rig_close(&rig);
}

/* All addresses are one attempt. */
static void addresses_follow_each_other(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, "upstreams = { u = { urls = [ \"http://a/\", \"http://b/\" ];"
                   " breaker = { open = \"1s\"; }; }; };");
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_int_equal(fake_call(fake, 0)->target, 0);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    assert_int_equal(fake_call(fake, 0)->target, 1);
    fake_answer(fake, 0, 200, RIG_ANSWER("a"));
    rig_assert_value(&c, "\"a\"");
    assert_int_equal(c.call.attempts, 1);
    rig_call_done(&c);
    /* The first is left alone, for breaker.open. */
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_int_equal(fake_call(fake, 0)->target, 1);
    rig_call_done(&c);
    rig_turn(&rig, 1000);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_int_equal(fake_call(fake, 0)->target, 0);
    rig_call_done(&c);
    assert_int_equal(fake->n_cancelled, 2);
    rig_close(&rig);
}

#define BREAKS                                                                                     \
    "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 1; };\n"                        \
    "  breaker = { failures = 2; open = \"3s\"; }; }; };"

static void fail_once(enum upstream_status status, bool reached)
{
    struct rig_call c;
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_fail(fake, 0, status, reached);
    rig_call_done(&c);
}

static void assert_is_open(unsigned retry_after)
{
    struct rig_call c;
    size_t before = fake->n_submitted;
    rig_call_begin(&rig, 0, &c, "m", "[]");
    rig_assert_problem(&c, PROBLEM_CIRCUIT_OPEN, EXECUTED_NO);
    assert_int_equal(c.error.retry_after, retry_after);
    assert_int_equal(fake->n_submitted, before);
    rig_call_done(&c);
}

static void the_breaker_opens_and_one_tries(void **state)
{
    struct rig_call probe, c;
    (void)state;
    rig_open(&rig, BREAKS);
    fail_once(UPSTREAM_CONNECT_FAILED, false);
    fail_once(UPSTREAM_LOST, true);
    assert_is_open(3);
    rig_turn(&rig, 2500);
    assert_is_open(1);
    rig_turn(&rig, 500);
    rig_call_begin(&rig, 0, &probe, "m", "[]");
    assert_true(probe.call.is_probe);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    rig_assert_problem(&c, PROBLEM_CIRCUIT_OPEN, EXECUTED_NO);
    rig_call_done(&c);
    fake_answer(fake, 0, 200, RIG_ANSWER("a"));
    rig_assert_value(&probe, "\"a\"");
    rig_call_done(&probe);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_answer(fake, 0, 200, RIG_ANSWER("b"));
    rig_assert_value(&c, "\"b\"");
    rig_call_done(&c);
    rig_close(&rig);
}

/* Who tries and goes away has told nothing: the next one tries. */
static void a_try_that_is_dropped_leaves_the_next(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, BREAKS);
    fail_once(UPSTREAM_CONNECT_FAILED, false);
    fail_once(UPSTREAM_CONNECT_FAILED, false);
    rig_turn(&rig, 3000);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_true(c.call.is_probe);
    rig_call_done(&c);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_true(c.call.is_probe);
    rig_call_done(&c);
    rig_close(&rig);
}

/* Faults, unusable answers and what is the caller's own fault say nothing against the upstream. */
static void what_the_breaker_does_not_count(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, BREAKS);
    for (int i = 0; i < 3; i++) {
        rig_call_begin(&rig, 0, &c, "m", "[]");
        fake_answer(fake, 0, 200, RIG_FAULT("1", "no"));
        rig_assert_problem(&c, PROBLEM_FAULT, EXECUTED_YES);
        rig_call_done(&c);
        fail_once(UPSTREAM_BAD_RESPONSE, true);
        fail_once(UPSTREAM_FAILED, false);
        fail_once(UPSTREAM_TIMEOUT, true); /* at once: most of its time went by elsewhere */
    }
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_int_equal(c.call.state, CALL_CALLING);
    rig_call_done(&c);
    rig_close(&rig);
}

/* Whose limit a time-out names. */
static void a_timeout_names_its_limit(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    rig_call_init(&rig, 0, &c, "m", "[]");
    c.call.is_short = true;
    c.call.limit_ms = 1500;
    c.call.deadline_ms += 1500 - c.call.rule.timeout_ms;
    rig_call_start(&c);
    rig_turn(&rig, 1500);
    fake_fail(fake, 0, UPSTREAM_TIMEOUT, true);
    rig_assert_problem(&c, PROBLEM_TIMEOUT, EXECUTED_UNKNOWN);
    assert_non_null(strstr(c.error.detail, "within 1500 ms (X-Rpcgate-Timeout)"));
    assert_string_equal(c.error.setting, "timeouts.total");
    rig_call_done(&c);
    rig_close(&rig);
}

/* HTTP promised more, but the document is whole. */
static void what_is_cut_behind_its_end_counts(void **state)
{
    struct upstream_result cut = {
        .status = UPSTREAM_LOST, .reached = true, .cut = true, .http_status = 200
    };
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    for (int whole = 0; whole < 2; whole++) {
        rig_call_begin(&rig, 0, &c, "m", "[]");
        fake_head(fake, 0, 200, "text/xml");
        assert_false(fake_call(fake, 0)->is_whole(fake_call(fake, 0)));
        assert_true(fake_data(fake, 0, whole == 1 ? RIG_ANSWER("a") : "<methodResponse>"));
        assert_int_equal(fake_call(fake, 0)->is_whole(fake_call(fake, 0)), whole == 1);
        fake_end(fake, 0, &cut);
        if (whole == 1)
            rig_assert_value(&c, "\"a\"");
        else
            rig_assert_problem(&c, PROBLEM_CONNECTION_LOST, EXECUTED_UNKNOWN);
        rig_call_done(&c);
    }
    rig_close(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_goes_out_and_comes_back),
        cmocka_unit_test(what_is_tried_again),
        cmocka_unit_test(pauses_grow_and_attempts_end),
        cmocka_unit_test(what_may_have_run_is_remembered),
        cmocka_unit_test(one_deadline_holds_for_all),
        cmocka_unit_test(a_refused_certificate_is_final),
        cmocka_unit_test(addresses_follow_each_other),
        cmocka_unit_test(the_breaker_opens_and_one_tries),
        cmocka_unit_test(a_try_that_is_dropped_leaves_the_next),
        cmocka_unit_test(what_the_breaker_does_not_count),
        cmocka_unit_test(a_timeout_names_its_limit),
        cmocka_unit_test(what_is_cut_behind_its_end_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
