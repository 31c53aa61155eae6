/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_text.h"

#define MAX_GLOBS 4

struct rights {
    const char *allow[MAX_GLOBS], *deny[MAX_GLOBS];
};

struct rules {
    struct access_rule_config items[MAX_GLOBS];
    size_t n;
};

static void make_rules(struct rules *rules, const char *const globs[MAX_GLOBS])
{
    *rules = (struct rules){ 0 };
    while (rules->n < MAX_GLOBS && globs[rules->n] != NULL) {
        rules->items[rules->n].match = strdup(globs[rules->n]);
        rules->n++;
    }
}

static void free_rules(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        free(rules->items[i].match);
}

static const struct {
    struct rights rights;
    const char *upstream, *method;
    bool may;
} calls[] = {
    { { { NULL }, { NULL } }, "demo", "demo.add", false },
    { { { NULL }, { "x/y" } }, "demo", "demo.add", false },
    { { { "*/*" }, { NULL } }, "demo", "demo.add", true },
    { { { "demo/*" }, { NULL } }, "demo", "demo.add", true },
    { { { "demo/*" }, { NULL } }, "demo2", "demo.add", false },
    { { { "demo?/*" }, { NULL } }, "demo2", "demo.add", true },
    { { { "demo/demo.a*" }, { NULL } }, "demo", "demo.add", true },
    { { { "demo/demo.a*" }, { NULL } }, "demo", "demo.echo", false },
    { { { "demo/Demo.*" }, { NULL } }, "demo", "demo.echo", false },
    { { { "other/*", "demo/demo.add" }, { NULL } }, "demo", "demo.add", true },
    { { { "*/*" }, { "demo/demo.add" } }, "demo", "demo.add", false },
    { { { "*/*" }, { "demo/demo.add" } }, "demo", "demo.adds", true },
    { { { "*/*" }, { "x/*", "*/demo.*" } }, "demo", "demo.add", false },
    { { { "demo/demo.add" }, { "*/*" } }, "demo", "demo.add", false },
    /* A `/` in a method's name does not reach over to the upstream's side. */
    { { { "demo/*" }, { NULL } }, "demo", "a/b", true },
    { { { "demo/a/b" }, { NULL } }, "demo", "a/b", true },
    { { { "*/b" }, { NULL } }, "demo", "a/b", false },
    { { { "*/*" }, { "*/b" } }, "demo", "a/b", true },
    { { { "demo/x" }, { NULL } }, "demo/x", "", false },
};

static void judges_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct rules allow;
        make_rules(&allow, calls[i].rights.allow);
        struct rules deny;
        make_rules(&deny, calls[i].rights.deny);
        struct access access = { { allow.items, allow.n }, { deny.items, deny.n } };
        if (access_may_call(&access, str_of(calls[i].upstream), str_of(calls[i].method)) !=
            (calls[i].may ? ACCESS_YES : ACCESS_NO))
            fail_msg("case %zu", i);
        free_rules(&allow);
        free_rules(&deny);
    }
}

static const struct {
    struct rights rights;
    bool may;
} sights[] = {
    { { { NULL }, { NULL } }, false },
    { { { "*/*" }, { NULL } }, true },
    { { { "demo/x" }, { NULL } }, true },
    { { { "other/*" }, { NULL } }, false },
    { { { "other/*", "d*/x" }, { NULL } }, true },
    { { { "*/*" }, { "demo/*" } }, false },
    { { { "*/*" }, { "*/*" } }, false },
    { { { "*/*" }, { "demo/**" } }, false },
    { { { "*/*" }, { "other/*" } }, true },
    { { { "*/*" }, { "demo/x" } }, true },
    { { { "demo/x" }, { "demo/x" } }, false },
    { { { "demo/x", "demo/y" }, { "demo/x" } }, true },
    { { { "demo/x", "demo/y" }, { "demo/?" } }, false },
    { { { "demo/x*" }, { "*/x*" } }, false },
    { { { "demo/xy*" }, { "*/x*" } }, false },
    { { { "demo/x*" }, { "*/xy*" } }, true },
    /* `?` is one character and does not cover `*`. */
    { { { "demo/*" }, { "demo/?" } }, true },
    { { { "demo/?" }, { "demo/?" } }, false },
    { { { "demo/?" }, { "demo/*" } }, false },
    { { { "demo/a?" }, { "demo/??" } }, false },
};

static void judges_whole_upstreams(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sights); i++) {
        struct rules allow;
        make_rules(&allow, sights[i].rights.allow);
        struct rules deny;
        make_rules(&deny, sights[i].rights.deny);
        struct access access = { { allow.items, allow.n }, { deny.items, deny.n } };
        if (access_may_see(&access, STR("demo")) != sights[i].may)
            fail_msg("case %zu", i);
        free_rules(&allow);
        free_rules(&deny);
    }
}

static void no_lists_are_no_rights(void **state)
{
    struct access access = { 0 };
    (void)state;
    assert_int_equal(access_may_call(&access, STR("demo"), STR("x")), ACCESS_NO);
    assert_false(access_may_see(&access, STR("demo")));
}

/* May it call u/m with those params? */
static const struct {
    const char *rules, *params;
    bool may;
} params_cases[] = {
#define ALLOW_0 "allow = ({ match = \"u/m\"; params = ({ at = 0; in = [\"read\", \"s*\"]; }); });"
    { ALLOW_0, "[\"read\"]", true },
    { ALLOW_0, "[\"read\", 1, {}]", true },
    { ALLOW_0, " [ \"search\" ] ", true },
    { ALLOW_0, "\"read\"", true }, /* the one param */
    { ALLOW_0, "[\"r\\u0065ad\"]", true },
    { ALLOW_0, "[\"reads\"]", false },
    { ALLOW_0, "[\"Read\"]", false },
    { ALLOW_0, "[\"\"]", false },
    { ALLOW_0, "[]", false },
    { ALLOW_0, "", false },
    { ALLOW_0, " ", false },
    { ALLOW_0, "null", false },
    { ALLOW_0, "[null]", false },
    { ALLOW_0, "[[\"read\"]]", false },
    { ALLOW_0, "[true]", false },
    { ALLOW_0, "[1, \"read\"]", false },
    { ALLOW_0, "[{\"$string\": \"read\"}]", true },
    { ALLOW_0, "{\"$string\": \"read\"}", true },
    { ALLOW_0, "[{ \"\\u0024string\" : \"read\" }]", true },
    { ALLOW_0, "[{\"$string\": \"write\"}]", false },
    { ALLOW_0, "[{\"$string\": \"read\", \"x\": 1}]", false },
    { ALLOW_0, "[{\"$struct\": {\"$string\": \"read\"}}]", false },
    { ALLOW_0, "[{\"$base64\": \"read\"}]", false },
    { ALLOW_0, "[{\"string\": \"read\"}]", false },
    { ALLOW_0, "[{}]", false },
    { ALLOW_0, "{\"read\": \"read\"}", false },
    /* What XML cannot carry goes out as something else. */
    { ALLOW_0, "[\"s\\u0000\"]", false },
    { ALLOW_0, "[\"s\\uFFFE\"]", false },
    { ALLOW_0, "[\"s\xEF\xBF\xBF\"]", false },
    { ALLOW_0, "[\"s\xEF\xBF\xBD\\t\\r\\n\"]", true },
#define DENY_0                                                                                     \
    "allow = [\"*/*\"]; deny = ({ match = \"u/m\"; params = ({ at = 0; in = [\"un*\"]; }); });"
    { DENY_0, "[\"read\"]", true },
    { DENY_0, "[]", true },
    { DENY_0, "", true },
    { DENY_0, "[\"read\", {\"$base64\": \"dW5saW5r\"}]", true },
    { DENY_0, "[{\"$string\": \"read\"}]", true },
    /* A method may take any other form for the string of the same characters. */
    { DENY_0, "[1]", false },
    { DENY_0, "[1.5]", false },
    { DENY_0, "[true]", false },
    { DENY_0, "[null]", false },
    { DENY_0, "null", false },
    { DENY_0, "[[]]", false },
    { DENY_0, "[[\"unlink\"]]", false },
    { DENY_0, "[{}]", false },
    { DENY_0, "{\"a\": \"read\", \"b\": 1}", false },
    { DENY_0, "[{\"$base64\": \"dW5saW5r\"}]", false },
    { DENY_0, "{\"$base64\": \"dW5saW5r\"}", false },
    { DENY_0, "[{\"$base64\": \"cmVhZA==\"}]", false },
    { DENY_0, "[{\"$dateTime\": \"20240229T12:00:00\"}]", false },
    { DENY_0, "[{\"$int\": \"5\"}]", false },
    { DENY_0, "[{\"$i8\": \"5\"}]", false },
    { DENY_0, "[{\"$double\": \"5\"}]", false },
    { DENY_0, "[{\"$bigdecimal\": \"5\"}]", false },
    { DENY_0, "[{\"$boolean\": true}]", false },
    { DENY_0, "[{\"$nil\": true}]", false },
    { DENY_0, "[{\"$struct\": {\"$string\": \"read\"}}]", false },
    { DENY_0, "[{\"$string\": \"read\", \"b\": 1}]", false },
    { DENY_0, "[\"unlink\"]", false },
    { DENY_0, "\"unlink\"", false },
    { DENY_0, "[{\"$string\": \"unlink\"}]", false },
    { DENY_0, "[\"read\\u0001\"]", false },
    { DENY_0, "[{\"$string\": \"\\uFFFF\"}]", false },
#define DENY_BOTH                                                                                  \
    "allow = [\"*/*\"]; deny = ({ match = \"u/m\"; params = ({ at = 0; in = [\"a\"]; },"           \
    " { at = 1; in = [\"b\"]; }); });"
    { DENY_BOTH, "[\"a\", \"b\"]", false },
    { DENY_BOTH, "[\"a\", {\"$base64\": \"Yg==\"}]", false },
    { DENY_BOTH, "[{\"$base64\": \"YQ==\"}, 5]", false },
    { DENY_BOTH, "[\"c\", {\"$base64\": \"Yg==\"}]", true },
    { DENY_BOTH, "[5, \"c\"]", true },
    { DENY_BOTH, "[5]", true },
#define BOTH_AT                                                                                    \
    "allow = ({ match = \"u/*\"; params = ({ at = 2; in = [\"a\"]; }, { at = 0; in = [\"b\"]; "    \
    "}); });"
    { BOTH_AT, "[\"b\", 0, \"a\"]", true },
    { BOTH_AT, "[\"b\", 0, \"b\"]", false },
    { BOTH_AT, "[\"a\", 0, \"a\"]", false },
    { BOTH_AT, "[\"b\", 0]", false },
    { BOTH_AT, "\"b\"", false },
    /* One rule is tried after another, each from the first param on. */
    { "allow = ({ match = \"u/m\"; params = ({ at = 3; in = [\"x\"]; }); },"
      "         { match = \"u/m\"; params = ({ at = 1; in = [\"y\"]; }); },"
      "         { match = \"u/other\"; });",
      "[0, \"y\"]", true },
    { "allow = ({ match = \"u/m\"; params = ({ at = 3; in = [\"x\"]; }); }, \"u/other\");", "[]",
      false },
    { "allow = (\"u/m\"); deny = ({ match = \"*/*\"; params = ({ at = 1; in = [\"x\"]; },"
      " { at = 0; in = [\"y\"]; }); });",
      "[\"y\", \"x\"]", false },
};

static struct config *config_with(const char *rules)
{
    char text[800];
    snprintf(text, sizeof text,
             "upstreams = { u = { url = \"http://localhost/\"; }; };\n"
             "anonymous = { %s };\n",
             rules);
    return config_of(text);
}

static struct access access_of(const struct config *config)
{
    const struct anonymous_config *a = &config->anonymous;
    return (struct access){ { a->allow, a->n_allow }, { a->deny, a->n_deny } };
}

static void judges_params(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(params_cases); i++) {
        struct config *config = config_with(params_cases[i].rules);
        struct access access = access_of(config);
        struct str params = str_of(params_cases[i].params);
        assert_int_equal(access_may_call(&access, STR("u"), STR("m")), ACCESS_BY_PARAMS);
        assert_true(access_may_see(&access, STR("u")));
        if (access_may_call_with(&access, STR("u"), STR("m"), params) != params_cases[i].may)
            fail_msg("%s with %s", params_cases[i].rules, params_cases[i].params);
        config_unref(config);
    }
}

/* A long text is not looked at: that would take time, and counts against the caller. */
static void judges_long_params(void **state)
{
    static char text[70000];
    struct config *config = config_with("allow = ({ match = \"u/m\";"
                                        " params = ({ at = 0; in = [\"*\"]; }); });");
    struct access access = access_of(config);
    struct str params = { text, 0 };
    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = '"';
    params.len = 65536 + 2;
    text[params.len - 1] = '"';
    assert_true(access_may_call_with(&access, STR("u"), STR("m"), params));
    text[params.len - 1] = 'a';
    text[params.len++] = '"';
    assert_false(access_may_call_with(&access, STR("u"), STR("m"), params));
    config_unref(config);
}

static void asks_for_params_only_where_they_count(void **state)
{
    static const struct {
        const char *rules;
        enum access_answer answer;
    } cases[] = {
        { "allow = (\"u/m\", { match = \"u/m\"; params = ({ at = 0; in = [\"x\"]; }); });",
          ACCESS_YES },
        { "allow = ({ match = \"u/m\"; params = ({ at = 0; in = [\"x\"]; }); }, \"u/*\");",
          ACCESS_YES },
        { "allow = ({ match = \"u/n\"; params = ({ at = 0; in = [\"x\"]; }); });", ACCESS_NO },
        { "allow = ({ match = \"u/m\"; params = ({ at = 0; in = [\"x\"]; }); }); deny = [\"*/m\"];",
          ACCESS_NO },
        { "allow = [\"*/*\"]; deny = ({ match = \"u/n\"; params = ({ at = 0; in = [\"x\"]; }); });",
          ACCESS_YES },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *config = config_with(cases[i].rules);
        struct access access = access_of(config);
        if (access_may_call(&access, STR("u"), STR("m")) != cases[i].answer)
            fail_msg("%s", cases[i].rules);
        config_unref(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_calls),
        cmocka_unit_test(judges_whole_upstreams),
        cmocka_unit_test(no_lists_are_no_rights),
        cmocka_unit_test(judges_params),
        cmocka_unit_test(judges_long_params),
        cmocka_unit_test(asks_for_params_only_where_they_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
