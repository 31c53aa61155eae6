/* SPDX-License-Identifier: Apache-2.0 */
/* Tools of MCP: what is wrong with a configuration, which there are, and how they are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_text.h"
#include "settings/mcp.h"

#define UPSTREAMS                                                                                  \
    "upstreams = { u = { url = \"http://h\"; methods = ( { match = \"get*\"; safe = true; } ); };" \
    " v = { url = \"http://h\"; methods = ( { match = \"*\"; safe = true; } ); }; };\n"
#define ALL "anonymous = { allow = [ \"*/*\" ]; };\n"
#define ROUTES                                                                                     \
    "routes = ( { name = \"read\"; get = \"/r\"; call = \"u/getOne\"; },"                          \
    " { name = \"start\"; post = \"/s\"; call = \"u/start\"; } );\n"
#define BEFORE UPSTREAMS ALL ROUTES

static void tells_all_that_is_wrong(void **state)
{
    (void)state;
    refuses(BEFORE "mcp = (\n"
                   "{ name = \"a\"; tools = ( \"@start\", \"@strat\", \"u/getA\" ); },\n"
                   "{ name = \"a\"; tools = ( \"u/start\", \"w/x\", \"w/x*\" ); },\n"
                   "{ tools = ( \"v/system.multicall\", { write = true; }, \"v\" ); },\n"
                   "{ name = \"d\"; tools = ( \"v/a\", \"v/b\", \"v/c*\" ); max = 1; },\n"
                   "{ name = \"e\"; tools = ( \"v/a\" ); max = 501; max_result = \"1\"; } );\n",
            "t.conf:5: mcp[0].tools[0]: the route \"@start\" is not safe: set `safe = true;` in "
            "`routes` if it changes nothing, or `write = true;` here if models shall change things "
            "with it\n"
            "t.conf:5: mcp[0].tools[1]: there is no route \"strat\"; did you mean `start`?\n"
            "t.conf:6: mcp[1].name: mcp[0] has the name \"a\" already\n"
            "t.conf:6: mcp[1].tools[0]: the method \"u/start\" is not safe: set `safe = true;` in "
            "`methods` of the upstream if it changes nothing, or `write = true;` here if models "
            "shall change things with it\n"
            "t.conf:6: mcp[1].tools[1]: there is no upstream \"w\"\n"
            "t.conf:6: mcp[1].tools[2]: there is no upstream \"w\"\n"
            "t.conf:7: mcp[2].tools[2].match: this is not of the form `upstream/method`, such as "
            "\"demo/*\" or \"*/system.*\"\n"
            "t.conf:7: mcp[2]: `name` is missing\n"
            "t.conf:7: mcp[2].tools[0]: system.multicall is no tool, it would pass by the rules "
            "about methods\n"
            "t.conf:7: mcp[2].tools[1]: `match` is missing, a glob over `upstream/method`, or `@` "
            "with one over names of routes\n"
            "t.conf:8: mcp[3]: these are 2 tools or more, and `max` is 1: list fewer, for models "
            "choose badly among many, or raise `max`\n"
            "t.conf:9: mcp[4].max: 501 is too large: it must be from 1 to 500\n"
            "t.conf:9: mcp[4].max_result: \"1\" is too small: it must be from 1K to 4M\n");
}

static const struct mcp_tool *known(const struct mcp_config *server, const char *name)
{
    for (size_t i = 0; i < server->n_known; i++)
        if (strcmp(server->known[i].name, name) == 0)
            return &server->known[i];
    fail_msg("there is no tool %s", name);
    return NULL;
}

static void knows_routes_and_names(void **state)
{
    (void)state;
    struct config *config =
        config_of(BEFORE "mcp = ( { name = \"a\"; tools = ( \"@*\", { match = \"@start\"; write = "
                         "true; idempotent = true; }, \"u/getA\", \"v/x.y\", \"v/x:y\", \"v/z\", "
                         "\"v/z\" ); }, { name = \"b\"; tools = ( \"v/*\" ); } );");
    const struct mcp_config *server = &config->mcp[0];
    assert_int_equal(server->n_known, 6);
    assert_false(server->has_globs);
    assert_true(known(server, "read")->safe);
    assert_false(known(server, "start")->safe);
    assert_true(known(server, "start")->rule->idempotent);
    assert_true(mcp_is_known(server, known(server, "u__getA")->upstream, STR("getA")));
    assert_false(mcp_is_known(server, known(server, "v__z")->upstream, STR("getA")));
    assert_int_equal(config->mcp[1].n_known, 0);
    assert_true(config->mcp[1].has_globs);
    config_unref(config);
}

/* The names of methods of `u`, the first of which has a name already. */
static void names_are_short_and_differ(void **state)
{
    static const char *const methods[] = { "a.b", "a.b", "a_b", "c-d/é" };
    char x44[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    struct mcp_tool tools[6];
    (void)state;
    struct config *config = config_of(BEFORE);
    memset(tools, 0, sizeof tools);
    for (size_t i = 0; i < ARRAY_LEN(tools); i++)
        tools[i].upstream = &config->upstreams[0];
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        tools[i].method = str_of(methods[i]);
    tools[4].method = str_of(x44);
    tools[5].method = str_slice(str_of(x44), 1, 45);
    mcp_name_tools(tools, 0, 1);
    mcp_name_tools(tools, 1, ARRAY_LEN(tools));
    assert_string_equal(tools[0].name, "u__a_b");
    assert_int_equal(strlen(tools[1].name), strlen("u__a_b_01234567"));
    assert_memory_equal(tools[1].name, "u__a_b_", 7);
    assert_memory_equal(tools[2].name, "u__a_b_", 7);
    assert_string_not_equal(tools[1].name, tools[2].name);
    assert_string_equal(tools[3].name, "u__c-d___");
    assert_int_equal(strlen(tools[4].name), 48);
    assert_string_equal(tools[5].name, "u__xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    config_unref(config);
}

static void describes_nothing_unasked(void **state)
{
    bool safe;
    (void)state;
    struct config *config = config_of(BEFORE "mcp = ( { name = \"a\"; tools = ( \"v/*\" ); }, "
                                             "{ name = \"b\"; tools = ( \"v/system.*\" ); } );");
    const struct upstream_config *v = config_upstream(config, STR("v"));
    struct str names = STR("system.listMethods"), multicall = STR("system.multicall");
    assert_null(mcp_rule_of_method(&config->mcp[0], v, names, &safe));
    assert_non_null(mcp_rule_of_method(&config->mcp[0], v, STR("systemx"), &safe));
    assert_non_null(mcp_rule_of_method(&config->mcp[1], v, names, &safe));
    assert_null(mcp_rule_of_method(&config->mcp[1], v, multicall, &safe));
    config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all_that_is_wrong),
        cmocka_unit_test(knows_routes_and_names),
        cmocka_unit_test(names_are_short_and_differ),
        cmocka_unit_test(describes_nothing_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
