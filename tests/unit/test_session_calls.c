/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that need a session, over two workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "client/session_store.h"
#include "rules/redacted.h"

#define SETTINGS(session)                                                                          \
    "upstreams = { up = { url = \"http://h\"; timeouts = { total = \"20s\"; };"                    \
    "credentials = { password = \"s3cret-pw\"; };"                                                 \
    "inject = ( { match = \"open*\"; }, { params = [ \"{session}\" ]; } );"                        \
    "faults = ( { code = -1; session_expired = true; } );"                                         \
    "session = { login = { method = \"login\"; params = [ \"{password}\" ]; };" session "}; }; };"

#define KEY RIG_ANSWER("<string>the-key</string>")
#define EXPIRED RIG_FAULT("-1", "no such session")

/* Documents are written in steps, and what one worker has is told to the other. */
static void settle(struct rig *rig)
{
    for (int i = 0; i < 8; i++)
        rig_turn(rig, 0);
}

static void answer(struct rig *rig, size_t worker, const char *text)
{
    fake_answer(&rig->workers[worker].fake, 0, 200, text);
    settle(rig);
}

/* What the first call under way in that worker says. */
static void assert_sent(struct rig *rig, size_t worker, const char *method, const char *part)
{
    char *document = fake_document(&rig->workers[worker].fake, 0);
    char name[64];
    snprintf(name, sizeof name, "<methodName>%s<", method);
    if (strstr(document, name) == NULL || strstr(document, part) == NULL)
        fail_msg("no %s with %s: %s", method, part, document);
    free(document);
}

static size_t n_under_way(struct rig *rig, size_t worker)
{
    return fake_n(&rig->workers[worker].fake);
}

static void begin_two(struct rig *rig, struct rig_call calls[2])
{
    for (size_t i = 0; i < 2; i++)
        rig_call_begin(rig, i, &calls[i], "echo", "[5]");
    settle(rig);
    assert_int_equal(n_under_way(rig, 0), 1);
    assert_int_equal(n_under_way(rig, 1), 0);
    assert_sent(rig, 0, "login", "s3cret-pw");
}

static void end_two(struct rig *rig, struct rig_call calls[2])
{
    for (size_t i = 0; i < 2; i++)
        rig_call_done(&calls[i]);
    rig_close(rig);
}

static void one_worker_logs_in_for_all(void **state)
{
    struct rig rig;
    struct rig_call calls[2];
    (void)state;
    rig_open(&rig, SETTINGS(""));
    begin_two(&rig, calls);
    answer(&rig, 0, KEY);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(n_under_way(&rig, i), 1);
        assert_sent(&rig, i, "echo", "the-key</string></value></param><param><value><int>5<");
        answer(&rig, i, RIG_ANSWER("<int>1</int>"));
        rig_assert_value(&calls[i], "1");
    }
    end_two(&rig, calls);
}

static void others_need_none(void **state)
{
    struct rig rig;
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS(""));
    rig_call_begin(&rig, 0, &c, "open", "[5]");
    assert_sent(&rig, 0, "open", "<params><param><value><int>5<");
    assert_null(c.call.session);
    answer(&rig, 0, RIG_ANSWER("<int>1</int>"));
    rig_assert_value(&c, "1");
    rig_call_done(&c);
    rig_close(&rig);
}

/* The login goes on; who comes later has it. */
static void each_waits_as_long_as_it_may(void **state)
{
    struct rig rig;
    struct rig_call calls[2];
    (void)state;
    rig_open(&rig, SETTINGS(""));
    for (size_t i = 0; i < 2; i++) {
        rig_call_init(&rig, i, &calls[i], "echo", "[5]");
        calls[i].call.is_short = i == 0;
        calls[i].call.limit_ms = 1000;
        calls[i].call.deadline_ms -= i == 0 ? 19000 : 0;
        rig_call_start(&calls[i]);
    }
    settle(&rig);
    rig_turn(&rig, 1001);
    rig_assert_problem(&calls[0], PROBLEM_TIMEOUT, EXECUTED_NO);
    assert_int_equal(calls[1].n_ended, 0);
    answer(&rig, 0, KEY);
    assert_sent(&rig, 1, "echo", "the-key");
    answer(&rig, 1, RIG_ANSWER("<int>1</int>"));
    rig_assert_value(&calls[1], "1");
    end_two(&rig, calls);
}

static void who_leaves_leaves_the_login(void **state)
{
    struct rig rig;
    struct rig_call calls[2];
    (void)state;
    rig_open(&rig, SETTINGS(""));
    begin_two(&rig, calls);
    call_abandon(&calls[0].call);
    settle(&rig);
    rig_assert_problem(&calls[0], PROBLEM_REQUEST_TIMEOUT, EXECUTED_NO);
    call_drop(&calls[1].call);
    answer(&rig, 0, KEY);
    assert_int_equal(session_store_state(rig.states[0]->sessions), SESSION_IS_ACTIVE);
    end_two(&rig, calls);
}

static void a_failed_login_is_told_to_all(void **state)
{
    struct rig rig;
    struct rig_call calls[2];
    (void)state;
    rig_open(&rig, SETTINGS(""));
    begin_two(&rig, calls);
    fake_fail(&rig.workers[0].fake, 0, UPSTREAM_TIMEOUT, true);
    settle(&rig);
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_TIMEOUT, EXECUTED_NO);
    assert_int_equal(n_under_way(&rig, 0) + n_under_way(&rig, 1), 0);
    end_two(&rig, calls);
}

/* What a problem of it would say. */
static void assert_shown(const struct rig *rig, const struct error *err, const char *part)
{
    CLEANUP(buf_done) struct buf shown;
    buf_init(&shown, SIZE_MAX - 1, NULL);
    redacted_detail(rig->config->redactor, err, &shown);
    assert_non_null(strstr(buf_c(&shown), part));
}

static void a_refused_login_rests(void **state)
{
    struct rig rig;
    struct rig_call calls[2], later;
    (void)state;
    rig_open(&rig, SETTINGS(""));
    begin_two(&rig, calls);
    answer(&rig, 0, RIG_FAULT("5", "s3cret-pw is wrong"));
    for (size_t i = 0; i < 2; i++) {
        rig_assert_problem(&calls[i], PROBLEM_LOGIN_FAILED, EXECUTED_NO);
        assert_int_equal(calls[i].error.retry_after, 5);
        assert_shown(&rig, &calls[i].error, "*** is wrong");
    }
    rig_turn(&rig, 4000);
    rig_call_begin(&rig, 1, &later, "echo", "[]");
    rig_assert_problem(&later, PROBLEM_LOGIN_FAILED, EXECUTED_NO);
    assert_int_equal(later.error.retry_after, 1);
    rig_call_done(&later);
    rig_turn(&rig, 1000);
    rig_call_begin(&rig, 1, &later, "echo", "[]");
    settle(&rig);
    assert_sent(&rig, 1, "login", "s3cret-pw");
    rig_call_done(&later);
    answer(&rig, 1, KEY);
    end_two(&rig, calls);
}

static void an_expired_call_is_sent_again_once(void **state)
{
    struct rig rig;
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS("settle = \"0s\";"));
    rig_call_begin(&rig, 0, &c, "echo", "[5]");
    settle(&rig);
    answer(&rig, 0, KEY);
    answer(&rig, 0, EXPIRED);
    assert_sent(&rig, 0, "login", "s3cret-pw");
    answer(&rig, 0, RIG_ANSWER("<string>another</string>"));
    assert_sent(&rig, 0, "echo", "another</string></value></param><param><value><int>5<");
    answer(&rig, 0, EXPIRED);
    rig_assert_problem(&c, PROBLEM_FAULT, EXECUTED_NO);
    assert_int_equal(c.call.attempts, 2);
    assert_int_equal(n_under_way(&rig, 0), 0);
    rig_call_done(&c);
    rig_close(&rig);
}

static void what_was_lost_is_not_sent_again(void **state)
{
    static const enum upstream_status ends[] = { UPSTREAM_LOST, UPSTREAM_TIMEOUT,
                                                 UPSTREAM_BAD_RESPONSE };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct rig rig;
        struct rig_call c;
        rig_open(&rig, SETTINGS("settle = \"0s\";"));
        rig_call_begin(&rig, 0, &c, "echo", "[5]");
        settle(&rig);
        answer(&rig, 0, KEY);
        fake_fail(&rig.workers[0].fake, 0, ends[i], true);
        rig_turn(&rig, 60000);
        assert_int_equal(c.n_ended, 1);
        assert_int_equal(c.error.executed, EXECUTED_UNKNOWN);
        assert_int_equal(n_under_way(&rig, 0), 0);
        rig_call_done(&c);
        rig_close(&rig);
    }
}

static void logs_out_behind_the_last_worker(void **state)
{
    struct rig rig;
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS("logout = { method = \"out\"; params = [ \"{session}\" ]; };"));
    rig_call_begin(&rig, 0, &c, "echo", "[5]");
    settle(&rig);
    answer(&rig, 0, KEY);
    answer(&rig, 0, RIG_ANSWER("<int>1</int>"));
    rig_call_done(&c);
    sites_leave(&rig.workers[1].client);
    assert_int_equal(n_under_way(&rig, 1), 0);
    sites_leave(&rig.workers[0].client);
    settle(&rig);
    assert_sent(&rig, 0, "out", "the-key");
    assert_int_equal(rig.workers[0].client.n_leaving, 1);
    client_cut_off(&rig.workers[0].client);
    assert_int_equal(n_under_way(&rig, 0), 1);
    fake_fail(&rig.workers[0].fake, 0, UPSTREAM_TIMEOUT, true);
    assert_int_equal(rig.workers[0].client.n_leaving, 0);
    rig_close(&rig);
}

/* At once, beside the login of its successor. */
static void an_old_session_is_logged_out(void **state)
{
    struct rig rig;
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS("max_age = \"10s\"; "
                            "logout = { method = \"out\"; params = [ \"{session}\" ]; };"));
    rig_call_begin(&rig, 0, &c, "echo", "[5]");
    settle(&rig);
    answer(&rig, 0, KEY);
    answer(&rig, 0, RIG_ANSWER("<int>1</int>"));
    rig_call_done(&c);
    rig_turn(&rig, 10001);
    assert_int_equal(n_under_way(&rig, 0), 0);
    rig_call_begin(&rig, 0, &c, "echo", "[6]");
    settle(&rig);
    assert_int_equal(n_under_way(&rig, 0), 2);
    assert_sent(&rig, 0, "login", "s3cret-pw");
    answer(&rig, 0, RIG_ANSWER("<string>another</string>"));
    assert_sent(&rig, 0, "out", "the-key");
    answer(&rig, 0, RIG_ANSWER("<int>1</int>"));
    assert_sent(&rig, 0, "echo", "another");
    answer(&rig, 0, RIG_ANSWER("<int>1</int>"));
    rig_assert_value(&c, "1");
    rig_call_done(&c);
    rig_close(&rig);
}

static void the_end_ends_logins(void **state)
{
    struct rig rig;
    struct rig_call calls[2];
    (void)state;
    rig_open(&rig, SETTINGS(""));
    begin_two(&rig, calls);
    client_cut_off(&rig.workers[0].client);
    client_cut_off(&rig.workers[1].client);
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_DRAINING, EXECUTED_NO);
    end_two(&rig, calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_logs_in_for_all),
        cmocka_unit_test(others_need_none),
        cmocka_unit_test(each_waits_as_long_as_it_may),
        cmocka_unit_test(who_leaves_leaves_the_login),
        cmocka_unit_test(a_failed_login_is_told_to_all),
        cmocka_unit_test(a_refused_login_rests),
        cmocka_unit_test(an_expired_call_is_sent_again_once),
        cmocka_unit_test(what_was_lost_is_not_sent_again),
        cmocka_unit_test(logs_out_behind_the_last_worker),
        cmocka_unit_test(an_old_session_is_logged_out),
        cmocka_unit_test(the_end_ends_logins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
