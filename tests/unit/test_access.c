/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

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
        struct access access = { allow.items, allow.n, deny.items, deny.n };
        if (access_may_call(&access, str_of(calls[i].upstream), str_of(calls[i].method)) !=
            calls[i].may)
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
        struct access access = { allow.items, allow.n, deny.items, deny.n };
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
    assert_false(access_may_call(&access, STR("demo"), STR("x")));
    assert_false(access_may_see(&access, STR("demo")));
}

static void knows_valid_globs(void **state)
{
    static const struct {
        const char *glob;
        bool valid;
    } cases[] = {
        { "demo/*", true },
        { "*/*", true },
        { "d?mo-1_x*/a.b:c/d", true },
        { "demo/\xC3\xA9", true },
        { "", false },
        { "demo", false },
        { "*", false },
        { "/x", false },
        { "demo/", false },
        { "/", false },
        { "de mo/x", false },
        { "demo/x y", false },
        { "demo.x/y", false },
        { "demo/x\n", false },
        { "demo/\xFF", false },
        { "d\xC3\xA9mo/x", false },
        { "demo /x", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (access_glob_valid(str_of(cases[i].glob)) != cases[i].valid)
            fail_msg("\"%s\"", cases[i].glob);
    assert_false(access_glob_valid(STR("demo/x\0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_calls),
        cmocka_unit_test(judges_whole_upstreams),
        cmocka_unit_test(no_lists_are_no_rights),
        cmocka_unit_test(knows_valid_globs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
