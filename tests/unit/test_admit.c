/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked of a request's head, in which order, and what the reply says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front_rig.h"

#define SETTINGS                                                                                   \
    "hosts = [ \"gate.test\" ]; cors_origins = [ \"http://page.test\" ];\n"                        \
    "limits = { body = \"1K\"; };\n"                                                               \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"a/good*\" ]; },\n"  \
    "  { name = \"slow\"; token = \"fedcba9876543210fedcba9876543210\"; rate = 1; burst = 2;\n"    \
    "    max_in_flight = 1; allow = [ \"a/*\" ]; } );\n"                                           \
    "upstreams = { a = { url = \"http://a/\"; }; b = { url = \"http://b/\"; }; };"

#define GOOD_HOST "Host: gate.test\n"
#define BOT "Authorization: Bearer " EXCHANGE_TOKEN "\n"
#define SLOW "Authorization: Bearer fedcba9876543210fedcba9876543210\n"
#define LARGE_TEXT "Content-Type: text/plain\nContent-Length: 4096\n"
#define SMALL_TEXT "Content-Type: text/plain\nContent-Length: 4\n"
#define FOREIGN "Origin: http://evil.test\n"

static struct front_rig rig;

/* Everything that comes later is wrong, too. */
static void checks_come_in_their_order(void **state)
{
    static const struct {
        const char *target, *lines;
        int status;
        const char *problem;
    } cases[] = {
        { "PUT /v1/%?x", "Host: evil.test\n" GOOD_HOST FOREIGN LARGE_TEXT, 400, "invalid-request" },
        { "PUT /v1/%?x", "Host: evil.test\n" FOREIGN LARGE_TEXT, 421, "misdirected" },
        { "PUT /v1/%?x", GOOD_HOST FOREIGN LARGE_TEXT, 403, "forbidden" },
        { "PUT /v1/%?x", GOOD_HOST LARGE_TEXT, 400, "invalid-request" },
        { "PUT /v1/b/bad?x", GOOD_HOST LARGE_TEXT, 400, "invalid-request" },
        { "PUT /v1/b/bad", GOOD_HOST LARGE_TEXT, 401, "unauthenticated" },
        { "PUT /v1/b/bad", GOOD_HOST BOT LARGE_TEXT, 404, "not-found" },
        { "PUT /v2/b/bad", GOOD_HOST BOT LARGE_TEXT, 404, "not-found" },
        { "PUT /v1/a/bad", GOOD_HOST BOT LARGE_TEXT, 405, "method-not-allowed" },
        { "POST /v1/a/bad", GOOD_HOST BOT LARGE_TEXT, 403, "forbidden" },
        { "POST /v1/a/good", GOOD_HOST BOT LARGE_TEXT, 413, "body-too-large" },
        { "POST /v1/a/good", GOOD_HOST BOT SMALL_TEXT, 415, "unsupported-media-type" },
    };
    (void)state;
    front_rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange x;
        exchange_begin(&rig, &x, cases[i].target, cases[i].lines);
        exchange_expect_problem(&x, cases[i].status, cases[i].problem);
        assert_int_equal(x.close, i == 0); /* where it ends is not certain then */
        exchange_end(&x);
    }
    front_rig_close(&rig);
}

static void what_is_wrong_with_the_path_or_the_query(void **state)
{
    static const struct {
        const char *target, *detail;
    } cases[] = {
        { "GET /v1/%?x", "percent-encoded" },
        { "GET /v1/a?x", "types or integers" },
        { "GET /v1/a/b%20c", "method's name" },
    };
    (void)state;
    front_rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange x;
        exchange_begin(&rig, &x, cases[i].target, GOOD_HOST);
        exchange_expect_problem(&x, 400, "invalid-request");
        assert_non_null(strstr(x.body, cases[i].detail));
        exchange_end(&x);
    }
    front_rig_close(&rig);
}

static void assert_told(const char *target, const char *lines, const char *detail)
{
    struct exchange x;
    exchange_begin(&rig, &x, target, lines);
    exchange_expect_problem(&x, 404, "not-found");
    if (strstr(x.body, detail) == NULL)
        fail_msg("%s does not say \"%s\"", x.body, detail);
    exchange_end(&x);
}

#define LONG_NAME "a-name-of-sixty-four-bytes-as-long-as-it-may-be-with-its-digit-"

/* It is told what this caller may use instead, as far as there is room. */
static void names_that_there_are_instead(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    assert_told("POST /v1/none/m", GOOD_HOST BOT, "that you may use. You may use a.\"");
    assert_told("POST /v1/b/m", GOOD_HOST BOT, "that you may use. You may use a.\"");
    assert_told("POST /v1/none/m", GOOD_HOST SLOW, "You may use a.\"");
    front_rig_close(&rig);
    front_rig_open(&rig,
                   "anonymous = { allow = [ \"*/*\" ]; }; upstreams = {\n" LONG_NAME
                   "1 = { url = \"http://h/\"; };\n" LONG_NAME
                   "2 = { url = \"http://h/\"; };\n" LONG_NAME
                   "3 = { url = \"http://h/\"; };\n" LONG_NAME
                   "4 = { url = \"http://h/\"; };\n" LONG_NAME "5 = { url = \"http://h/\"; };\n"
                   "d = { url = \"http://h/\"; }; };");
    assert_told("POST /v1/none/m", "Host: 127.0.0.1\n",
                "You may use " LONG_NAME "1, " LONG_NAME "2, " LONG_NAME "3, " LONG_NAME
                "4, d and 1 more, which GET /v1 lists.\"");
    front_rig_close(&rig);
}

static void refusals_have_their_header_lines(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_begin(&rig, &x, "PUT /v1/a", GOOD_HOST BOT "X-Request-Id: mine\n");
    exchange_expect_problem(&x, 405, "method-not-allowed");
    assert_true(exchange_has(&x, "Allow: GET, HEAD, POST"));
    assert_true(exchange_has(&x, "X-Request-Id: mine"));
    assert_true(exchange_has(&x, "Cache-Control: no-store"));
    assert_true(exchange_has(&x, "X-Content-Type-Options: nosniff"));
    assert_non_null(strstr(x.body, "Use GET, HEAD, POST for this path."));
    exchange_end(&x);
    exchange_begin(&rig, &x, "GET /jsonrpc/a", GOOD_HOST BOT);
    exchange_expect_problem(&x, 405, "method-not-allowed");
    assert_true(exchange_has(&x, "Allow: POST"));
    exchange_end(&x);
    exchange_begin(&rig, &x, "GET /v1", GOOD_HOST);
    exchange_expect_problem(&x, 401, "unauthenticated");
    assert_true(exchange_has(&x, "WWW-Authenticate: Bearer"));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* The clock goes on only when it is told. */
static void calls_are_taken_off_the_rate_before_the_body(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < 2; i++) {
        exchange_begin(&rig, &x, "POST /v1/a/m", GOOD_HOST SLOW LARGE_TEXT);
        exchange_expect_problem(&x, 413, "body-too-large");
        exchange_end(&x);
    }
    exchange_begin(&rig, &x, "POST /v1/a/m", GOOD_HOST SLOW LARGE_TEXT);
    exchange_expect_problem(&x, 429, "rate-limited");
    assert_true(exchange_has(&x, "Retry-After: 1"));
    exchange_end(&x);
    /* A batch takes its calls when it is known how many they are. */
    exchange_begin(&rig, &x, "POST /v1/a", GOOD_HOST SLOW LARGE_TEXT);
    exchange_expect_problem(&x, 413, "body-too-large");
    exchange_end(&x);
    rig_turn(&rig.rig, 1000);
    exchange_begin(&rig, &x, "GET /v1/a/m", GOOD_HOST SLOW "Content-Length: 4096\n");
    exchange_expect_problem(&x, 413, "body-too-large");
    exchange_end(&x);
    exchange_begin(&rig, &x, "GET /v1/a/m", GOOD_HOST SLOW);
    exchange_expect_problem(&x, 429, "rate-limited");
    exchange_end(&x);
    front_rig_close(&rig);
}

static void one_in_flight_ends_with_its_reply(void **state)
{
    struct exchange first, second;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_begin(&rig, &first, "POST /v1/a/m", GOOD_HOST SLOW);
    assert_int_equal(first.n_replies, 0);
    exchange_begin(&rig, &second, "POST /v1/a/m", GOOD_HOST SLOW);
    exchange_expect_problem(&second, 429, "rate-limited");
    assert_non_null(strstr(second.body, "max_in_flight"));
    exchange_end(&second);
    exchange_end(&first); /* its caller has left */
    exchange_begin(&rig, &second, "POST /v1/a/m", GOOD_HOST SLOW LARGE_TEXT);
    exchange_expect_problem(&second, 413, "body-too-large");
    exchange_end(&second);
    front_rig_close(&rig);
}

static void a_type_is_asked_for_when_there_are_bytes(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_begin(&rig, &x, "POST /v1/a", GOOD_HOST BOT "Transfer-Encoding: chunked\n");
    assert_int_equal(x.n_replies, 0);
    exchange_go_on(&rig, &x, "[]");
    exchange_expect_problem(&x, 415, "unsupported-media-type");
    exchange_end(&x);
    exchange_begin(&rig, &x, "POST /jsonrpc/a",
                   GOOD_HOST BOT "Content-Type: application/json-rpc\nContent-Length: 2\n");
    exchange_go_on(&rig, &x, "[]");
    exchange_expect(&x, 200, NULL);
    exchange_end(&x);
    exchange_begin(&rig, &x, "POST /v1/a",
                   GOOD_HOST BOT "Content-Type: application/json-rpc\nContent-Length: 2\n");
    exchange_expect_problem(&x, 415, "unsupported-media-type");
    exchange_end(&x);
    front_rig_close(&rig);
}

static void health_asks_for_nothing(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_begin(&rig, &x, "GET /livez", "Host: 10.0.0.7\n");
    exchange_go_on(&rig, &x, "");
    exchange_expect(&x, 200, "{\"status\":\"ok\"}");
    exchange_end(&x);
    exchange_begin(&rig, &x, "POST /livez", "Host: 10.0.0.7\n");
    exchange_expect_problem(&x, 405, "method-not-allowed");
    exchange_end(&x);
    atomic_store(&rig.rig.commons.phase, PHASE_LAME_DUCK);
    exchange_begin(&rig, &x, "GET /readyz", "Host: 10.0.0.7\n");
    exchange_go_on(&rig, &x, "");
    exchange_expect(&x, 503, "{\"status\":\"draining\"}");
    exchange_end(&x);
    front_rig_close(&rig);
}

static void a_listener_has_what_it_serves(void **state)
{
    static const struct {
        unsigned serve;
        const char *target;
        int status;
    } cases[] = {
        { SERVE_API, "GET /", 200 },
        { SERVE_API, "GET /livez", 404 },
        { SERVE_API, "GET /metrics", 404 },
        { SERVE_HEALTH, "GET /livez", 200 },
        { SERVE_HEALTH, "GET /v1", 404 },
        { SERVE_HEALTH, "GET /metrics", 404 },
        { SERVE_METRICS, "GET /metrics", 200 },
        { SERVE_METRICS, "GET /livez", 404 },
        { SERVE_ADMIN, "GET /livez", 200 },
        { SERVE_ADMIN, "GET /metrics", 200 },
        { SERVE_ADMIN, "OPTIONS *", 404 },
        { SERVE_API, "OPTIONS *", 204 },
    };
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        rig.endpoint.serve = cases[i].serve;
        exchange_begin(&rig, &x, cases[i].target, GOOD_HOST BOT);
        exchange_go_on(&rig, &x, "");
        exchange_expect(&x, cases[i].status, NULL);
        exchange_end(&x);
    }
    /* Where health alone is served no token must be sent, nor guessed. */
    rig.endpoint.serve = SERVE_HEALTH;
    exchange_begin(&rig, &x, "GET /v1", GOOD_HOST);
    exchange_expect_problem(&x, 404, "not-found");
    exchange_end(&x);
    rig.endpoint.serve = SERVE_METRICS;
    exchange_begin(&rig, &x, "GET /v1", GOOD_HOST);
    exchange_expect_problem(&x, 401, "unauthenticated");
    exchange_end(&x);
    front_rig_close(&rig);
}

static void the_server_and_browsers_ask_by_options(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_begin(&rig, &x, "OPTIONS *", GOOD_HOST BOT);
    exchange_go_on(&rig, &x, "");
    exchange_expect(&x, 204, "");
    assert_true(exchange_has(&x, "Allow: GET, HEAD, OPTIONS, POST"));
    exchange_end(&x);
    exchange_begin(&rig, &x, "OPTIONS /whatever",
                   GOOD_HOST "Origin: http://page.test\nAccess-Control-Request-Method: POST\n");
    exchange_go_on(&rig, &x, "");
    exchange_expect(&x, 204, "");
    assert_true(exchange_has(&x, "Access-Control-Allow-Origin: http://page.test"));
    assert_true(exchange_has(&x, "Access-Control-Allow-Methods: GET, HEAD, POST"));
    assert_null(strstr(buf_c(&x.headers), "\nAllow:"));
    exchange_end(&x);
    exchange_begin(&rig, &x, "OPTIONS /v1", GOOD_HOST BOT);
    exchange_expect_problem(&x, 405, "method-not-allowed");
    exchange_end(&x);
    front_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_come_in_their_order),
        cmocka_unit_test(what_is_wrong_with_the_path_or_the_query),
        cmocka_unit_test(names_that_there_are_instead),
        cmocka_unit_test(refusals_have_their_header_lines),
        cmocka_unit_test(calls_are_taken_off_the_rate_before_the_body),
        cmocka_unit_test(one_in_flight_ends_with_its_reply),
        cmocka_unit_test(a_type_is_asked_for_when_there_are_bytes),
        cmocka_unit_test(health_asks_for_nothing),
        cmocka_unit_test(a_listener_has_what_it_serves),
        cmocka_unit_test(the_server_and_browsers_ask_by_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
