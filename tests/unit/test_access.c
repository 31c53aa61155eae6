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

static struct texts make_texts(const char *const globs[MAX_GLOBS])
{
    struct texts texts = { calloc(MAX_GLOBS, sizeof(char *)), 0 };
    assert_non_null(texts.items);
    while (texts.n < MAX_GLOBS && globs[texts.n] != NULL) {
        texts.items[texts.n] = strdup(globs[texts.n]);
        texts.n++;
    }
    return texts;
}

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        free(texts->items[i]);
    free(texts->items);
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
        struct texts allow = make_texts(calls[i].rights.allow);
        struct texts deny = make_texts(calls[i].rights.deny);
        struct access access = { &allow, &deny };
        if (access_may_call(&access, str_of(calls[i].upstream), str_of(calls[i].method)) !=
            calls[i].may)
            fail_msg("case %zu", i);
        free_texts(&allow);
        free_texts(&deny);
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
        struct texts allow = make_texts(sights[i].rights.allow);
        struct texts deny = make_texts(sights[i].rights.deny);
        struct access access = { &allow, &deny };
        if (access_may_see(&access, STR("demo")) != sights[i].may)
            fail_msg("case %zu", i);
        free_texts(&allow);
        free_texts(&deny);
    }
}

static void no_lists_are_no_rights(void **state)
{
    struct access access = { NULL, NULL };
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
