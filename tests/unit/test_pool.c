/* SPDX-License-Identifier: Apache-2.0 */
/* Slots and the queue for them, in one worker and between two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/macros.h"

#define NARROW                                                                                     \
    "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 1; };\n"                        \
    "  pool = { max_connections = 1; max_queue = 2; queue_timeout = \"4s\"; };\n"                  \
    "  timeouts = { total = \"10s\"; }; }; };"

static struct rig rig;
static struct fake *const fakes[] = { &rig.workers[0].fake, &rig.workers[1].fake };

static void begin(struct rig_call *c, size_t worker)
{
    rig_call_begin(&rig, worker, c, "m", "[]");
}

static void answer(size_t worker)
{
    fake_answer(fakes[worker], 0, 200, RIG_ANSWER("a"));
}

static void first_come_first_served(void **state)
{
    struct rig_call c[4];
    (void)state;
    rig_open(&rig, NARROW);
    for (size_t i = 0; i < 4; i++)
        begin(&c[i], 0);
    /* One runs, two wait, and that is all the room there is. */
    rig_assert_problem(&c[3], PROBLEM_OVERLOADED, EXECUTED_NO);
    assert_string_equal(c[3].error.setting, "pool.max_queue");
    assert_int_equal(c[3].error.retry_after, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fake_n(fakes[0]), 1);
        assert_ptr_equal(fake_call(fakes[0], 0), &c[i].call.exchange);
        answer(0);
        rig_assert_value(&c[i], "\"a\"");
    }
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    for (size_t i = 0; i < 4; i++)
        rig_call_done(&c[i]);
    rig_close(&rig);
}

static void a_wait_ends_by_queue_timeout(void **state)
{
    struct rig_call c[2];
    (void)state;
    rig_open(&rig, NARROW);
    begin(&c[0], 0);
    begin(&c[1], 0);
    rig_turn(&rig, 3999);
    assert_int_equal(c[1].n_ended, 0);
    rig_turn(&rig, 1);
    rig_assert_problem(&c[1], PROBLEM_OVERLOADED, EXECUTED_NO);
    assert_string_equal(c[1].error.setting, "pool.queue_timeout");
    assert_int_equal(c[1].call.queue_us, 4000000);
    answer(0);
    rig_assert_value(&c[0], "\"a\"");
    for (size_t i = 0; i < 2; i++)
        rig_call_done(&c[i]);
    rig_close(&rig);
}

/* The call's own deadline is nearer than the queue's. */
static void a_wait_ends_by_the_deadline(void **state)
{
    struct rig_call c[2];
    (void)state;
    rig_open(&rig, NARROW);
    begin(&c[0], 0);
    rig_call_init(&rig, 0, &c[1], "m", "[]");
    c[1].call.is_short = true;
    c[1].call.deadline_ms += 700 - 10000;
    rig_call_start(&c[1]);
    rig_turn(&rig, 700);
    rig_assert_problem(&c[1], PROBLEM_OVERLOADED, EXECUTED_NO);
    assert_non_null(strstr(c[1].error.detail, "(X-Rpcgate-Timeout)"));
    for (size_t i = 0; i < 2; i++)
        rig_call_done(&c[i]);
    rig_close(&rig);
}

/* Nobody waits for it any more: it goes without being sent, and the next has its turn. */
static void who_leaves_the_queue_takes_nothing_along(void **state)
{
    struct rig_call c[3];
    (void)state;
    rig_open(&rig, NARROW);
    for (size_t i = 0; i < 3; i++)
        begin(&c[i], 0);
    call_abandon(&c[1].call);
    rig_turn(&rig, 0);
    rig_assert_problem(&c[1], PROBLEM_REQUEST_TIMEOUT, EXECUTED_NO);
    answer(0);
    assert_ptr_equal(fake_call(fakes[0], 0), &c[2].call.exchange);
    answer(0);
    for (size_t i = 0; i < 3; i++)
        rig_call_done(&c[i]);
    assert_int_equal(fakes[0]->n_submitted, 2);
    rig_close(&rig);
}

/* The slot goes to the other worker, and so does the one connection that may be open. */
static void a_slot_goes_to_another_worker(void **state)
{
    struct rig_call c[2];
    (void)state;
    rig_open(&rig, NARROW);
    begin(&c[0], 0);
    begin(&c[1], 1);
    assert_int_equal(c[1].call.state, CALL_QUEUED);
    answer(0);
    rig_assert_value(&c[0], "\"a\"");
    assert_int_equal(fakes[0]->n_dropped, 1);
    assert_int_equal(fake_n(fakes[1]), 0);
    rig_turn(&rig, 1);
    assert_int_equal(c[1].call.state, CALL_CALLING);
    answer(1);
    rig_assert_value(&c[1], "\"a\"");
    assert_int_equal(fakes[1]->n_dropped, 0);
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    for (size_t i = 0; i < 2; i++)
        rig_call_done(&c[i]);
    rig_close(&rig);
}

/* A worker keeps its slot for its own calls while that is fair. */
static void who_has_waited_much_longer_is_first(void **state)
{
    struct rig_call c[3];
    (void)state;
    rig_open(&rig, NARROW);
    begin(&c[0], 0);
    begin(&c[1], 1);
    rig_turn(&rig, 1000);
    begin(&c[2], 0);
    rig_turn(&rig, 1000);
    answer(0);
    assert_int_equal(c[2].call.state, CALL_QUEUED);
    rig_turn(&rig, 1);
    assert_int_equal(c[1].call.state, CALL_CALLING);
    answer(1);
    rig_turn(&rig, 1);
    assert_int_equal(c[2].call.state, CALL_CALLING);
    answer(0);
    for (size_t i = 0; i < 3; i++) {
        rig_assert_value(&c[i], "\"a\"");
        rig_call_done(&c[i]);
    }
    rig_close(&rig);
}

/* The breaker opens while calls wait: they are refused, each as its turn comes, and the slot is
 * free again. */
static void an_open_breaker_empties_the_queue(void **state)
{
    struct rig_call c[3];
    (void)state;
    rig_open(&rig, "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 1; };\n"
                   "  pool = { max_connections = 1; }; breaker = { failures = 1; }; }; };");
    for (size_t i = 0; i < 3; i++)
        begin(&c[i], 0);
    fake_fail(fakes[0], 0, UPSTREAM_CONNECT_FAILED, false);
    rig_assert_problem(&c[0], PROBLEM_CONNECT_FAILED, EXECUTED_NO);
    for (size_t i = 1; i < 3; i++)
        rig_assert_problem(&c[i], PROBLEM_CIRCUIT_OPEN, EXECUTED_NO);
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    assert_int_equal(slots_waiting(&rig.states[0]->slots), 0);
    for (size_t i = 0; i < 3; i++)
        rig_call_done(&c[i]);
    rig_close(&rig);
}

/* A reply that waits for its caller's memory keeps its slot, until another caller's call wants
 * it and a quarter of the patience is over. */
static void give_way(bool at_once)
{
    struct memory_share other;
    struct rig_call c[2];
    rig_open(&rig, NARROW);
    memory_share_init(&other, &rig.commons);
    begin(&c[0], 0);
    fake_head(fakes[0], 0, 200, "text/xml");
    /* Its share is full with what the caller has not read yet. */
    assert_true(budget_take(&rig.share.budget, (size_t)20 * 1024 * 1024));
    atomic_store(&rig.share.privileged, &rig);
    assert_false(fake_call(fakes[0], 0)->has_room(fake_call(fakes[0], 0), 4096));
    if (at_once) {
        rig_turn(&rig, 1001);
        rig_turn(&rig, 1); /* nobody wants its slot */
    }
    rig_call_init(&rig, 0, &c[1], "m", "[]");
    c[1].call.share = &other;
    c[1].call.reply = &c[1].reply;
    rig_call_start(&c[1]);
    assert_int_equal(c[1].call.state, CALL_QUEUED);
    assert_int_equal(fakes[0]->n_gone_on, 0);
    if (!at_once) {
        rig_turn(&rig, 500);
        assert_int_equal(fakes[0]->n_gone_on, 0);
        rig_turn(&rig, 501);
    }
    rig_turn(&rig, 1);
    assert_int_equal(fakes[0]->n_gone_on, 1);
    /* It goes on without room, so its answer cannot be taken. */
    assert_true(fake_call(fakes[0], 0)->has_room(fake_call(fakes[0], 0), 4096));
    assert_false(fake_data(fakes[0], 0, RIG_ANSWER("a")));
    fake_end(fakes[0], 0,
             &(struct upstream_result){
                 .status = UPSTREAM_STOPPED, .reached = true, .http_status = 200 });
    assert_int_equal(c[0].n_ended, 1);
    assert_string_equal(c[0].error.setting, "limits.memory");
    assert_int_equal(c[1].call.state, CALL_CALLING);
    answer(0);
    rig_assert_value(&c[1], "\"a\"");
    atomic_store(&rig.share.privileged, NULL);
    budget_give(&rig.share.budget, (size_t)20 * 1024 * 1024);
    for (size_t i = 0; i < 2; i++)
        rig_call_done(&c[i]);
    rig_close(&rig);
    memory_share_done(&other);
}

static void a_reply_without_room_gives_way(void **state)
{
    (void)state;
    give_way(/* at_once */ false);
}

/* Who comes when that time is over already waits no longer. */
static void a_reply_that_has_had_its_time_gives_way_at_once(void **state)
{
    (void)state;
    give_way(/* at_once */ true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(a_wait_ends_by_queue_timeout),
        cmocka_unit_test(a_wait_ends_by_the_deadline),
        cmocka_unit_test(who_leaves_the_queue_takes_nothing_along),
        cmocka_unit_test(a_slot_goes_to_another_worker),
        cmocka_unit_test(who_has_waited_much_longer_is_first),
        cmocka_unit_test(an_open_breaker_empties_the_queue),
        cmocka_unit_test(a_reply_without_room_gives_way),
        cmocka_unit_test(a_reply_that_has_had_its_time_gives_way_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
