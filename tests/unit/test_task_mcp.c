/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of MCP: which are understood, of which revision they are, and how others are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "mcp_rig.h"

#define SETTINGS                                                                                   \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"*/*\" ]; } );\n"    \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\";\n"                            \
    "  methods = ( { match = \"get*\"; safe = true; } ); }; };\n"                                  \
    "mcp = ( { name = \"m\"; tools = ( \"a/get.it\" ); max_request = \"256K\"; } );\n"

#define MODERN "MCP-Protocol-Version: 2026-07-28\n"
#define METHOD(name) "Mcp-Method: " name "\n"
#define NAME(name) "Mcp-Name: " name "\n"
#define ASKED(method, params)                                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":\"é\",\"method\":\"" method "\",\"params\":" params "}"
#define PREFIX "io.modelcontextprotocol/"

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

/* A request by hand, refused without a call: rows of tables. */
struct refusal {
    const char *lines, *body;
    int status, code;
    const char *message;
};

static void expect_refusals(const struct refusal *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct mcp_exchange m;
        mcp_send(&rig, &m, cases[i].lines, cases[i].body);
        mcp_expect_error(&m, cases[i].status, cases[i].code, cases[i].message);
        exchange_end(&m.x);
    }
    assert_int_equal(fake->n_submitted, 0);
}

/* ---- What needs no tool --------------------------------------------------------------------- */

/* One that is known, or else the newest of those that have it. */
static void initialize_agrees_on_a_revision(void **state)
{
    static const char end[] = " become of it.\"}}";
    static const struct {
        const char *params, *version;
    } cases[] = {
        { "\"protocolVersion\":\"2025-06-18\"", "2025-06-18" },
        { "\"protocolVersion\":\"2025-11-25\"", "2025-11-25" },
        { "\"protocolVersion\":\"2025-06-1\\u0038\"", "2025-06-18" },
        { "\"protocolVersion\":\"2024-11-05\"", "2025-11-25" },
        { "\"protocolVersion\":\"2026-07-28\"", "2025-11-25" },
        { "\"protocolVersion\":\"\"", "2025-11-25" },
        { "\"protocolVersion\":20250618", "2025-11-25" },
        { "", "2025-11-25" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        char begin[256];
        snprintf(begin, sizeof begin,
                 "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"protocolVersion\":\"%s\","
                 "\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"rpcgate\","
                 "\"version\":\"" PACKAGE_VERSION "\"},\"instructions\":\"These tools call ",
                 cases[i].version);
        mcp_ask(&rig, &m, "initialize", cases[i].params);
        exchange_expect(&m.x, 200, NULL);
        mcp_expect_text(&m, begin);
        assert_string_equal(m.x.body + strlen(m.x.body) - strlen(end), end);
        assert_true(exchange_has(&m.x, "Content-Type: application/json"));
        exchange_end(&m.x);
    }
}

static void discover_tells_what_it_is(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_ask_modern(&rig, &m, "server/discover", NULL, "");
    exchange_expect(&m.x, 200, NULL);
    mcp_expect_text(&m, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"supportedVersions\":"
                        "[\"2026-07-28\"],\"capabilities\":{\"tools\":{}},\"instructions\":\"");
    mcp_expect_text(&m, " become of it.\"" MCP_MODERN_LIST_END);
    exchange_end(&m.x);
}

static void ping_is_answered(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_send(&rig, &m, "", ASKED("ping", "{}"));
    exchange_expect(&m.x, 200, "{\"jsonrpc\":\"2.0\",\"id\":\"é\",\"result\":{}}");
    exchange_end(&m.x);
    mcp_send(&rig, &m, "", "{\"jsonrpc\":\"2.0\",\"id\":-1.5,\"method\":\"pi\\u006eg\"}");
    exchange_expect(&m.x, 200, "{\"jsonrpc\":\"2.0\",\"id\":-1.5,\"result\":{}}");
    exchange_end(&m.x);
}

/* Nothing can come of one, whatever it says. */
static void notifications_are_taken(void **state)
{
    static const char *const methods[] = { "notifications/initialized", "tools/call", "nothing" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct mcp_exchange m;
        char body[96];
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"}", methods[i]);
        mcp_send(&rig, &m, "", body);
        exchange_expect(&m.x, 202, "");
        exchange_end(&m.x);
    }
}

static void methods_are_of_their_revision(void **state)
{
    static const struct {
        const char *method;
        bool in_modern;
    } cases[] = {
        { "initialize", true },       { "ping", true },
        { "nothing", true },          { "tools", true },
        { "server/discover", false }, { "resources/list", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        char message[96];
        snprintf(message, sizeof message, "Method not found: %s. There", cases[i].method);
        if (cases[i].in_modern)
            mcp_ask_modern(&rig, &m, cases[i].method, NULL, "");
        else
            mcp_ask(&rig, &m, cases[i].method, "");
        mcp_expect_error(&m, cases[i].in_modern ? 404 : 200, -32601, message);
        mcp_expect_text(&m, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":");
        mcp_expect_text(&m, "\"data\":{\"type\":\"urn:rpcgate:problem:not-found\"");
        exchange_end(&m.x);
    }
}

/* ---- What is no request --------------------------------------------------------------------- */

static void texts_that_are_no_request(void **state)
{
    static const struct refusal cases[] = {
        { "", "{", 400, -32700, "" },
        { "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}}", 400, -32700, "" },
        { "", "7", 400, -32600, "" },
        { "", "[]", 400, -32600, "MCP has no batches" },
        { "", "[" ASKED("ping", "{}") "]", 400, -32600, "MCP has no batches" },
        { "", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400, -32600,
          "`id` must be a string or a number." },
        { "", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", 400, -32600, "" },
        { "", "{\"jsonrpc\":\"2.0\",\"id\":1}", 400, -32600, "" },
        { "", ASKED("ping", "[]"), 200, -32602, "`params` must be an object." },
        { "X-Rpcgate-Timeout: soon\n", ASKED("ping", "{}"), 400, -32600,
          "The value of X-Rpcgate-Timeout is no duration" },
    };
    (void)state;
    expect_refusals(cases, ARRAY_LEN(cases));
}

/* An answer has the id of what it answers, where that is known. */
static void refusals_have_the_id(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_send(&rig, &m, "", "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":5}");
    mcp_expect_error(&m, 400, -32600, "");
    mcp_expect_text(&m, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":");
    exchange_end(&m.x);
    mcp_send(&rig, &m, "", "[]");
    mcp_expect_text(&m, "{\"jsonrpc\":\"2.0\",\"error\":");
    exchange_end(&m.x);
    mcp_send(&rig, &m, "", "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}");
    mcp_expect_text(&m, "{\"jsonrpc\":\"2.0\",\"error\":");
    exchange_end(&m.x);
}

/* ---- The revision without sessions ---------------------------------------------------------- */

/* The lines must say what the body says, each once. */
static void header_lines_are_held_against_the_body(void **state)
{
    static const char list[] = ASKED("tools/list", "{" MCP_META "}");
    static const char call[] = ASKED("tools/call", "{\"name\":\"a__\\u00e9\"," MCP_META "}");
    const struct refusal cases[] = {
        { METHOD("tools/list"), list, 400, -32020,
          "Header mismatch: the line MCP-Protocol-Version is missing" },
        { MODERN MODERN METHOD("tools/list"), list, 400, -32020,
          "Header mismatch: the line MCP-Protocol-Version is there several times" },
        { "MCP-Protocol-Version: 2025-06-18\n" METHOD("tools/list"), list, 400, -32020,
          "Header mismatch: the line MCP-Protocol-Version differs from the body" },
        { MODERN, list, 400, -32020, "Header mismatch: the line Mcp-Method is missing" },
        { MODERN METHOD("tools/call"), list, 400, -32020,
          "Header mismatch: the line Mcp-Method differs" },
        { MODERN METHOD("=?base64?dG9vbHMvbGlzdA==?="), list, 400, -32020,
          "Header mismatch: the line Mcp-Method differs" },
        { MODERN METHOD("=?base64?*?="), list, 400, -32020,
          "Header mismatch: the line Mcp-Method differs" },
        { MODERN METHOD("tools/call"), call, 400, -32020,
          "Header mismatch: the line Mcp-Name is missing" },
        { MODERN METHOD("tools/call") NAME("a__b"), call, 400, -32020,
          "Header mismatch: the line Mcp-Name differs" },
        { MODERN METHOD("tools/call") NAME("=?base64?*?="), call, 400, -32020,
          "Header mismatch: the line Mcp-Name is no base64" },
        { MODERN METHOD("tools/call") NAME("=?base64?YV9fYg==?="), call, 400, -32020,
          "Header mismatch: the line Mcp-Name differs" },
        { MODERN METHOD("tools/call") NAME("=?base64?="), call, 400, -32020,
          "Header mismatch: the line Mcp-Name differs" },
        { MODERN METHOD("tools/call"), ASKED("tools/call", "{" MCP_META "}"), 400, -32602,
          "`params.name` must be the name of a tool" },
        { MODERN METHOD("tools/call"), ASKED("tools/call", "{\"name\":1," MCP_META "}"), 400,
          -32602, "`params.name` must be the name of a tool" },
    };
    (void)state;
    expect_refusals(cases, ARRAY_LEN(cases));
}

static void lines_may_have_blanks_or_be_base64(void **state)
{
    static const char *const lines[] = {
        MODERN METHOD(" tools/call\t") NAME(" a__get_it "),
        MODERN METHOD("tools/call") NAME("=?base64?YV9fZ2V0X2l0?="),
    };
    static const char *const bodies[] = {
        ASKED("tools/call", "{\"name\":\"a__get_it\"," MCP_META "}"),
        ASKED("tools/call",
              "{\"n\\u0061me\":\"a__g\\u0065t_it\",\"_m\\u0065ta\":{\"" PREFIX
              "protocolVersio\\u006e\":\"2026-07-28\",\"" PREFIX "clientCapabilities\":{}}}"),
    };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct mcp_exchange m;
        mcp_send(&rig, &m, lines[i % 2], bodies[i / 2]);
        assert_int_equal(m.x.n_replies, 0);
        fake_answer(fake, 0, 200, RIG_ANSWER("<int>5</int>"));
        front_rig_run(&rig);
        exchange_expect(&m.x, 200, NULL);
        mcp_expect_text(&m, "\"structuredContent\":{\"result\":5},\"isError\":false,"
                            "\"resultType\":\"complete\"" MCP_MODERN_END);
        exchange_end(&m.x);
    }
}

/* Which is told by the line or by `_meta`; what is of no known revision is held to be of it. */
static void its_meta_must_be_whole(void **state)
{
    static const struct refusal cases[] = {
        { MODERN METHOD("ping"), ASKED("ping", "{}"), 400, -32602,
          "`params._meta` must have `" PREFIX "protocolVersion`, a string." },
        { "MCP-Protocol-Version: 2024-11-05\n", ASKED("ping", "{}"), 400, -32602,
          "`params._meta` must have `" PREFIX "protocolVersion`, a string." },
        { MODERN METHOD("ping"), ASKED("ping", "{\"_meta\":[]}"), 400, -32602,
          "`params._meta` must have `" PREFIX "protocolVersion`, a string." },
        { "", ASKED("ping", "{\"_meta\":{\"" PREFIX "protocolVersion\":20260728}}"), 400, -32602,
          "`params._meta` must have `" PREFIX "protocolVersion`, a string." },
        { "", ASKED("ping", "{\"_meta\":{\"" PREFIX "protocolVersion\":\"2026-07-28\"}}"), 400,
          -32602, "`params._meta` must have `" PREFIX "clientCapabilities`, an object." },
        { "",
          ASKED("ping", "{\"_meta\":{\"" PREFIX "protocolVersion\":\"2026-07-28\",\"" PREFIX
                        "clientCapabilities\":[]}}"),
          400, -32602, "`params._meta` must have `" PREFIX "clientCapabilities`, an object." },
        { MODERN METHOD("ping"), ASKED("ping", "[]"), 400, -32602, "`params` must be an object." },
    };
    (void)state;
    expect_refusals(cases, ARRAY_LEN(cases));
}

static void another_revision_is_told_which_there_are(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_send(&rig, &m, "MCP-Protocol-Version: 2027-01-01\n" METHOD("ping"),
             ASKED("ping", "{\"_meta\":{\"" PREFIX "protocolVersion\":\"2027-01-01\",\"" PREFIX
                           "clientCapabilities\":{}}}"));
    mcp_expect_error(&m, 400, -32022, "Unsupported protocol version: use 2026-07-28");
    mcp_expect_text(&m,
                    ",\"data\":{\"supported\":[\"2026-07-28\"],\"requested\":\"2027-01-01\"}}}");
    exchange_end(&m.x);
}

/* ---- Its time ------------------------------------------------------------------------------- */

/* Others have their turn between reading and doing, and its caller may leave there. */
static void what_it_asks_for_is_done_in_another_turn(void **state)
{
    CLEANUP(buf_done) struct buf body;
    struct mcp_exchange m;
    (void)state;
    buf_init(&body, SIZE_MAX - 1, NULL);
    buf_append_c(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"x\":\"");
    for (size_t i = 0; i < (size_t)255 * 1024; i++)
        buf_append_byte(&body, 'x');
    buf_append_c(&body, "\"}}");
    for (int leaves = 0; leaves < 2; leaves++) {
        mcp_begin(&rig, &m, "");
        assert_true(request_handler.body(&rig.endpoint, (void *)&m.x, buf_str(&body)));
        request_handler.complete(&rig.endpoint, (void *)&m.x);
        assert_int_equal(m.x.n_replies, 0);
        assert_false(list_empty(&rig.rig.workers[0].work.turns));
        if (leaves == 0) {
            front_rig_run(&rig);
            exchange_expect(&m.x, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
        }
        exchange_end(&m.x);
        assert_true(list_empty(&rig.rig.workers[0].work.turns));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(initialize_agrees_on_a_revision),
        TEST(discover_tells_what_it_is),
        TEST(ping_is_answered),
        TEST(notifications_are_taken),
        TEST(methods_are_of_their_revision),
        TEST(texts_that_are_no_request),
        TEST(refusals_have_the_id),
        TEST(header_lines_are_held_against_the_body),
        TEST(lines_may_have_blanks_or_be_base64),
        TEST(its_meta_must_be_whole),
        TEST(another_revision_is_told_which_there_are),
        TEST(what_it_asks_for_is_done_in_another_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
