/* SPDX-License-Identifier: Apache-2.0 */
/* A request by a route: what it sends, what it answers, and what it refuses without a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "front_rig.h"

#define SETTINGS                                                                                   \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"@*\" ];\n"          \
    "  deny = ( { match = \"a/drop\"; params = ( { at = 0; in = [ \"root\" ]; } ); } ); } );\n"    \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\";\n"                            \
    "  retry = { attempts = 2; backoff = \"10ms\"; }; }; };\n"                                     \
    "routes = (\n"                                                                                 \
    "  { name = \"one\"; get = \"/things/{id}\"; call = \"a/read\"; safe = true;\n"                \
    "    timeout = \"2s\"; params = ( { name = \"id\"; type = \"int\"; },\n"                       \
    "      { name = \"deep\"; type = \"boolean\"; optional = true; } );\n"                         \
    "    result = { at = \"/0\"; empty = 404; }; },\n"                                             \
    "  { name = \"add\"; post = \"/things\"; call = \"a/add\"; status = 201;\n"                    \
    "    params = ( { struct = ( { name = \"text\"; } ); } ); result = { wrap = false; }; },\n"    \
    "  { name = \"drop\"; delete = \"/names/{name}\"; call = \"a/drop\"; status = 204;\n"          \
    "    params = ( { name = \"name\"; } ); } );\n"

#define LINES "Host: 127.0.0.1:8080\nAuthorization: Bearer " EXCHANGE_TOKEN "\n"

/* More than a step of its check takes. [bytes] */
#define LONG_TEXT ((size_t)600 * 1024)

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

static void answer(const char *document)
{
    fake_answer(fake, 0, 200, document);
    front_rig_run(&rig);
}

/* What is under way is that call. */
static void expect_call(const char *method, const char *params)
{
    char *document = fake_document(fake, 0);
    CLEANUP(buf_done) struct buf expected;
    buf_init(&expected, SIZE_MAX - 1, NULL);
    buf_printf(&expected, "<methodName>%s</methodName><params>%s</params>", method, params);
    if (strstr(document, buf_c(&expected)) == NULL)
        fail_msg("%s\nhas no\n%s", document, buf_c(&expected));
    free(document);
}

/* It is refused, and nothing was sent for it. */
static void expect_refusal(const char *target, const char *body, int status, const char *problem,
                           const char *text)
{
    struct exchange x;
    size_t before = fake->n_submitted;
    exchange_send(&rig, &x, target, body);
    exchange_expect_problem(&x, status, problem);
    if (strstr(x.body, text) == NULL)
        fail_msg("%s\nhas no\n%s", x.body, text);
    assert_non_null(strstr(x.body, "\"executed\":\"no\""));
    assert_int_equal(fake->n_submitted, before);
    exchange_end(&x);
}

/* ---- Results -------------------------------------------------------------------------------- */

static void what_is_given_becomes_the_params(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /things/7?deep=true", "");
    expect_call("read", "<param><value><int>7</int></value></param>"
                        "<param><value><boolean>1</boolean></value></param>");
    answer(RIG_ANSWER("<array><data><value>x</value></data></array>"));
    exchange_expect(&x, 200, "{\"result\": \"x\"}");
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /things/8", "");
    expect_call("read", "<param><value><int>8</int></value></param>");
    exchange_end(&x);
    front_rig_close(&rig);
}

/* With its own status, bare, or not at all. */
static void the_result_is_as_the_route_says(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "POST /things", "{\"text\":\"a\"}");
    expect_call("add", "<param><value><struct><member><name>text</name>"
                       "<value><string>a</string></value></member></struct></value></param>");
    answer(RIG_ANSWER("<int>7</int>"));
    exchange_expect(&x, 201, " 7");
    exchange_end(&x);
    exchange_send(&rig, &x, "DELETE /names/7", "");
    answer(RIG_ANSWER("<boolean>1</boolean>"));
    exchange_expect(&x, 204, "");
    exchange_end(&x);
    front_rig_close(&rig);
}

/* Nothing where a part was wanted is a problem of the route; a fault stays the upstream's. */
static void nothing_is_no_fault(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /things/7", "");
    answer(RIG_ANSWER("<array><data></data></array>"));
    exchange_expect_problem(&x, 404, "not-found");
    assert_non_null(strstr(x.body, "\"executed\":\"yes\""));
    assert_non_null(strstr(x.body, "\"route\":\"one\""));
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /things/7", "");
    answer(RIG_FAULT("3", "no"));
    exchange_expect_problem(&x, 500, "fault");
    assert_non_null(strstr(x.body, "\"fault\":{\"code\":3,\"string\":\"no\"}"));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* Its call once, by what became of it; what made no call as well. */
static void each_request_is_counted_once(void **state)
{
    static const char *const lines[] = {
        "{upstream=\"a\",method=\"read\",outcome=\"ok\"} 1\n",
        "{upstream=\"a\",method=\"read\",outcome=\"fault\"} 1\n",
        "{upstream=\"a\",method=\"read\",outcome=\"invalid-request\"} 1\n",
    };
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /things/7", "");
    answer(RIG_ANSWER("<array><data><value>x</value></data></array>"));
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /things/7", "");
    answer(RIG_FAULT("3", "no"));
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /things/x", "");
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /metrics", "");
    exchange_expect(&x, 200, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (strstr(x.body, lines[i]) == NULL)
            fail_msg("%s\nhas no\n%s", x.body, lines[i]);
    exchange_end(&x);
    front_rig_close(&rig);
}

/* ---- Refusals ------------------------------------------------------------------------------- */

static void all_that_is_wrong_is_told_without_a_call(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    expect_refusal("GET /things/x?deep=2&depth=1", "", 400, "invalid-request",
                   "\"errors\":[{\"in\":\"path\",\"name\":\"id\",");
    expect_refusal("GET /things/x?deep=2&depth=1", "", 400, "invalid-request",
                   "{\"in\":\"query\",\"name\":\"deep\",");
    expect_refusal("POST /things", "{", 400, "invalid-json", "\"route\":\"add\"");
    expect_refusal("POST /things", "[]", 400, "invalid-request", "\"pointer\":\"\"");
    expect_refusal("POST /things", "", 400, "invalid-request", "\"name\":\"text\"");
    front_rig_close(&rig);
}

/* What the encoder refuses is told by the name that the caller knows. */
static void pointers_are_into_what_was_given(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    expect_refusal("POST /things", "{\"text\":\"\\u0001\"}", 422, "unrepresentable",
                   "\"pointer\":\"/text\"");
    front_rig_close(&rig);
}

/* The right to a route does not open what a rule about its method's params denies. */
static void rules_about_params_judge_what_was_built(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    expect_refusal("DELETE /names/root", "", 403, "forbidden", "\"route\":\"drop\"");
    front_rig_close(&rig);
}

/* ---- Attempts and ends ---------------------------------------------------------------------- */

/* By the route's word alone: the upstream's methods have none. */
static void what_the_route_calls_safe_is_sent_again(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /things/7", "");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    rig_turn(&rig.rig, 1000);
    answer(RIG_ANSWER("<array><data><value>x</value></data></array>"));
    exchange_expect(&x, 200, "{\"result\": \"x\"}");
    exchange_end(&x);
    exchange_send(&rig, &x, "DELETE /names/7", "");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    front_rig_run(&rig);
    exchange_expect_problem(&x, 502, "connection-lost");
    assert_non_null(strstr(x.body, "\"executed\":\"unknown\""));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void the_time_is_the_routes_or_less(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /things/7", "");
    assert_int_equal(x.request->call.limit_ms, CLOCK_NEVER);
    assert_int_equal(x.request->call.rule.timeout_ms, 2000);
    assert_string_equal(x.request->call.rule.timeout_setting, "routes.timeout");
    exchange_end(&x);
    exchange_begin(&rig, &x, "GET /things/7", LINES "X-Rpcgate-Timeout: 500ms\n");
    exchange_go_on(&rig, &x, "");
    rig_turn(&rig.rig, 499);
    assert_int_equal(x.n_replies, 0);
    fake_fail(fake, 0, UPSTREAM_TIMEOUT, true);
    rig_turn(&rig.rig, 1);
    exchange_expect_problem(&x, 504, "timeout");
    assert_non_null(strstr(x.body, "X-Rpcgate-Timeout"));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* Between the steps of reading a long body, and while the call runs: nothing is left. */
static void it_may_end_at_any_time(void **state)
{
    struct exchange x;
    CLEANUP(buf_done) struct buf body;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    buf_init(&body, SIZE_MAX - 1, NULL);
    buf_append_c(&body, "{\"text\":\"");
    for (size_t i = 0; i < LONG_TEXT; i++)
        buf_append_byte(&body, 'x');
    buf_append_c(&body, "\"}");
    exchange_begin(&rig, &x, "POST /things",
                   LINES "Content-Type: application/json\nTransfer-Encoding: chunked\n");
    assert_true(request_handler.body(&rig.endpoint, (void *)&x, buf_str(&body)));
    request_handler.complete(&rig.endpoint, (void *)&x);
    assert_false(list_empty(&rig.rig.workers[0].work.turns));
    assert_int_equal(x.n_replies, 0);
    exchange_leave(&x); /* which has no call yet */
    exchange_end(&x);
    assert_true(list_empty(&rig.rig.workers[0].work.turns));
    assert_int_equal(fake->n_submitted, 0);
    exchange_send(&rig, &x, "GET /things/7", "");
    exchange_end(&x);
    assert_int_equal(fake_n(fake), 0);
    exchange_send(&rig, &x, "GET /things/7", "");
    client_cut_off(&rig.rig.workers[0].client);
    front_cut_off(&rig.front);
    exchange_expect_problem(&x, 503, "draining");
    exchange_end(&x);
    front_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_becomes_the_params),
        cmocka_unit_test(the_result_is_as_the_route_says),
        cmocka_unit_test(nothing_is_no_fault),
        cmocka_unit_test(each_request_is_counted_once),
        cmocka_unit_test(all_that_is_wrong_is_told_without_a_call),
        cmocka_unit_test(pointers_are_into_what_was_given),
        cmocka_unit_test(rules_about_params_judge_what_was_built),
        cmocka_unit_test(what_the_route_calls_safe_is_sent_again),
        cmocka_unit_test(the_time_is_the_routes_or_less),
        cmocka_unit_test(it_may_end_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
