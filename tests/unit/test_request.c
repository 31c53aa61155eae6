/* SPDX-License-Identifier: Apache-2.0 */
/* A request from its head to its reply: one call, and what an upstream tells of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front_rig.h"

#include "front/access_log.h"
#include "front/metric_list.h"

#define SETTINGS                                                                                   \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\";\n"                              \
    "  allow = [ \"a/*\" ]; deny = [ \"a/secret\" ]; } );\n"                                       \
    "limits = { body = \"1K\"; };\n"                                                               \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\"; }; };"

#define LINES "Host: 127.0.0.1:8080\nAuthorization: Bearer " EXCHANGE_TOKEN "\n"
#define CHUNKS LINES "Content-Type: application/json\nTransfer-Encoding: chunked\n"

#define METHOD(name) "<value>" name "</value>"
#define METHODS(names) RIG_ANSWER("<array><data>" names "</data></array>")

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

static void answer(const char *document)
{
    fake_answer(fake, 0, 200, document);
    front_rig_run(&rig);
}

static void begin(struct exchange *x, const char *target, const char *lines, const char *body)
{
    exchange_begin(&rig, x, target, lines);
    exchange_go_on(&rig, x, body);
}

/* ---- One call ------------------------------------------------------------------------------- */

static void a_call_has_its_value_or_its_problem(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "POST /v1/a/m?types=tagged", "[1]");
    answer(RIG_ANSWER("<int>7</int>"));
    exchange_expect(&x, 200, "{\"result\": 7}");
    assert_true(exchange_has(&x, "Content-Type: application/json"));
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a/m", "");
    answer(RIG_FAULT("3", "no"));
    exchange_expect_problem(&x, 500, "fault");
    assert_non_null(strstr(x.body, "\"upstream\":\"a\",\"method\":\"m\""));
    assert_non_null(strstr(x.body, "\"fault\":{\"code\":3,\"string\":\"no\"}"));
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a/m", "[null]");
    exchange_expect_problem(&x, 422, "unrepresentable");
    assert_non_null(strstr(x.body, "\"pointer\":\"/0\""));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* What was announced is refused by the head; in chunks it must come first. */
static void a_body_stays_within_its_limit(void **state)
{
    static char large[1026];
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    memset(large, ' ', 1023);
    large[1023] = '1';
    begin(&x, "POST /v1/a/m", CHUNKS, large);
    assert_int_equal(x.n_replies, 0);
    answer(RIG_ANSWER("<int>7</int>"));
    exchange_expect(&x, 200, NULL);
    exchange_end(&x);
    large[1024] = ' ';
    begin(&x, "POST /v1/a/m", CHUNKS, large);
    exchange_expect_problem(&x, 413, "body-too-large");
    assert_non_null(strstr(x.body, "\"setting\":\"limits.body\""));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void a_caller_may_lower_the_time(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    begin(&x, "POST /v1/a/m", LINES "X-Rpcgate-Timeout: 1500ms\n", "");
    rig_turn(&rig.rig, 1499);
    assert_int_equal(x.n_replies, 0);
    fake_fail(fake, 0, UPSTREAM_TIMEOUT, true);
    rig_turn(&rig.rig, 1);
    exchange_expect_problem(&x, 504, "timeout");
    assert_non_null(strstr(x.body, "X-Rpcgate-Timeout"));
    exchange_end(&x);
    begin(&x, "POST /v1/a/m", LINES "X-Rpcgate-Timeout: soon\n", "");
    exchange_expect_problem(&x, 400, "invalid-request");
    exchange_end(&x);
    assert_int_equal(fake->n_submitted, 1);
    front_rig_close(&rig);
}

/* However it ends before its time, nothing is left, and there is one reply at most. */
static void a_call_that_is_cut_short(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "POST /v1/a/m", "[1]");
    exchange_leave(&x);
    assert_int_equal(fake_n(fake), 1); /* what was sent goes on */
    answer(RIG_ANSWER("<int>7</int>"));
    exchange_expect(&x, 200, NULL);
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a/m", "[1]");
    exchange_end(&x);
    assert_int_equal(fake_n(fake), 0);
    exchange_send(&rig, &x, "POST /v1/a/m", "[1]");
    client_cut_off(&rig.rig.workers[0].client);
    front_cut_off(&rig.front);
    exchange_expect_problem(&x, 503, "draining");
    exchange_end(&x);
    front_rig_close(&rig);
}

/* ---- What an upstream tells ----------------------------------------------------------------- */

static void methods_are_those_that_may_be_called(void **state)
{
    struct exchange x, second;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /v1/a", "");
    exchange_send(&rig, &second, "GET /v1/a/none", "");
    assert_int_equal(fake_n(fake), 1); /* asked once */
    answer(METHODS(METHOD("x") METHOD("secret") METHOD("y")));
    exchange_expect(&x, 200, "{\"name\":\"a\",\"methods\":[{\"name\":\"x\"},{\"name\":\"y\"}]}");
    exchange_expect_problem(&second, 404, "not-found");
    exchange_end(&x);
    exchange_end(&second);
    exchange_send(&rig, &x, "GET /v1/a/secret", "");
    exchange_expect_problem(&x, 403, "forbidden");
    exchange_end(&x);
    front_rig_close(&rig);
}

static void an_upstream_without_a_list_says_why(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /v1/a", "");
    answer(RIG_FAULT("-32601", "no such method"));
    exchange_expect(&x, 200, NULL);
    assert_non_null(strstr(x.body, "\"methods\":null,\"reason\":\""));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* The upstream is asked on: what it tells is kept for the next. */
static void whoever_asks_waits_as_long_as_it_wants(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    begin(&x, "GET /v1/a", LINES "X-Rpcgate-Timeout: 2s\n", "");
    rig_turn(&rig.rig, 1999);
    assert_int_equal(x.n_replies, 0);
    rig_turn(&rig.rig, 1);
    exchange_expect_problem(&x, 504, "timeout");
    exchange_end(&x);
    answer(METHODS(METHOD("x")));
    exchange_send(&rig, &x, "GET /v1/a", "");
    exchange_expect(&x, 200, "{\"name\":\"a\",\"methods\":[{\"name\":\"x\"}]}");
    exchange_end(&x);
    assert_int_equal(fake->n_submitted, 1);
    front_rig_close(&rig);
}

static void whoever_asks_may_leave_or_be_cut_off(void **state)
{
    struct exchange x, left;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /v1/a", "");
    exchange_send(&rig, &left, "GET /v1/a", "");
    exchange_leave(&left);
    exchange_end(&left);
    front_cut_off(&rig.front);
    exchange_expect_problem(&x, 503, "draining");
    exchange_end(&x);
    answer(METHODS(METHOD("x")));
    front_rig_close(&rig);
}

static void upstreams_are_listed_with_their_state(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /v1", "");
    exchange_expect(
        &x, 200, "{\"upstreams\":[{\"name\":\"a\",\"state\":\"unknown\",\"links\":[\"/v1/a\"]}]}");
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a/m", "");
    answer(RIG_ANSWER("<int>7</int>"));
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /v1", "");
    assert_non_null(strstr(x.body, "\"state\":\"up\""));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* Each metric is told with its help and type, in the form of text/plain. */
static void metrics_are_shown_as_text(void **state)
{
    static const char *const lines[] = {
#define X(word, name, type, help) "# HELP " name " " help "\n# TYPE " name " " type "\n",
        METRIC_LIST(X)
#undef X
    };
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "POST /v1/a/m", "");
    answer(RIG_ANSWER("<int>7</int>"));
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /metrics", "");
    exchange_expect(&x, 200, NULL);
    assert_true(exchange_has(&x, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (strstr(x.body, lines[i]) == NULL)
            fail_msg("%s\nhas no\n%s", x.body, lines[i]);
    assert_non_null(
        strstr(x.body, "\nrpcgate_requests_total{upstream=\"a\",method=\"m\",outcome=\"ok\"} 1\n"));
    assert_int_equal(x.body[strlen(x.body) - 1], '\n');
    exchange_end(&x);
    front_rig_close(&rig);
}

/* ---- The log -------------------------------------------------------------------------------- */

/* Ten at once, then one a second; each tells how many had no line. */
static void lines_of_one_kind_are_few(void **state)
{
    struct refusals refusals = { .until_ns = 0 };
    unsigned before = 7;
    (void)state;
    fake_clock_start();
    for (size_t i = 0; i < 10; i++) {
        assert_true(refusals_take(&refusals, REFUSALS, &before));
        assert_int_equal(before, 0);
    }
    for (size_t i = 0; i < 5; i++)
        assert_false(refusals_take(&refusals, REFUSALS, &before));
    fake_clock_add_ms(1000);
    assert_true(refusals_take(&refusals, REFUSALS, &before));
    assert_int_equal(before, 5);
    assert_false(refusals_take(&refusals, REFUSALS, &before));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_has_its_value_or_its_problem),
        cmocka_unit_test(a_body_stays_within_its_limit),
        cmocka_unit_test(a_caller_may_lower_the_time),
        cmocka_unit_test(a_call_that_is_cut_short),
        cmocka_unit_test(methods_are_those_that_may_be_called),
        cmocka_unit_test(an_upstream_without_a_list_says_why),
        cmocka_unit_test(whoever_asks_waits_as_long_as_it_wants),
        cmocka_unit_test(whoever_asks_may_leave_or_be_cut_off),
        cmocka_unit_test(upstreams_are_listed_with_their_state),
        cmocka_unit_test(metrics_are_shown_as_text),
        cmocka_unit_test(lines_of_one_kind_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
