/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct session_rules plain = { .settle_ms = 30000, .retry_ms = 5000, .parallel = 1 };

struct rig {
    struct sessions s;
    struct session_answer a;
    struct session room[4];
    size_t n;
};

static void begin(struct rig *r, struct session_rules rules)
{
    r->n = 0;
    sessions_init(&r->s, &rules);
}

static enum session_step ask(struct rig *r, int64_t now, uint64_t waited)
{
    return sessions_ask(&r->s, now, waited, &r->a);
}

static struct session *log_in(struct rig *r, int64_t now)
{
    struct session *session = &r->room[r->n++];
    *session = (struct session){ .users = 0 };
    sessions_login_good(&r->s, now, session);
    return session;
}

/* A login, and a call that uses what it brought. */
static struct session *use_new(struct rig *r, int64_t now)
{
    assert_int_equal(ask(r, now, 0), SESSION_WAIT);
    assert_true(r->a.must_login);
    struct session *session = log_in(r, now);
    assert_int_equal(ask(r, now, r->a.round), SESSION_USE);
    assert_ptr_equal(r->a.session, session);
    return session;
}

static void asserts_one_login(struct rig *r, int64_t now)
{
    assert_int_equal(ask(r, now, 0), SESSION_WAIT);
    assert_true(r->a.must_login);
    uint64_t round = r->a.round;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(ask(r, now, 0), SESSION_WAIT);
        assert_false(r->a.must_login);
        assert_int_equal(r->a.round, round);
    }
}

static void one_logs_in_the_others_wait(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    assert_int_equal(sessions_state(&r.s, 0), SESSION_IS_NONE);
    asserts_one_login(&r, 0);
    struct session *session = log_in(&r, 100);
    assert_int_equal(sessions_state(&r.s, 100), SESSION_IS_ACTIVE);
    for (uint64_t i = 1; i <= 200; i++) {
        assert_int_equal(ask(&r, 100, 1), SESSION_USE);
        assert_ptr_equal(r.a.session, session);
        assert_int_equal(r.a.count, i);
        assert_false(r.a.must_login);
    }
}

static void is_dropped_once_and_renewed_once(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    struct session *old = use_new(&r, 0);
    for (int i = 0; i < 9; i++)
        assert_int_equal(ask(&r, 1, 0), SESSION_USE);
    assert_int_equal(sessions_expired(&r.s, old, 30000), SESSION_DROPPED);
    for (int i = 0; i < 9; i++)
        assert_int_equal(sessions_expired(&r.s, old, 30000), SESSION_GONE);
    assert_int_equal(sessions_state(&r.s, 30000), SESSION_IS_NONE);
    asserts_one_login(&r, 30000);
    struct session *fresh = log_in(&r, 30001);
    /* One that finds out late does not end the new one. */
    assert_int_equal(sessions_expired(&r.s, old, 90000), SESSION_GONE);
    assert_int_equal(ask(&r, 90000, 2), SESSION_USE);
    assert_ptr_equal(r.a.session, fresh);
    assert_int_equal(r.a.count, 1);
}

static void ends_when_its_last_call_has(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    struct session *old = use_new(&r, 0);
    assert_int_equal(ask(&r, 0, 0), SESSION_USE);
    assert_int_equal(sessions_expired(&r.s, old, 40000), SESSION_DROPPED);
    sessions_release(&r.s, old, 40000);
    assert_null(sessions_next_leaving(&r.s));
    sessions_release(&r.s, old, 40000);
    assert_ptr_equal(sessions_next_leaving(&r.s), old);
    assert_null(sessions_next_leaving(&r.s));
    assert_true(old->expired);
    sessions_gone(&r.s, old);
    assert_true(list_empty(&r.s.all));
}

static void a_young_one_is_not_renewed(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    struct session *session = use_new(&r, 1000);
    assert_int_equal(sessions_expired(&r.s, session, 1000), SESSION_FINAL);
    assert_int_equal(sessions_expired(&r.s, session, 30999), SESSION_FINAL);
    assert_int_equal(sessions_state(&r.s, 30999), SESSION_IS_ACTIVE);
    assert_int_equal(sessions_expired(&r.s, session, 31000), SESSION_DROPPED);
    struct session_rules never = plain;
    never.settle_ms = 0;
    begin(&r, never);
    assert_int_equal(sessions_expired(&r.s, use_new(&r, 0), 0), SESSION_DROPPED);
}

static void a_refusal_is_not_tried_again(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    int64_t now = 0, pause = 5000;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(ask(&r, now, 0), SESSION_WAIT);
        assert_true(r.a.must_login);
        uint64_t round = r.a.round;
        sessions_login_refused(&r.s, now, 0);
        /* Who has waited for it, however late, is told. */
        assert_int_equal(ask(&r, now, round), SESSION_REFUSED);
        assert_int_equal(r.a.wait_ms, pause);
        assert_int_equal(ask(&r, now + pause, round), SESSION_REFUSED);
        assert_int_equal(ask(&r, now + pause - 1, 0), SESSION_REFUSED);
        assert_int_equal(r.a.wait_ms, 1);
        assert_int_equal(sessions_state(&r.s, now + pause - 1), SESSION_IS_REFUSED);
        assert_int_equal(sessions_state(&r.s, now + pause), SESSION_IS_NONE);
        now += pause;
        pause = pause * 2 < 600000 ? pause * 2 : 600000;
    }
    use_new(&r, now);
    assert_int_equal(r.s.n_bad, 0);
}

static void what_the_server_asks_for_counts(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    assert_int_equal(ask(&r, 0, 0), SESSION_WAIT);
    sessions_login_refused(&r.s, 0, 3600000);
    assert_int_equal(ask(&r, 1, 0), SESSION_REFUSED);
    assert_int_equal(r.a.wait_ms, 3599999);
    assert_int_equal(ask(&r, 3600000, 0), SESSION_WAIT);
    sessions_login_refused(&r.s, 3600000, 1000);
    assert_int_equal(ask(&r, 3600000, 0), SESSION_REFUSED);
    assert_int_equal(r.a.wait_ms, 10000);
}

/* All who waited for it are told the one failure; who comes then tries anew. */
static void a_failure_is_told_to_who_waited(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    asserts_one_login(&r, 0);
    uint64_t round = r.a.round;
    (void)sessions_login_failed(&r.s, 0, 0);
    for (int i = 0; i < 9; i++)
        assert_int_equal(ask(&r, 10, round), SESSION_FAILED);
    assert_int_equal(sessions_state(&r.s, 10), SESSION_IS_NONE);
    asserts_one_login(&r, 10);
    assert_int_equal(ask(&r, 10, round), SESSION_FAILED);
    log_in(&r, 20);
    assert_int_equal(ask(&r, 20, round), SESSION_USE);
}

static void fail_login(struct rig *r, int64_t now, int64_t asked, int64_t pause)
{
    assert_int_equal(ask(r, now, 0), SESSION_WAIT);
    assert_true(r->a.must_login);
    assert_int_equal(sessions_login_failed(&r->s, now, asked), pause);
    if (pause == 0)
        return;
    assert_int_equal(ask(r, now + pause - 1, 0), SESSION_FAILED);
    assert_int_equal(r->a.wait_ms, 1);
    assert_int_equal(sessions_state(&r->s, now), SESSION_IS_NONE);
}

/* A server may count what it does not answer: the first may have been an accident. */
static void failures_in_a_row_have_pauses(void **state)
{
    static const int64_t pauses[] = { 0, 5000, 10000, 20000, 40000, 60000, 60000 };
    struct rig r;
    int64_t now = 0;
    (void)state;
    begin(&r, plain);
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        fail_login(&r, now, 0, pauses[i]);
        now += pauses[i];
    }
    fail_login(&r, now, 90000, 90000);
    use_new(&r, now + 90000);
    begin(&r, plain);
    fail_login(&r, 0, 0, 0);
    assert_int_equal(ask(&r, 0, 0), SESSION_WAIT);
    assert_int_equal(sessions_login_refused(&r.s, 0, 0), 10000);
    fail_login(&r, 10000, 0, 10000);
}

static void what_is_not_sent_has_none(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    for (int i = 0; i < 9; i++) {
        asserts_one_login(&r, 0);
        sessions_login_unsent(&r.s);
        assert_int_equal(ask(&r, 0, r.a.round), SESSION_FAILED);
        assert_int_equal(r.a.wait_ms, 0);
    }
}

static void old_and_idle_ones_are_renewed_before(void **state)
{
    struct rig r;
    struct session_rules rules = plain;
    (void)state;
    rules.idle_ms = 1000;
    rules.max_age_ms = 5000;
    begin(&r, rules);
    struct session *session = use_new(&r, 0);
    assert_int_equal(ask(&r, 3000, 0), SESSION_USE); /* one in use is not idle */
    sessions_release(&r.s, session, 3000);
    sessions_release(&r.s, session, 3500);
    assert_int_equal(ask(&r, 4499, 0), SESSION_USE);
    assert_int_equal(ask(&r, 5000, 0), SESSION_WAIT); /* too old, with a call under way */
    assert_true(r.a.must_login);
    assert_null(sessions_next_leaving(&r.s));
    sessions_release(&r.s, session, 5000);
    assert_ptr_equal(sessions_next_leaving(&r.s), session);
    assert_false(session->expired);
    sessions_gone(&r.s, session);
    session = log_in(&r, 5000);
    assert_int_equal(ask(&r, 6000, 0), SESSION_WAIT); /* idle */
    assert_ptr_equal(sessions_next_leaving(&r.s), session);
}

static void exclusive_ones_leave_first(void **state)
{
    struct rig r;
    struct session_rules rules = plain;
    (void)state;
    rules.exclusive = true;
    rules.max_age_ms = 5000;
    begin(&r, rules);
    struct session *session = use_new(&r, 0);
    assert_int_equal(ask(&r, 5000, 0), SESSION_WAIT);
    assert_false(r.a.must_login);
    sessions_release(&r.s, session, 5001);
    assert_int_equal(ask(&r, 5001, 0), SESSION_WAIT);
    assert_false(r.a.must_login);
    assert_ptr_equal(sessions_next_leaving(&r.s), session);
    assert_int_equal(ask(&r, 5002, 0), SESSION_WAIT);
    assert_false(r.a.must_login);
    sessions_gone(&r.s, session);
    use_new(&r, 5003);
}

static void serial_ones_have_one_call_each(void **state)
{
    struct rig r;
    struct session_rules rules = plain;
    (void)state;
    rules.serial = true;
    rules.parallel = 2;
    begin(&r, rules);
    struct session *first = use_new(&r, 0), *second = use_new(&r, 0);
    assert_ptr_not_equal(first, second);
    assert_int_equal(ask(&r, 0, 0), SESSION_WAIT);
    assert_false(r.a.must_login);
    sessions_release(&r.s, first, 1);
    assert_int_equal(ask(&r, 1, 0), SESSION_USE);
    assert_ptr_equal(r.a.session, first);
    assert_int_equal(r.a.count, 2);
}

/* The server lets no second one in: what there is goes on being used. */
static void refused_beside_others(void **state)
{
    struct rig r;
    struct session_rules rules = plain;
    (void)state;
    rules.serial = true;
    rules.parallel = 2;
    begin(&r, rules);
    struct session *first = use_new(&r, 0);
    assert_int_equal(ask(&r, 0, 0), SESSION_WAIT);
    assert_true(r.a.must_login);
    uint64_t round = r.a.round;
    sessions_login_refused(&r.s, 0, 0);
    assert_int_equal(ask(&r, 5000, round), SESSION_WAIT);
    assert_false(r.a.must_login);
    sessions_release(&r.s, first, 5001);
    assert_int_equal(ask(&r, 5001, round), SESSION_USE);
    assert_int_equal(ask(&r, 5002, 0), SESSION_WAIT);
    assert_true(r.a.must_login);
}

static void parallel_ones_are_opened_as_needed(void **state)
{
    struct rig r;
    struct session_rules rules = plain;
    (void)state;
    rules.parallel = 3;
    begin(&r, rules);
    struct session *first = use_new(&r, 0);
    assert_int_equal(ask(&r, 0, 0), SESSION_USE);
    assert_ptr_equal(r.a.session, first);
    assert_true(r.a.must_login);
    assert_int_equal(ask(&r, 0, 0), SESSION_USE);
    assert_false(r.a.must_login);
    struct session *second = log_in(&r, 1);
    assert_int_equal(ask(&r, 1, 0), SESSION_USE);
    assert_ptr_equal(r.a.session, second);
    assert_false(r.a.must_login);
}

static void rested_ones_are_kept_alive(void **state)
{
    struct rig r;
    int64_t next;
    (void)state;
    begin(&r, plain);
    assert_null(sessions_rested(&r.s, 0, 1000, &next));
    assert_int_equal(next, CLOCK_NEVER);
    struct session *session = use_new(&r, 0);
    assert_null(sessions_rested(&r.s, 5000, 1000, &next));
    assert_int_equal(next, 6000);
    sessions_release(&r.s, session, 5500);
    assert_null(sessions_rested(&r.s, 6000, 1000, &next));
    assert_int_equal(next, 6500);
    assert_ptr_equal(sessions_rested(&r.s, 6500, 1000, &next), session);
    sessions_release(&r.s, session, 6600);
    assert_null(sessions_rested(&r.s, 6600, 1000, &next));
    assert_int_equal(next, 7600);
}

static void closed_ones_leave(void **state)
{
    struct rig r;
    (void)state;
    begin(&r, plain);
    struct session *session = use_new(&r, 0);
    sessions_close(&r.s);
    assert_null(sessions_next_leaving(&r.s));
    sessions_release(&r.s, session, 1);
    assert_ptr_equal(sessions_next_leaving(&r.s), session);
    sessions_gone(&r.s, session);
    assert_int_equal(ask(&r, 1, 0), SESSION_WAIT);
    assert_false(r.a.must_login);
    /* What a login brings that was under way. */
    begin(&r, plain);
    assert_int_equal(ask(&r, 0, 0), SESSION_WAIT);
    sessions_close(&r.s);
    session = log_in(&r, 1);
    assert_int_equal(sessions_state(&r.s, 1), SESSION_IS_NONE);
    assert_ptr_equal(sessions_next_leaving(&r.s), session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_logs_in_the_others_wait),
        cmocka_unit_test(is_dropped_once_and_renewed_once),
        cmocka_unit_test(ends_when_its_last_call_has),
        cmocka_unit_test(a_young_one_is_not_renewed),
        cmocka_unit_test(a_refusal_is_not_tried_again),
        cmocka_unit_test(what_the_server_asks_for_counts),
        cmocka_unit_test(a_failure_is_told_to_who_waited),
        cmocka_unit_test(failures_in_a_row_have_pauses),
        cmocka_unit_test(what_is_not_sent_has_none),
        cmocka_unit_test(old_and_idle_ones_are_renewed_before),
        cmocka_unit_test(exclusive_ones_leave_first),
        cmocka_unit_test(serial_ones_have_one_call_each),
        cmocka_unit_test(refused_beside_others),
        cmocka_unit_test(parallel_ones_are_opened_as_needed),
        cmocka_unit_test(rested_ones_are_kept_alive),
        cmocka_unit_test(closed_ones_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
