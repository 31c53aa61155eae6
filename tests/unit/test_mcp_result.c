/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of calls of tools: what models get of the answer, and who gets none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/macros.h"
#include "front/mcp.h"
#include "mcp_rig.h"

#define CALLER "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; "
#define SETTINGS                                                                                   \
    CALLER "allow = [ \"*/*\", \"@*\" ]; deny = ( \"a/get.secret\", \"@hidden\",\n"                \
           "  { match = \"a/drop\"; params = ( { at = 0; in = [ \"root\" ]; } ); } ); } );\n" REST
#define REST                                                                                       \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\"; extensions = [ \"i8\" ];\n"   \
    "  retry = { attempts = 1; }; pool = { max_connections = 1; };\n"                              \
    "  methods = ( { match = \"get*\"; safe = true; } ); };\n"                                     \
    " b = { url = \"http://b/\"; multicall = \"never\"; retry = { attempts = 1; };\n"              \
    "  methods = ( { match = \"get*\"; safe = true; } ); }; };\n"                                  \
    "routes = ( { name = \"one\"; get = \"/one/{id}\"; call = \"a/read\"; safe = true;\n"          \
    "   params = ( { name = \"id\"; type = \"int\"; },\n"                                          \
    "    { name = \"deep\"; type = \"boolean\"; optional = true; } ); result = { at = \"/0\"; }; " \
    "},\n"                                                                                         \
    " { name = \"quiet\"; post = \"/quiet\"; call = \"a/write\"; status = 204; },\n"               \
    " { name = \"tagged\"; get = \"/tagged\"; call = \"a/get\"; types = \"tagged\"; },\n"          \
    " { name = \"hidden\"; get = \"/hidden\"; call = \"a/get\"; } );\n"                            \
    "mcp = ( { name = \"m\"; max_result = \"1K\"; tools = ( \"@one\", \"@tagged\", \"@hidden\",\n" \
    " { match = \"@quiet\"; write = true; }, \"a/get.it\", \"a/get.secret\",\n"                    \
    " { match = \"a/drop\"; write = true; }, \"b/get*\" ); } );\n"

#define DATE "<dateTime.iso8601>20240229T12:00:00</dateTime.iso8601>"
#define NAMES(name) RIG_ANSWER("<array><data><value>" name "</value></data></array>")

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

static int set_up(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    front_rig_close(&rig);
    return 0;
}

static void answer(const char *document)
{
    fake_answer(fake, 0, 200, document);
    front_rig_run(&rig);
}

/* ---- Results -------------------------------------------------------------------------------- */

static void values_are_what_models_read(void **state)
{
    static const struct {
        const char *tool, *document, *text, *value;
    } cases[] = {
        { "a__get_it", RIG_ANSWER("a\"\\"), "\\\"a\\\\\\\"\\\\\\\\\\\"", "\"a\\\"\\\\\"" },
        { "a__get_it", RIG_ANSWER("<array><data><value><int>1</int></value></data></array>"), "[1]",
          "[1]" },
        { "a__get_it", RIG_ANSWER("<i8>1152921504606846977</i8>"), "\\\"1152921504606846977\\\"",
          "\"1152921504606846977\"" },
        { "a__get_it", RIG_ANSWER(DATE), "\\\"2024-02-29T12:00:00\\\"", "\"2024-02-29T12:00:00\"" },
        { "tagged", RIG_ANSWER(DATE), "{\\\"$dateTime\\\":\\\"20240229T12:00:00\\\"}",
          "{\"$dateTime\":\"20240229T12:00:00\"}" },
        { "quiet", RIG_ANSWER("<boolean>1</boolean>"), "null", "null" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        mcp_call(&rig, &m, cases[i].tool, "");
        answer(cases[i].document);
        mcp_expect_result(&m, cases[i].text, cases[i].value);
        exchange_end(&m.x);
    }
    struct mcp_exchange m;
    mcp_call(&rig, &m, "one", "{\"id\":1}");
    answer(RIG_ANSWER("<array><data><value>x</value></data></array>"));
    mcp_expect_result(&m, "\\\"x\\\"", "\"x\"");
    exchange_end(&m.x);
}

/* What it has chosen by the query goes before what models need. */
static void a_caller_may_choose(void **state)
{
    static const struct {
        const char *target, *text, *value;
    } cases[] = {
        { "POST /mcp/m?types=tagged", "{\\\"$i8\\\":\\\"5\\\"}", "{\"$i8\":\"5\"}" },
        { "POST /mcp/m?integers=string", "\\\"5\\\"", "\"5\"" },
        { "POST /mcp/m", "5", "5" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        mcp_begin_at(&rig, &m, cases[i].target, "");
        exchange_go_on(&rig, &m.x,
                       "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\","
                       "\"params\":{\"name\":\"a__get_it\"}}");
        answer(RIG_ANSWER("<i8>5</i8>"));
        mcp_expect_result(&m, cases[i].text, cases[i].value);
        exchange_end(&m.x);
    }
}

/* It is refused, not cut; of a route that tells nothing it does not matter. */
static void a_long_result_is_refused(void **state)
{
    CLEANUP(buf_done) struct buf document;
    (void)state;
    buf_init(&document, SIZE_MAX - 1, NULL);
    for (size_t len = 1022; len <= 1023; len++) {
        struct mcp_exchange m;
        buf_clear(&document);
        buf_append_c(&document, "<methodResponse><params><param><value>");
        for (size_t i = 0; i < len; i++)
            buf_append_byte(&document, 'x');
        buf_append_c(&document, "</value></param></params></methodResponse>");
        mcp_call(&rig, &m, "a__get_it", "");
        answer(buf_c(&document));
        if (len == 1022)
            mcp_expect_text(&m, "xx\"},\"isError\":false}}");
        else
            mcp_expect_failure(&m, "response-too-large", "yes",
                               "The result has 1025 bytes, max_result is 1024: ");
        assert_true(len == 1022 || mcp_has(&m, "\"setting\":\"mcp.max_result\""));
        exchange_end(&m.x);
        mcp_call(&rig, &m, "quiet", "");
        answer(buf_c(&document));
        mcp_expect_result(&m, "null", "null");
        exchange_end(&m.x);
    }
}

static void failures_are_told_to_models(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_call(&rig, &m, "a__get_it", "");
    answer(RIG_FAULT("-7", "no \"such\" key"));
    mcp_expect_failure(&m, "fault", "yes",
                       "\"fault\":{\"code\":-7,\"string\":\"no \\\"such\\\" key\"}");
    exchange_end(&m.x);
    mcp_call(&rig, &m, "a__drop", "");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    front_rig_run(&rig);
    mcp_expect_failure(&m, "connection-lost", "unknown", "\"method\":\"drop\"");
    exchange_end(&m.x);
    mcp_call(&rig, &m, "a__get_it", "");
    fake_answer(fake, 0, 503, "busy");
    front_rig_run(&rig);
    exchange_expect(&m.x, 200, NULL);
    mcp_expect_text(&m, "\"protocol\":{\"url\":\"http://a/\",\"status\":503,");
    exchange_end(&m.x);
    mcp_ask_modern(&rig, &m, "tools/call", "a__get_it", "\"name\":\"a__get_it\"");
    answer(RIG_FAULT("1", "no"));
    mcp_expect_text(&m, ",\"isError\":true,\"resultType\":\"complete\"" MCP_MODERN_END);
    exchange_end(&m.x);
}

/* ---- Time, leaving, and what may run out ---------------------------------------------------- */

/* Not for who has left while tools were looked for, nor for who waits for a connection. */
static void nothing_is_sent_for_who_has_left(void **state)
{
    struct mcp_exchange m, other;
    (void)state;
    mcp_call(&rig, &m, "b__get_it", "");
    exchange_leave(&m.x);
    answer(NAMES("get.it"));
    mcp_expect_failure(&m, "request-timeout", "no", "The caller left before the call was sent.");
    exchange_end(&m.x);
    assert_int_equal(fake->n_submitted, 1);
    mcp_call(&rig, &other, "a__get_it", "");
    mcp_call(&rig, &m, "a__get_it", "");
    assert_int_equal(fake_n(fake), 1);
    exchange_leave(&m.x);
    front_rig_run(&rig);
    mcp_expect_failure(&m, "request-timeout", "no", "\"upstream\":\"a\"");
    exchange_end(&m.x);
    answer(RIG_ANSWER("x"));
    exchange_expect(&other.x, 200, NULL);
    exchange_end(&other.x);
    assert_int_equal(fake->n_submitted, 2);
}

/* That of looking for the tool is a part of it. */
static void the_time_runs_from_the_request_on(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_send(&rig, &m, "X-Rpcgate-Timeout: 1s\n",
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":"
             "\"b__get_it\"}}");
    rig_turn(&rig.rig, 600);
    answer(NAMES("get.it"));
    assert_int_equal(m.x.request->call.deadline_ms - clock_now_ms(), 400);
    exchange_end(&m.x);
    mcp_send(&rig, &m, "X-Rpcgate-Timeout: 1s\n",
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":"
             "\"b__get_that\"}}");
    mcp_expect_error(&m, 200, -32602, "Unknown tool: ");
    exchange_end(&m.x);
}

/* A call that cannot be made, or a tool that is not there, takes one as well. */
static void each_call_is_taken_off_the_rate(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_close(&rig);
    front_rig_open(&rig, CALLER "allow = [ \"*/*\" ]; rate = 1; burst = 2; } );\n" REST);
    mcp_call(&rig, &m, "a__get_it", "{\"x\":1}");
    mcp_expect_failure(&m, "invalid-request", "no", "`x` is not known here");
    exchange_end(&m.x);
    mcp_call(&rig, &m, "a__get_it", "");
    answer(RIG_ANSWER("x"));
    mcp_expect_result(&m, "\\\"x\\\"", "\"x\"");
    exchange_end(&m.x);
    mcp_call(&rig, &m, "nothing", "");
    mcp_expect_failure(&m, "rate-limited", "no", "\"setting\":\"callers.rate\"");
    assert_true(exchange_has(&m.x, "Retry-After: 1"));
    exchange_end(&m.x);
    assert_int_equal(fake->n_submitted, 1);
}

#define LARGE                                                                                      \
    CALLER "allow = [ \"*/*\" ]; } );\nupstreams = { a = { url = \"http://a/\"; "                  \
           "multicall = \"never\"; methods = ( { match = \"*\"; safe = true; } ); }; };\n"         \
           "mcp = ( { name = \"m\"; max_result = \"4M\"; tools = ( \"a/get.it\" ); } );\n"

/* A result of three steps, of which the first is written. */
static void begin_long_result(struct mcp_exchange *m)
{
    CLEANUP(buf_done) struct buf document;
    buf_init(&document, SIZE_MAX - 1, NULL);
    buf_append_c(&document, "<methodResponse><params><param><value>");
    for (size_t i = 0; i < (size_t)150 * 1024; i++)
        buf_append_byte(&document, 'x');
    buf_append_c(&document, "</value></param></params></methodResponse>");
    mcp_call(&rig, m, "a__get_it", "");
    fake_answer(fake, 0, 200, buf_c(&document));
    while (chain_len(&m->x.request->mcp->out) == 0)
        rig_turn(&rig.rig, 0);
    assert_int_equal(m->x.n_replies, 0);
    assert_in_range(chain_len(&m->x.request->mcp->out), 64 * 1024, 80 * 1024);
}

static void a_long_result_is_written_in_steps(void **state)
{
    struct mcp_exchange m;
    struct budget *all = &rig.rig.commons.memory;
    (void)state;
    front_rig_close(&rig);
    front_rig_open(&rig, LARGE);
    begin_long_result(&m);
    front_rig_run(&rig);
    exchange_expect(&m.x, 200, NULL);
    assert_in_range(strlen(m.x.body), 300 * 1024, 301 * 1024);
    exchange_end(&m.x);
    begin_long_result(&m);
    exchange_end(&m.x); /* and nothing is left of it */
    begin_long_result(&m);
    size_t left = atomic_load(&all->max) - atomic_load(&all->used);
    assert_true(budget_take(all, left));
    front_rig_run(&rig);
    mcp_expect_failure(&m, "response-too-large", "yes", "\"setting\":\"limits.memory\"");
    budget_give(all, left);
    exchange_end(&m.x);
}

/* Its call once, in the numbers of its upstream, also one that was not made. */
static void each_call_is_counted(void **state)
{
    static const char *const lines[] = {
        "{upstream=\"a\",method=\"get.it\",outcome=\"ok\"} 1\n",
        "{upstream=\"a\",method=\"get.it\",outcome=\"fault\"} 1\n",
        "{upstream=\"a\",method=\"get.it\",outcome=\"invalid-request\"} 1\n",
    };
    static const char *const documents[] = { RIG_ANSWER("x"), RIG_FAULT("1", "no") };
    struct mcp_exchange m;
    struct exchange x;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        mcp_call(&rig, &m, "a__get_it", i < 2 ? "" : "{\"x\":1}");
        if (i < 2)
            answer(documents[i]);
        exchange_end(&m.x);
    }
    exchange_send(&rig, &x, "GET /metrics", "");
    exchange_expect(&x, 200, NULL);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (strstr(x.body, lines[i]) == NULL)
            fail_msg("%s\nhas no\n%s", x.body, lines[i]);
    exchange_end(&x);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_what_models_read),
        TEST(a_caller_may_choose),
        TEST(a_long_result_is_refused),
        TEST(failures_are_told_to_models),
        TEST(nothing_is_sent_for_who_has_left),
        TEST(the_time_runs_from_the_request_on),
        TEST(each_call_is_taken_off_the_rate),
        TEST(a_long_result_is_written_in_steps),
        TEST(each_call_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
