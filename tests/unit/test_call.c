/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a call beside its attempts: translating, waiting for memory, being left, dropped
 * and cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/clock.h"
#include "base/macros.h"

#define PLAIN                                                                                      \
    "upstreams = { u = { url = \"http://u/\"; retry = { backoff = \"1s\"; };\n"                    \
    "  pool = { max_connections = 1; queue_timeout = \"4s\"; }; }; };"

#define FULL_BYTES ((size_t)20 * 1024 * 1024)

static struct rig rig;
static struct fake *const fake = &rig.workers[0].fake;

static void assert_nothing_is_left(void)
{
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    assert_int_equal(slots_waiting(&rig.states[0]->slots), 0);
    assert_int_equal(fake_n(fake), 0);
    for (size_t i = 0; i < CALL_STATES; i++)
        assert_true(list_empty(&rig.workers[0].client.calls_in[i]));
}

static void params_that_are_none_are_not_sent(void **state)
{
    static const struct {
        const char *params;
        enum problem_type problem;
        const char *pointer;
    } cases[] = {
        { "[1", PROBLEM_INVALID_JSON, NULL },
        { "[null]", PROBLEM_UNREPRESENTABLE, "/0" },
        { "[1,{\"a\":[4294967296]}]", PROBLEM_UNREPRESENTABLE, "/1/a/0" },
    };
    (void)state;
    rig_open(&rig, PLAIN);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig_call c;
        rig_call_begin(&rig, 0, &c, "m", cases[i].params);
        rig_assert_problem(&c, cases[i].problem, EXECUTED_NO);
        if (cases[i].pointer != NULL)
            assert_string_equal(c.error.pointer, cases[i].pointer);
        rig_call_done(&c);
    }
    assert_int_equal(fake->n_submitted, 0);
    assert_nothing_is_left();
    rig_close(&rig);
}

static void its_owner_may_refuse_it(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    rig_call_init(&rig, 0, &c, "m", "[1]");
    c.refuses = true;
    rig_call_start(&c);
    rig_assert_problem(&c, PROBLEM_FORBIDDEN, EXECUTED_NO);
    assert_nothing_is_left();
    rig_call_done(&c);
    rig_close(&rig);
}

/* A call in each state from which it can be taken back. */
enum stop { AT_UPSTREAM, IN_QUEUE, IN_BACKOFF, PLACES };

static void bring_to(struct rig_call *first, struct rig_call *c, enum stop place)
{
    static const enum call_state states[] = { CALL_CALLING, CALL_QUEUED, CALL_BACKOFF };
    memset(first, 0, sizeof *first);
    if (place == IN_QUEUE)
        rig_call_begin(&rig, 0, first, "m", "[]");
    rig_call_begin(&rig, 0, c, "m", "[]");
    if (place == IN_BACKOFF)
        fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    assert_int_equal(c->call.state, states[place]);
}

static void end_both(struct rig_call *first, struct rig_call *c)
{
    rig_call_done(c);
    if (first->call.site != NULL)
        rig_call_done(first);
    assert_nothing_is_left();
}

static void it_can_be_dropped_anywhere(void **state)
{
    (void)state;
    rig_open(&rig, PLAIN);
    for (enum stop place = 0; place < PLACES; place++) {
        struct rig_call first, c;
        bring_to(&first, &c, place);
        fake->n_cancelled = 0;
        call_drop(&c.call);
        assert_int_equal(c.n_ended, 0);
        assert_int_equal(c.call.state, CALL_ENDED);
        assert_int_equal(fake->n_cancelled, place == AT_UPSTREAM);
        rig_turn(&rig, 5000);
        end_both(&first, &c);
    }
    rig_close(&rig);
}

/* What was sent may have run; what was not has not. */
static void it_can_be_cut_off_anywhere(void **state)
{
    (void)state;
    rig_open(&rig, PLAIN);
    for (enum stop place = 0; place < PLACES; place++) {
        struct rig_call first, c;
        bring_to(&first, &c, place);
        client_cut_off(&rig.workers[0].client);
        rig_assert_problem(&c, PROBLEM_DRAINING,
                           place == IN_QUEUE ? EXECUTED_NO : EXECUTED_UNKNOWN);
        assert_string_equal(c.error.setting, "limits.drain");
        end_both(&first, &c);
    }
    rig_close(&rig);
}

/* One that was sent goes on to its end; one that waits ends soon, and is not sent (again). */
static void nobody_waits_for_it(void **state)
{
    static const enum problem_type problems[] = {
        [IN_QUEUE] = PROBLEM_REQUEST_TIMEOUT,
        [IN_BACKOFF] = PROBLEM_CONNECT_FAILED,
    };
    (void)state;
    rig_open(&rig, PLAIN);
    for (enum stop place = 0; place < PLACES; place++) {
        struct rig_call first, c;
        bring_to(&first, &c, place);
        size_t before = fake->n_submitted;
        call_abandon(&c.call);
        rig_turn(&rig, 0);
        if (place == AT_UPSTREAM) {
            fake_answer(fake, 0, 200, RIG_ANSWER("a"));
            rig_assert_value(&c, "\"a\"");
        } else {
            rig_assert_problem(&c, problems[place], EXECUTED_NO);
        }
        assert_int_equal(fake->n_submitted, before);
        end_both(&first, &c);
    }
    rig_close(&rig);
}

static void nobody_waits_for_a_second_attempt(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    call_abandon(&c.call);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    rig_assert_problem(&c, PROBLEM_CONNECT_FAILED, EXECUTED_NO);
    rig_call_done(&c);
    assert_nothing_is_left();
    rig_close(&rig);
}

/* The service stops while a call waits for its turn, and another worker gives it a slot. */
static void a_slot_comes_too_late(void **state)
{
    struct rig_call first, c;
    (void)state;
    rig_open(&rig, PLAIN);
    rig_call_begin(&rig, 1, &first, "m", "[]");
    rig_call_begin(&rig, 0, &c, "m", "[]");
    assert_int_equal(c.call.state, CALL_QUEUED);
    atomic_store(&rig.commons.phase, PHASE_STOPPING);
    client_cut_off(&rig.workers[1].client);
    rig_turn(&rig, 0);
    rig_assert_problem(&c, PROBLEM_DRAINING, EXECUTED_NO);
    rig_call_done(&c);
    rig_call_done(&first);
    assert_nothing_is_left();
    rig_close(&rig);
}

/* A full share: there is no room for a document before its caller has read something. */
static void fill(void)
{
    assert_true(budget_take(&rig.share.budget, FULL_BYTES));
    atomic_store(&rig.share.privileged, &rig);
}

static void empty(void)
{
    atomic_store(&rig.share.privileged, NULL);
    budget_give(&rig.share.budget, FULL_BYTES);
}

static void it_waits_for_memory(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    for (int late = 0; late < 2; late++) {
        fill();
        rig_call_begin(&rig, 0, &c, "m", "[]");
        assert_int_equal(c.call.state, CALL_TRANSLATING);
        rig_turn(&rig, 3999);
        assert_int_equal(c.n_ended, 0);
        if (late == 1) {
            rig_turn(&rig, 1);
            rig_turn(&rig, 0);
            rig_assert_problem(&c, PROBLEM_OVERLOADED, EXECUTED_NO);
            assert_string_equal(c.error.setting, "limits.memory");
            empty();
        } else {
            empty();
            for (int turns = 0; c.call.state == CALL_TRANSLATING && turns < 10; turns++)
                rig_turn(&rig, 0);
            assert_int_equal(c.call.state, CALL_CALLING);
            fake_answer(fake, 0, 200, RIG_ANSWER("a"));
            rig_assert_value(&c, "\"a\"");
        }
        rig_call_done(&c);
        assert_nothing_is_left();
    }
    rig_close(&rig);
}

/* Replies of its caller wait for room: it takes no slot meanwhile. */
static void it_is_held_while_replies_wait(void **state)
{
    struct rig_call first, c;
    (void)state;
    rig_open(&rig, "upstreams = { u = { url = \"http://u/\"; }; };");
    rig_call_begin(&rig, 0, &first, "m", "[]");
    fake_head(fake, 0, 200, "text/xml");
    fill();
    assert_false(fake_call(fake, 0)->has_room(fake_call(fake, 0), 4096));
    assert_true(memory_share_is_short(&rig.share));
    atomic_store(&rig.share.privileged, &c); /* so its document finds room */
    rig_call_begin(&rig, 0, &c, "m", "[]");
    atomic_store(&rig.share.privileged, &rig);
    assert_int_equal(c.call.state, CALL_CALLING); /* the privileged one passes */
    rig_call_done(&c);
    empty();
    rig_turn(&rig, 0);
    assert_int_equal(fake->n_gone_on, 1);
    assert_true(fake_data(fake, 0, RIG_ANSWER("a")));
    fake_end(fake, 0, &(struct upstream_result){ .status = UPSTREAM_OK, .http_status = 200 });
    rig_assert_value(&first, "\"a\"");
    rig_call_done(&first);
    assert_nothing_is_left();
    rig_close(&rig);
}

/* ---- Where they are ------------------------------------------------------------------------- */

static void assert_shown(enum call_state state, size_t n, int64_t oldest_ms)
{
    struct calls_in_state calls = client_calls_in(&rig.commons, state);
    assert_int_equal(calls.n, n);
    assert_int_equal(calls.oldest_ms, oldest_ms);
}

/* Those of all workers together; in each the one that has been there longest counts. */
static void states_are_shown(void **state)
{
    struct rig_call here, next, there;
    (void)state;
    rig_open(&rig, "upstreams = { u = { url = \"http://u/\"; pool = { max_connections = 2; "
                   "queue_timeout = \"9s\"; }; }; };");
    int64_t began_ms = clock_now_ms();
    assert_shown(CALL_CALLING, 0, CLOCK_NEVER);
    rig_call_begin(&rig, 0, &here, "m", "[]");
    rig_turn(&rig, 10);
    rig_call_begin(&rig, 1, &there, "m", "[]");
    rig_turn(&rig, 10);
    rig_call_begin(&rig, 0, &next, "m", "[]");
    assert_shown(CALL_CALLING, 2, began_ms);
    assert_shown(CALL_QUEUED, 1, began_ms + 20);
    assert_shown(CALL_TRANSLATING, 0, CLOCK_NEVER);
    fake_answer(fake, 0, 200, RIG_ANSWER("a"));
    assert_shown(CALL_CALLING, 2, began_ms + 10);
    assert_shown(CALL_QUEUED, 0, CLOCK_NEVER);
    rig_call_done(&here);
    rig_call_done(&there);
    rig_call_done(&next);
    assert_shown(CALL_CALLING, 0, CLOCK_NEVER);
    rig_close(&rig);
}

/* ---- Whose text it is ----------------------------------------------------------------------- */

static int n_used;

static void count_use(struct call *call)
{
    (void)call;
    n_used++;
}

static void end(struct call *call, const struct verdict *verdict)
{
    struct rig_call *c = call->user;
    c->n_ended++;
    c->is_good = verdict->error == NULL;
}

/* It goes as soon as it is written, unless it may be wanted again: then with the first answer. */
static void its_text_is_used_once(void **state)
{
    static const struct call_owner owner = { .text_used = count_use, .ended = end };
    struct rig_call c;
    (void)state;
    rig_open(&rig, "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 2; }; }; };");
    for (int keeps = 0; keeps < 2; keeps++) {
        n_used = 0;
        rig_call_init(&rig, 0, &c, "m", "[]");
        c.call.owner = &owner;
        c.call.keeps_text = keeps;
        rig_call_start(&c);
        assert_int_equal(n_used, keeps ? 0 : 1);
        fake_end(fake, 0, &(struct upstream_result){ .status = UPSTREAM_CONNECT_FAILED });
        assert_int_equal(c.call.state, CALL_BACKOFF);
        assert_int_equal(n_used, keeps ? 0 : 1);
        rig_turn(&rig, 60000);
        assert_int_equal(c.call.state, CALL_CALLING);
        fake_answer(fake, 0, 200, RIG_ANSWER("a"));
        assert_int_equal(n_used, 1);
        assert_int_equal(c.n_ended, 1);
        rig_call_done(&c);
    }
    rig_close(&rig);
}

/* ---- Several calls in one ------------------------------------------------------------------- */

static void begin_members(void *context)
{
    *(size_t *)context = 0;
}

static bool next_member(void *context, struct document_call *ret)
{
    static const char *const params[] = { "[1]", "[null]", "[2]" };
    size_t *at = context;
    if (*at == ARRAY_LEN(params))
        return false;
    *ret = (struct document_call){ .method = STR("m"), .params = str_of(params[(*at)++]) };
    return true;
}

static bool end_member(void *context, struct error *err)
{
    const size_t *at = context;
    assert_int_equal(err != NULL, *at == 2);
    return true;
}

static void it_has_members(void **state)
{
    size_t at = 99;
    struct document_members members = { &at, begin_members, next_member, end_member };
    struct rig_call c;
    (void)state;
    rig_open(&rig, PLAIN);
    rig_call_init(&rig, 0, &c, "system.multicall", "");
    c.call.members = &members;
    rig_call_start(&c);
    char *text = fake_document(fake, 0);
    assert_non_null(strstr(text, "<methodName>system.multicall</methodName>"));
    assert_non_null(strstr(text, "<int>1</int>"));
    assert_non_null(strstr(text, "<int>2</int>"));
    assert_null(strstr(text, "nil"));
    free(text);
    fake_answer(fake, 0, 200, RIG_ANSWER("a"));
    rig_assert_value(&c, "\"a\"");
    rig_call_done(&c);
    rig_close(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(params_that_are_none_are_not_sent),
        cmocka_unit_test(its_owner_may_refuse_it),
        cmocka_unit_test(it_can_be_dropped_anywhere),
        cmocka_unit_test(it_can_be_cut_off_anywhere),
        cmocka_unit_test(nobody_waits_for_it),
        cmocka_unit_test(nobody_waits_for_a_second_attempt),
        cmocka_unit_test(a_slot_comes_too_late),
        cmocka_unit_test(it_waits_for_memory),
        cmocka_unit_test(it_is_held_while_replies_wait),
        cmocka_unit_test(states_are_shown),
        cmocka_unit_test(its_text_is_used_once),
        cmocka_unit_test(it_has_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
