/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of tools: which tool is meant, what is sent for it, and what is refused. */
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

/* What is under way is that call. */
static void expect_sent(const char *method, const char *params)
{
    char *document = fake_document(fake, 0);
    char expected[512];
    snprintf(expected, sizeof expected, "<methodName>%s</methodName>%s</methodCall>", method,
             params);
    if (strstr(document, expected) == NULL)
        fail_msg("%s\nhas no\n%s", document, expected);
    free(document);
}

/* ---- What is sent --------------------------------------------------------------------------- */

static void arguments_become_the_params(void **state)
{
#define PARAM(value) "<param><value>" value "</value></param>"
    static const struct {
        const char *tool, *arguments, *method, *params;
    } cases[] = {
        { "a__get_it", "", "get.it", "<params></params>" },
        { "a__get_it", "{}", "get.it", "<params></params>" },
        { "a__get_it", "{\"a2\":\"x\",\"a1\":1}", "get.it",
          "<params>" PARAM("<int>1</int>") PARAM("<string>x</string>") "</params>" },
        { "a__get_it", "{\"params\":[[],true]}", "get.it",
          "<params>" PARAM("<array><data></data></array>")
              PARAM("<boolean>1</boolean>") "</params>" },
        { "a__get_it", "{\"params\":[]}", "get.it", "<params></params>" },
        { "one", "{\"deep\":true,\"id\":5}", "read",
          "<params>" PARAM("<int>5</int>") PARAM("<boolean>1</boolean>") "</params>" },
        { "a__drop", "{\"a1\":\"x\"}", "drop", "<params>" PARAM("<string>x</string>") "</params>" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        mcp_call(&rig, &m, cases[i].tool, cases[i].arguments);
        expect_sent(cases[i].method, cases[i].params);
        assert_string_equal(m.x.request->tool, cases[i].tool); /* for the log */
        exchange_end(&m.x);
    }
}

static void the_last_argument_is_the_255th(void **state)
{
    CLEANUP(buf_done) struct buf arguments;
    struct mcp_exchange m;
    (void)state;
    buf_init(&arguments, SIZE_MAX - 1, NULL);
    buf_append_c(&arguments, "\"name\":\"a__get_it\",\"arguments\":{");
    for (int i = 255; i > 0; i--)
        buf_printf(&arguments, "\"a%d\":%d%s", i, i, i > 1 ? "," : "}");
    mcp_ask(&rig, &m, "tools/call", buf_c(&arguments));
    char *document = fake_document(fake, 0);
    assert_non_null(strstr(document, PARAM("<int>254</int>") PARAM("<int>255</int>") "</params>"));
    free(document);
    exchange_end(&m.x);
}

/* Nothing is sent for them. */
static void wrong_arguments_fail_the_tool(void **state)
{
    static const struct {
        const char *tool, *arguments, *part;
    } cases[] = {
        { "a__get_it", "{\"x\":1}", "`x` is not known here: the params are `a1`" },
        { "a__get_it", "{\"a0\":1}", "`a0` is not known here" },
        { "a__get_it", "{\"a01\":1}", "`a01` is not known here" },
        { "a__get_it", "{\"a\":1}", "`a` is not known here" },
        { "a__get_it", "{\"b1\":1}", "`b1` is not known here" },
        { "a__get_it", "{\"a256\":1}", "`a256` is not known here" },
        { "a__get_it", "{\"a1\":1,\"a3\":1}", "`a2` is missing, and `a3` is given" },
        { "a__get_it", "{\"params\":{}}", "`params` must be an array" },
        { "a__get_it", "{\"params\":[],\"a1\":1}", "give one of them, not both." },
        { "a__get_it", "{\"a1\":1,\"a2\":{\"b\":{\"$int\":\"x\"}}}",
          "\"pointer\":\"/params/arguments/a2/b" },
        { "a__get_it", "{\"params\":[1,[{\"$int\":\"x\"}]]}",
          "\"pointer\":\"/params/arguments/params/1/0" },
        { "one", "{}", "\"pointer\":\"/params/arguments/id\"" },
        { "one", "{\"id\":\"x\"}", "\"errors\":[{\"in\":\"arguments\",\"name\":\"id\"," },
        { "one", "{\"id\":1,\"depp\":true}", "did you mean `deep`?" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        mcp_call(&rig, &m, cases[i].tool, cases[i].arguments);
        mcp_expect_failure(
            &m, strstr(cases[i].arguments, "$int") != NULL ? "unrepresentable" : "invalid-request",
            "no", cases[i].part);
        exchange_end(&m.x);
    }
    assert_int_equal(fake->n_submitted, 0);
}

static void rights_are_those_of_any_call(void **state)
{
    struct mcp_exchange m;
    (void)state;
    mcp_call(&rig, &m, "a__drop", "{\"a1\":\"root\"}");
    mcp_expect_failure(&m, "forbidden", "no", "with these params");
    exchange_end(&m.x);
    assert_int_equal(fake->n_submitted, 0);
}

/* ---- Which tool ----------------------------------------------------------------------------- */

/* What the caller may not use is not there for it. Globs make upstreams be asked first. */
static void what_is_there_upstreams_tell(void **state)
{
    static const char *const unknown[] = { "nothing", "a__get_secret", "hidden", "a__drop2", "" };
    struct mcp_exchange m;
    (void)state;
    mcp_call(&rig, &m, "b__get_it", "{\"a1\":1}");
    assert_ptr_equal(fake->last, &rig.rig.config->upstreams[1]);
    answer(NAMES("get.it"));
    expect_sent("get.it", "<params>" PARAM("<int>1</int>") "</params>");
    answer(RIG_ANSWER("x"));
    mcp_expect_result(&m, "\\\"x\\\"", "\"x\"");
    exchange_end(&m.x);
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        char message[96];
        mcp_call(&rig, &m, unknown[i], "");
        snprintf(message, sizeof message, "Unknown tool: %s. Those", unknown[i]);
        mcp_expect_error(&m, 200, -32602, message);
        exchange_end(&m.x);
    }
    assert_int_equal(fake->n_submitted, 2);
}

/* Then its tools are not unknown, but fail; those of others are unknown. */
static void an_upstream_that_is_down_fails_its_tools(void **state)
{
    static const struct {
        const char *tool;
        bool fails;
    } cases[] = { { "b__get_it", true }, { "bb__get_it", false }, { "b_get", false } };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mcp_exchange m;
        mcp_call(&rig, &m, cases[i].tool, "");
        if (fake_n(fake) > 0)
            fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
        front_rig_run(&rig);
        if (cases[i].fails)
            mcp_expect_failure(&m, "connect-failed", "no", "\"upstream\":\"b\"");
        else
            mcp_expect_error(&m, 200, -32602, "Unknown tool: ");
        exchange_end(&m.x);
    }
}

static void a_call_must_say_which(void **state)
{
    static const char *const params[] = { "", "\"name\":7", "\"name\":\"one\",\"arguments\":[]",
                                          "\"name\":\"one\",\"arguments\":null" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        struct mcp_exchange m;
        mcp_ask(&rig, &m, "tools/call", params[i]);
        mcp_expect_error(&m, 200, -32602, i < 2 ? "`params.name` must be" : "`params.arguments` m");
        exchange_end(&m.x);
    }
    struct mcp_exchange m;
    mcp_ask_modern(&rig, &m, "tools/call", "one", "\"name\":\"one\",\"arguments\":[]");
    mcp_expect_error(&m, 400, -32602, "`params.arguments` must be an object.");
    exchange_end(&m.x);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_become_the_params),   TEST(the_last_argument_is_the_255th),
        TEST(wrong_arguments_fail_the_tool), TEST(rights_are_those_of_any_call),
        TEST(what_is_there_upstreams_tell),  TEST(an_upstream_that_is_down_fails_its_tools),
        TEST(a_call_must_say_which),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
