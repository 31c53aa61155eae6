/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of which results are kept: who is asked, who waits, and until when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macros.h"

#define SETTINGS                                                                                   \
    "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 1; };\n"                        \
    "  timeouts = { total = \"10s\"; };\n"                                                         \
    "  multicall = \"always\"; multicall_results = \"wrapped\"; join = { };\n"                     \
    "  methods = ( { match = \"m\"; safe = true;\n"                                                \
    "    cache = { ttl = \"60s\"; stale_if_error = \"1h\"; }; } ); }; };"

static struct rig rig;
static struct kept_store *store;

static struct fake *fake(size_t worker)
{
    return &rig.workers[worker].fake;
}

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig, SETTINGS);
    store = kept_store_new();
    for (size_t i = 0; i < RIG_WORKERS; i++)
        rig.workers[i].client.kept = store;
    kept_set_max(store, 1024 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t w = 0; w < RIG_WORKERS; w++)
        for (size_t i = 0; i < CALL_STATES; i++)
            assert_true(list_empty(&rig.workers[w].client.calls_in[i]));
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    rig_close(&rig);
    kept_store_free(store);
    return 0;
}

static void turn(int64_t ms)
{
    for (int n = 0; n < 4; n++)
        rig_turn(&rig, n == 0 ? ms : 0);
}

static void init(size_t worker, struct rig_call *c, const char *params)
{
    rig_call_init(&rig, worker, c, "m", params);
    c->call.apart = STR("caller");
}

/* The call that is made for it is translated, too. */
static void begin(size_t worker, struct rig_call *c, const char *params)
{
    init(worker, c, params);
    rig_call_start(c);
    turn(0);
}

static void assert_hit(const char *params, const char *json)
{
    struct rig_call c;
    size_t before = fake(0)->n_submitted;
    begin(0, &c, params);
    rig_assert_value(&c, json);
    assert_true(c.call.kept.is_known);
    assert_int_equal(c.call.kept.result, KEPT_RESULT_HIT);
    assert_int_equal(fake(0)->n_submitted, before);
    rig_call_done(&c);
}

static void keep_one(const char *params)
{
    struct rig_call c;
    begin(0, &c, params);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>7</int>"));
    turn(0);
    rig_assert_value(&c, "7");
    assert_int_equal(c.call.kept.result, KEPT_RESULT_MISS);
    assert_true(c.call.kept.is_stored);
    rig_call_done(&c);
}

static void a_result_answers_until_its_time_is_over(void **state)
{
    struct rig_call c;
    (void)state;
    keep_one("[1]");
    turn(59999);
    assert_hit("[ 1 ]", "7");
    turn(1);
    begin(0, &c, "[1]");
    assert_int_equal(fake_n(fake(0)), 1);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>8</int>"));
    turn(0);
    rig_assert_value(&c, "8");
    rig_call_done(&c);
    assert_hit("[1]", "8");
}

static void workers_wait_for_one(void **state)
{
    struct rig_call c[4];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        begin(i % 2, &c[i], "[1]");
    assert_int_equal(fake(0)->n_submitted, 1);
    assert_int_equal(fake(1)->n_submitted, 0);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>7</int>"));
    turn(0);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        rig_assert_value(&c[i], "7");
        assert_int_equal(c[i].call.kept.result, i == 0 ? KEPT_RESULT_MISS : KEPT_RESULT_COLLAPSED);
        rig_call_done(&c[i]);
    }
    assert_hit("[1]", "7");
}

/* Though others are there in the same turn. */
static void what_is_kept_is_not_joined(void **state)
{
    struct rig_call c[2];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        init(0, &c[i], i == 0 ? "[1]" : "[2]");
        rig_call_start(&c[i]);
    }
    turn(0);
    assert_int_equal(fake_n(fake(0)), 2);
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>7</int>"));
    turn(0);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        rig_assert_value(&c[i], "7");
        rig_call_done(&c[i]);
    }
}

static void a_failure_is_everybodys(void **state)
{
    struct rig_call c[3];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        begin(i % 2, &c[i], "[1]");
    fake_answer(fake(0), 0, 200, RIG_FAULT("5", "no"));
    turn(0);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        rig_assert_problem(&c[i], PROBLEM_FAULT, EXECUTED_YES);
        assert_true(c[i].has_fault);
        assert_int_equal(c[i].fault_code, 5);
        assert_true(c[i].call.has_fault_code);
        rig_call_done(&c[i]);
    }
    begin(0, &c[0], "[1]");
    assert_int_equal(fake_n(fake(0)), 1);
    fake_answer(fake(0), 0, 404, "<html>");
    turn(0);
    rig_assert_problem(&c[0], PROBLEM_PROTOCOL_ERROR, EXECUTED_NO);
    assert_int_equal(c[0].protocol_status, 404);
    rig_call_done(&c[0]);
}

/* All that is told of it, after the call that it was of has gone. */
static void so_is_what_is_told_of_it(void **state)
{
    struct rig_call c[2];
    char a[] = "Retry-After", b[] = "7";
    struct upstream_header headers[] = { { a, b } };
    struct upstream_result result = { .status = UPSTREAM_OK,
                                      .reached = true,
                                      .http_status = 404,
                                      .reason_phrase = "Gone Fishing",
                                      .content_type = "text/html",
                                      .headers = headers,
                                      .n_headers = ARRAY_LEN(headers) };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        begin(i, &c[i], "[1]");
    fake_head(fake(0), 0, 404, "text/html");
    assert_true(fake_data(fake(0), 0, "<p>no"));
    fake_end(fake(0), 0, &result);
    turn(0);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        assert_int_equal(c[i].protocol_status, 404);
        assert_string_equal(c[i].protocol, "Gone Fishing|text/html|<p>no|Retry-After=7");
        rig_call_done(&c[i]);
    }
}

static void whose_time_ends_ends_its_own_wait(void **state)
{
    struct rig_call first, second;
    (void)state;
    init(0, &first, "[1]");
    first.call.is_short = true;
    first.call.limit_ms = 100;
    first.call.deadline_ms = clock_now_ms() + 100;
    rig_call_start(&first);
    turn(0);
    begin(1, &second, "[1]");
    turn(100);
    rig_assert_problem(&first, PROBLEM_TIMEOUT, EXECUTED_UNKNOWN);
    assert_non_null(strstr(first.error.detail, "X-Rpcgate-Timeout"));
    assert_int_equal(second.n_ended, 0);
    turn(5000);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>7</int>"));
    turn(0);
    rig_assert_value(&second, "7");
    rig_call_done(&first);
    rig_call_done(&second);
}

static void who_leaves_or_is_dropped_ends_its_own_wait(void **state)
{
    struct rig_call c[4];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(c); i++)
        begin(i % 2, &c[i], "[1]");
    call_abandon(&c[0].call);
    rig_call_done(&c[1]);
    turn(0);
    rig_assert_problem(&c[0], PROBLEM_REQUEST_TIMEOUT, EXECUTED_UNKNOWN);
    call_cut_off(&c[2].call);
    rig_assert_problem(&c[2], PROBLEM_DRAINING, EXECUTED_UNKNOWN);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>7</int>"));
    turn(0);
    rig_assert_value(&c[3], "7");
    rig_call_done(&c[0]);
    rig_call_done(&c[2]);
    rig_call_done(&c[3]);
}

/* The call goes on without anybody, and what it brings is kept. */
static void nobody_waits_any_more(void **state)
{
    struct rig_call c;
    (void)state;
    begin(0, &c, "[1]");
    rig_call_done(&c);
    assert_int_equal(fake_n(fake(0)), 1);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>7</int>"));
    turn(0);
    assert_hit("[1]", "7");
}

static void a_worker_is_cut_off(void **state)
{
    struct rig_call here, there;
    (void)state;
    begin(0, &here, "[1]");
    begin(1, &there, "[1]");
    client_cut_off(&rig.workers[0].client);
    turn(0);
    rig_assert_problem(&here, PROBLEM_DRAINING, EXECUTED_UNKNOWN);
    rig_assert_problem(&there, PROBLEM_DRAINING, EXECUTED_UNKNOWN);
    rig_call_done(&here);
    rig_call_done(&there);
}

static void stale_for_failures_of_the_way(void **state)
{
    struct rig_call c;
    (void)state;
    keep_one("[1]");
    turn(60000);
    begin(0, &c, "[1]");
    fake_fail(fake(0), 0, UPSTREAM_LOST, true);
    turn(0);
    rig_assert_value(&c, "7");
    assert_int_equal(c.call.kept.result, KEPT_RESULT_STALE);
    assert_int_equal(c.call.kept.age_ms, 60000);
    rig_call_done(&c);
    begin(0, &c, "[1]");
    fake_answer(fake(0), 0, 200, RIG_FAULT("5", "no"));
    turn(0);
    rig_assert_problem(&c, PROBLEM_FAULT, EXECUTED_YES);
    rig_call_done(&c);
    init(0, &c, "[1]");
    c.call.asks_anew = true;
    rig_call_start(&c);
    turn(0);
    fake_fail(fake(0), 0, UPSTREAM_LOST, true);
    turn(0);
    rig_assert_problem(&c, PROBLEM_CONNECTION_LOST, EXECUTED_UNKNOWN);
    rig_call_done(&c);
    turn(3600000);
    begin(0, &c, "[1]");
    fake_fail(fake(0), 0, UPSTREAM_LOST, true);
    turn(0);
    rig_assert_problem(&c, PROBLEM_CONNECTION_LOST, EXECUTED_UNKNOWN);
    rig_call_done(&c);
}

/* Who may wait for as long as the upstream may take waits for its failure, not for its own end. */
static void stale_when_the_upstream_is_late(void **state)
{
    struct rig_call c;
    (void)state;
    keep_one("[1]");
    turn(60000);
    init(0, &c, "[1]");
    turn(1); /* before it is sent */
    rig_call_start(&c);
    turn(0);
    assert_int_equal(fake_call(fake(0), 0)->deadline_ms, c.call.deadline_ms);
    turn(9999);
    assert_int_equal(c.n_ended, 0);
    fake_fail(fake(0), 0, UPSTREAM_TIMEOUT, true);
    turn(0);
    rig_assert_value(&c, "7");
    assert_int_equal(c.call.kept.result, KEPT_RESULT_STALE);
    rig_call_done(&c);
}

static void begin_part(struct rig_call *c, const struct decode_watch *watch, int empty)
{
    static const struct query tagged = { .has_types = true, .types = TYPES_TAGGED };
    init(0, c, "[1]");
    c->call.query = &tagged;
    c->call.part = (struct verdict_part){ watch, "/0", empty };
    rig_call_start(c);
    turn(0);
}

/* What is nothing for one of them may be a result for another, also where it was cut out before. */
static void parts_that_are_nothing_are_ones_own(void **state)
{
    struct rig_call c;
    struct json_path path;
    char *memory = xcalloc(1, json_path_size(STR("/0")) + 1);
    (void)state;
    assert_true(json_path_read(STR("/0"), memory, &path));
    const struct decode_watch watch = { &path, 1 };
    for (int n = 0; n < 2; n++) {
        begin_part(&c, &watch, n == 0 ? 0 : 404);
        assert_int_equal(fake_n(fake(0)), 1);
        fake_answer(
            fake(0), 0, 200,
            RIG_ANSWER("<array><data><value><array><data/></array></value></data></array>"));
        turn(0);
        if (n == 0)
            rig_assert_value(&c, "[]");
        else
            rig_assert_problem(&c, PROBLEM_NOT_FOUND, EXECUTED_YES);
        rig_call_done(&c);
    }
    begin_part(&c, &watch, 0);
    rig_assert_value(&c, "[]");
    assert_int_equal(c.call.kept.result, KEPT_RESULT_HIT);
    rig_call_done(&c);
    free(memory);
}

static void its_owner_may_refuse_what_is_kept(void **state)
{
    struct rig_call c;
    (void)state;
    keep_one("[1]");
    init(0, &c, "[1]");
    c.refuses = true;
    rig_call_start(&c);
    rig_assert_problem(&c, PROBLEM_FORBIDDEN, EXECUTED_NO);
    assert_false(c.call.kept.is_known);
    rig_call_done(&c);
}

static void questions_of_our_own_are_not_kept(void **state)
{
    struct rig_call c;
    (void)state;
    keep_one("[1]");
    rig_call_begin(&rig, 0, &c, "m", "[1]");
    assert_int_equal(fake_n(fake(0)), 1);
    fake_answer(fake(0), 0, 200, RIG_ANSWER("<int>9</int>"));
    rig_assert_value(&c, "9");
    rig_call_done(&c);
    assert_hit("[1]", "7");
}

/* What is long is given in steps, and counts for its caller. */
static void a_long_result_comes_in_pieces(void **state)
{
    static char body[700000];
    struct rig_call c;
    (void)state;
    kept_set_max(store, 64 * 1024 * 1024);
    strcpy(body, "<?xml version='1.0'?><methodResponse><params><param><value>");
    size_t len = strlen(body);
    memset(body + len, 'x', 600000);
    strcpy(body + len + 600000, "</value></param></params></methodResponse>");
    begin(0, &c, "[1]");
    fake_answer(fake(0), 0, 200, body);
    turn(0);
    assert_int_equal(c.n_ended, 1);
    assert_int_equal(strlen(c.text), 600002);
    rig_call_done(&c);
    init(0, &c, "[1]");
    rig_call_start(&c);
    assert_int_equal(c.n_ended, 0);
    turn(0);
    assert_int_equal(strlen(c.text), 600002);
    assert_true(rig.share.budget.used > 600000);
    rig_call_done(&c);
    assert_int_equal(rig.share.budget.used, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_result_answers_until_its_time_is_over),
        TEST(workers_wait_for_one),
        TEST(what_is_kept_is_not_joined),
        TEST(a_failure_is_everybodys),
        TEST(so_is_what_is_told_of_it),
        TEST(whose_time_ends_ends_its_own_wait),
        TEST(who_leaves_or_is_dropped_ends_its_own_wait),
        TEST(nobody_waits_any_more),
        TEST(a_worker_is_cut_off),
        TEST(stale_for_failures_of_the_way),
        TEST(stale_when_the_upstream_is_late),
        TEST(parts_that_are_nothing_are_ones_own),
        TEST(its_owner_may_refuse_what_is_kept),
        TEST(questions_of_our_own_are_not_kept),
        TEST(a_long_result_comes_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
