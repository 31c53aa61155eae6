/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of tools: who sees which, what upstreams are asked for them, and how each is described. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "mcp_rig.h"

#define CALLER "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; "
#define UPSTREAM(name, more)                                                                       \
    " " name " = { url = \"http://" name                                                           \
    "/\"; multicall = \"never\"; retry = { attempts = 1; };\n"                                     \
    "  methods = ( { match = \"get*\"; safe = true; } ); " more "};\n"
#define UPSTREAMS                                                                                  \
    "upstreams = {\n" UPSTREAM("a", "") UPSTREAM("b", "") UPSTREAM("c", "")                        \
        UPSTREAM("d", "faces = [ \"json\" ]; ") "};\n"
#define ROUTES                                                                                     \
    "routes = ( { name = \"one\"; get = \"/one/{id}\"; call = \"a/read\"; safe = true;\n"          \
    "   summary = \"One\"; params = ( { name = \"id\"; type = \"int\"; min = 1; },\n"              \
    "    { name = \"n\"; type = \"int\"; default = 3; },\n"                                        \
    "    { name = \"deep\"; type = \"boolean\"; optional = true; },\n"                             \
    "    { name = \"big\"; type = \"i8\"; optional = true; } ); },\n"                              \
    " { name = \"hidden\"; get = \"/hidden\"; call = \"a/get\"; },\n"                              \
    " { name = \"start\"; post = \"/start\"; call = \"a/start\"; params = ( 1 ); } );\n"
#define RIGHTS                                                                                     \
    CALLER "allow = [ \"a/*\", \"b/*\", \"d/*\", \"@*\" ];\n"                                      \
           "  deny = [ \"a/get.secret\", \"@hidden\" ]; } );\n"
#define SERVER(tools) "mcp = ( { name = \"m\"; max = 4; tools = ( " tools " ); } );\n"

#define HINTS(is_safe, is_destructive, is_idempotent)                                              \
    ",\"annotations\":{\"readOnlyHint\":" is_safe ",\"destructiveHint\":" is_destructive           \
    ",\"idempotentHint\":" is_idempotent ",\"openWorldHint\":false}}"
#define READS HINTS("true", "false", "true")
#define ANY_PARAMS                                                                                 \
    "{\"type\":\"object\",\"properties\":{\"params\":{\"type\":\"array\",\"items\":{},"            \
    "\"description\":\"The method's params, in order.\"}},\"additionalProperties\":false}"
#define LIST(tools) "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"tools\":[" tools "]"

#define TEXT(text) "<value>" text "</value>"
#define ARRAY(values) "<array><data>" values "</data></array>"

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

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

/* What is under way is that call to the upstream with that index. */
static void expect_asked(size_t upstream, const char *text)
{
    char *document = fake_document(fake, 0);
    if (strstr(document, text) == NULL)
        fail_msg("%s\nhas no\n%s", document, text);
    free(document);
    assert_ptr_equal(fake->last, &rig.rig.config->upstreams[upstream]);
}

/* The tools of a list have these names, in this order. */
static void expect_names(const struct mcp_exchange *m, const char *expected)
{
    static const char begin[] = "{\"name\":\"", end[] = "\",\"title\"";
    CLEANUP(buf_done) struct buf names;
    exchange_expect(&m->x, 200, NULL);
    buf_init(&names, SIZE_MAX - 1, NULL);
    for (const char *at = m->x.body; (at = strstr(at, begin)) != NULL;) {
        at += strlen(begin);
        const char *to = strchr(at, '"');
        if (strncmp(to, end, strlen(end)) == 0)
            buf_printf(&names, "%s%.*s", names.len > 0 ? " " : "", (int)(to - at), at);
    }
    assert_string_equal(buf_c(&names), expected);
}

/* It answers all that it is asked about its methods by knowing nothing of them. */
static void tell_nothing_more(void)
{
    while (fake_n(fake) > 0)
        answer(RIG_FAULT("1", "unknown"));
}

/* ---- Descriptions --------------------------------------------------------------------------- */

static void routes_are_described_by_themselves(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_open(
        &rig, RIGHTS UPSTREAMS ROUTES SERVER(
                  "\"@one\", \"@hidden\", { match = \"@start\"; write = true; idempotent = true;"
                  " description = \"Starts \\\"it\\\".\"; }"));
    mcp_ask(&rig, &m, "tools/list", "");
    exchange_expect(
        &m.x, 200,
        LIST(
            "{\"name\":\"one\",\"title\":\"One\",\"description\":\"One\",\"inputSchema\":{\"type\":"
            "\"object\",\"properties\":{\"id\":{\"type\":\"integer\",\"format\":\"int32\","
            "\"minimum\":1},\"n\":{\"type\":\"integer\",\"format\":\"int32\",\"default\":3},"
            "\"deep\":{\"type\":\"boolean\"},\"big\":{\"type\":[\"integer\",\"string\"],\"format\":"
            "\"int64\",\"pattern\":\"^-?[0-9]+$\"}},\"required\":[\"id\"],"
            "\"additionalProperties\":false}" READS
            ",{\"name\":\"start\",\"title\":\"start\",\"description\":\"Starts \\\"it\\\".\","
            "\"inputSchema\":{\"type\":\"object\",\"properties\":{},\"additionalProperties\":"
            "false}" HINTS("false", "true", "true")) "}}");
    exchange_end(&m.x);
    mcp_ask_modern(&rig, &m, "tools/list", NULL, "");
    expect_names(&m, "one start");
    mcp_expect_text(&m, "}]" MCP_MODERN_LIST_END);
    exchange_end(&m.x);
    assert_int_equal(fake->n_submitted, 0);
}

/* By its signatures and help, asked for once; a description of ours goes before its help. */
static void methods_are_described_by_their_upstream(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_open(
        &rig,
        RIGHTS UPSTREAMS SERVER(
            "\"a/get.it\", { match = \"a/get.own\"; description = \"Ours.\"; }, \"a/get.dark\""));
    for (int i = 0; i < 2; i++) {
        mcp_ask(&rig, &m, "tools/list", "");
        if (i == 0) {
            expect_asked(0, "<methodName>system.listMethods</methodName>");
            answer(RIG_ANSWER(ARRAY(TEXT("get.it"))));
            expect_asked(0, "<methodName>system.methodSignature</methodName>");
            answer(RIG_ANSWER(ARRAY("<value>" ARRAY(TEXT("int") TEXT("boolean")) "</value>")));
            expect_asked(0, "<methodName>system.methodHelp</methodName>");
            answer(RIG_ANSWER("Gets \"it\"."));
            answer(RIG_FAULT("1", "no signature"));
            answer(RIG_ANSWER("Theirs."));
            tell_nothing_more();
        }
        exchange_expect(
            &m.x, 200,
            LIST("{\"name\":\"a__get_it\",\"title\":\"a/get.it\",\"description\":"
                 "\"Gets \\\"it\\\".\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a1\":"
                 "{\"type\":\"boolean\"}},\"required\":[\"a1\"],\"additionalProperties\":"
                 "false}" READS
                 ",{\"name\":\"a__get_own\",\"title\":\"a/get.own\",\"description\":\"Ours.\","
                 "\"inputSchema\":" ANY_PARAMS READS
                 ",{\"name\":\"a__get_dark\",\"title\":\"a/get.dark\",\"description\":\"Calls "
                 "get.dark of the XML-RPC server a.\",\"inputSchema\":" ANY_PARAMS READS) "}}");
        exchange_end(&m.x);
    }
    assert_int_equal(fake->n_submitted, 7);
}

/* Then it is not asked about each. */
static void an_upstream_may_tell_nothing(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_open(&rig, RIGHTS UPSTREAMS SERVER("\"a/get.it\", \"a/get.that\", \"b/get*\""));
    mcp_ask(&rig, &m, "tools/list", "");
    expect_asked(1, "<methodName>system.listMethods</methodName>");
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    front_rig_run(&rig);
    expect_asked(0, "<methodName>system.listMethods</methodName>");
    answer(RIG_FAULT("-32601", "no such method"));
    expect_names(&m, "a__get_it a__get_that");
    exchange_end(&m.x);
    assert_int_equal(fake->n_submitted, 2);
}

/* ---- Which there are ------------------------------------------------------------------------ */

/* Safe ones of those that it may use, with names that a path takes, each once; who may not be seen,
 * or is not for this, is not asked. */
static void globs_match_what_upstreams_tell(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_open(
        &rig, RIGHTS UPSTREAMS SERVER(
                  "\"a/get.known\", \"a/get*\", \"a/set*\", \"c/get*\", \"d/get*\", \"b/get*\""));
    mcp_ask(&rig, &m, "tools/list", "");
    expect_asked(0, "<methodName>system.listMethods</methodName>");
    answer(RIG_ANSWER(ARRAY(TEXT("get.y") TEXT("get.z") TEXT("get.secret") TEXT("set.it")
                                TEXT("get.known") TEXT("get a") TEXT("get.z") TEXT("other"))));
    expect_asked(1, "<methodName>system.listMethods</methodName>");
    answer(RIG_ANSWER(ARRAY(TEXT("get.z") TEXT("add"))));
    tell_nothing_more();
    expect_names(&m, "a__get_known a__get_y a__get_z b__get_z");
    exchange_end(&m.x);
    mcp_call(&rig, &m, "b__get_z", "");
    expect_asked(1, "<methodName>get.z</methodName>");
    exchange_end(&m.x);
}

/* Those that are written count first, and what is too much is not there at all. */
static void there_are_at_most_max(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_open(&rig, RIGHTS UPSTREAMS SERVER("\"a/get*\", \"b/get.known\", \"b/get*\""));
    mcp_ask(&rig, &m, "tools/list", "");
    answer(RIG_ANSWER(
        ARRAY(TEXT("get.secret") TEXT("get.1") TEXT("get.2") TEXT("get.3") TEXT("get.4"))));
    answer(RIG_ANSWER(ARRAY(TEXT("get.5"))));
    tell_nothing_more();
    expect_names(&m, "b__get_known a__get_1 a__get_2 a__get_3");
    exchange_end(&m.x);
    mcp_call(&rig, &m, "a__get_4", "");
    mcp_expect_error(&m, 200, -32602, "Unknown tool: a__get_4.");
    exchange_end(&m.x);
}

/* Of which a caller may use nothing, that server is not there. */
static void a_server_may_be_nobodys(void **state)
{
    static const char *const servers[] = {
        RIGHTS UPSTREAMS SERVER("\"c/get*\", \"c/get.it\""),
        RIGHTS UPSTREAMS SERVER("\"d/get*\", \"d/get.it\""),
        RIGHTS UPSTREAMS ROUTES SERVER("\"@hidden\""),
        RIGHTS UPSTREAMS SERVER("\"a/get.secret\""),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct mcp_exchange m;
        front_rig_open(&rig, servers[i]);
        mcp_ask(&rig, &m, "tools/list", "");
        exchange_expect_problem(&m.x, 404, "not-found");
        exchange_end(&m.x);
        assert_int_equal(fake->n_submitted, 0);
        if (i + 1 < ARRAY_LEN(servers))
            front_rig_close(&rig);
    }
}

/* ---- Pages, time, and rate ------------------------------------------------------------------ */

static void there_is_one_page(void **state)
{
    static const struct {
        const char *cursor;
        bool is_good;
    } cases[] = { { "null", true }, { "\"\"", true }, { "\"2\"", false }, { "1", false } };
    struct mcp_exchange m;
    (void)state;
    front_rig_open(&rig, RIGHTS UPSTREAMS ROUTES SERVER("\"@one\""));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char params[64];
        snprintf(params, sizeof params, "\"cursor\":%s", cases[i].cursor);
        for (int is_modern = 0; is_modern < 2; is_modern++) {
            if (is_modern)
                mcp_ask_modern(&rig, &m, "tools/list", NULL, params);
            else
                mcp_ask(&rig, &m, "tools/list", params);
            if (cases[i].is_good)
                expect_names(&m, "one");
            else
                mcp_expect_error(&m, is_modern ? 400 : 200, -32602, "This `cursor` is not known");
            assert_false(cases[i].is_good && mcp_has(&m, "nextCursor"));
            exchange_end(&m.x);
        }
    }
}

/* While names are waited for, or what there is of each; what comes later is kept. */
static void a_caller_may_lower_the_time_or_leave(void **state)
{
    static const char *const servers[] = {
        RIGHTS UPSTREAMS SERVER("\"a/get*\""),
        RIGHTS UPSTREAMS SERVER("\"a/get.it\""),
    };
    static const char list[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct mcp_exchange m, left;
        front_rig_open(&rig, servers[i]);
        mcp_send(&rig, &m, "X-Rpcgate-Timeout: 1500ms\n", list);
        mcp_send(&rig, &left, "", list);
        exchange_end(&left.x);
        rig_turn(&rig.rig, 1499);
        assert_int_equal(m.x.n_replies, 0);
        rig_turn(&rig.rig, 1);
        mcp_expect_error(&m, 504, -32000, "The upstream a has not told of its methods in the time");
        mcp_expect_text(&m, "\"executed\":\"no\"");
        assert_int_equal(fake_n(fake), 1);
        answer(RIG_ANSWER(ARRAY(TEXT("get.it"))));
        exchange_end(&m.x); /* which had its one reply */
        assert_int_equal(fake_n(fake), 0);
        mcp_send(&rig, &m, "", list);
        tell_nothing_more();
        expect_names(&m, "a__get_it");
        exchange_end(&m.x);
        if (i == 0)
            front_rig_close(&rig);
    }
}

static void a_list_is_taken_off_the_rate(void **state)
{
    struct mcp_exchange m;
    (void)state;
    front_rig_open(&rig, CALLER
                   "allow = [ \"*/*\", \"@*\" ]; rate = 1; burst = 1; } );\n" UPSTREAMS ROUTES
                       SERVER("\"@one\""));
    mcp_ask(&rig, &m, "tools/list", "");
    expect_names(&m, "one");
    exchange_end(&m.x);
    mcp_ask(&rig, &m, "ping", ""); /* which asks nobody */
    exchange_expect(&m.x, 200, NULL);
    exchange_end(&m.x);
    mcp_ask(&rig, &m, "tools/list", "");
    mcp_expect_error(&m, 429, -32000, "");
    mcp_expect_text(&m, "\"setting\":\"callers.rate\"");
    assert_true(exchange_has(&m.x, "Retry-After: 1"));
    exchange_end(&m.x);
}

/* Many names are read, and many tools written, in several turns; whoever leaves between leaves
 * nothing. */
static void a_long_list_is_made_in_steps(void **state)
{
    CLEANUP(buf_done) struct buf names;
    struct mcp_exchange m;
    (void)state;
    front_rig_open(&rig, RIGHTS UPSTREAMS
                   "mcp = ( { name = \"m\"; max = 500; tools = ( \"a/get*\" ); } );\n");
    buf_init(&names, SIZE_MAX - 1, NULL);
    buf_append_c(&names, "<methodResponse><params><param><value><array><data>");
    for (int i = 0; i < 450; i++)
        buf_printf(&names, "<value>get.%d</value>", i);
    buf_append_c(&names, "</data></array></value></param></params></methodResponse>");
    mcp_ask(&rig, &m, "tools/list", "");
    answer(buf_c(&names));
    tell_nothing_more();
    mcp_expect_text(&m, "\"name\":\"a__get_449\"");
    exchange_end(&m.x);
    for (int turns = 0; turns < 14; turns++) {
        mcp_begin(&rig, &m, "");
        const char list[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/list\"}";
        assert_true(request_handler.body(&rig.endpoint, (void *)&m.x, str_of(list)));
        request_handler.complete(&rig.endpoint, (void *)&m.x);
        for (int i = 0; i < turns; i++)
            rig_turn(&rig.rig, 0);
        /* One to begin, two more for the names, and eight more for the tools. */
        assert_int_equal(m.x.n_replies, turns >= 11);
        exchange_end(&m.x);
        assert_true(list_empty(&rig.rig.workers[0].work.turns));
    }
}

#define TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(routes_are_described_by_themselves),
        TEST(methods_are_described_by_their_upstream),
        TEST(an_upstream_may_tell_nothing),
        TEST(globs_match_what_upstreams_tell),
        TEST(there_are_at_most_max),
        TEST(a_server_may_be_nobodys),
        TEST(there_is_one_page),
        TEST(a_caller_may_lower_the_time_or_leave),
        TEST(a_list_is_taken_off_the_rate),
        TEST(a_long_list_is_made_in_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
