/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void reads_segments(void **state)
{
    static const struct {
        const char *path;
        size_t n;
        const char *segments[PATH_SEGMENTS_MAX];
    } cases[] = {
        { "/", 0, { "" } },
        { "/v1", 1, { "v1" } },
        { "//", 2, { "", "" } },
        { "/v1/", 2, { "v1", "" } },
        { "/v1/demo/demo.add", 3, { "v1", "demo", "demo.add" } },
        { "/v1//x", 3, { "v1", "", "x" } },
        { "/a/b/c/d", 4, { "a", "b", "c", "d" } },
        { "/a/b/c/d/e/", 6, { "a", "b", "c", "d" } },
        { "/%76%31/a%2Fb/%252F", 3, { "v1", "a/b", "%2F" } }, /* decoded once, after splitting */
        { "/\xC3%A9/%C3\xA9", 2, { "\xC3\xA9", "\xC3\xA9" } },
        { "/v1/../a+b", 3, { "v1", "..", "a+b" } }, /* no path is ever simplified */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct path path;
        struct error err;
        assert_true(path_read(str_of(cases[i].path), &path, &err));
        assert_int_equal(path.n, cases[i].n);
        for (size_t k = 0; k < path.n && k < PATH_SEGMENTS_MAX; k++) {
            assert_true(path.segments[k].fits);
            if (!str_eq_c(path_text(&path.segments[k]), cases[i].segments[k]))
                fail_msg("%s: %zu", cases[i].path, k);
        }
    }
}

static void refuses_paths(void **state)
{
    static const char *const paths[] = { "",
                                         "*",
                                         "v1/demo/x",
                                         "http://localhost/v1/demo/x",
                                         "/v1/demo/%",
                                         "/v1/demo/%2",
                                         "/v1/demo/%2G",
                                         "/v1/demo/%G2",
                                         "/v1/demo/%%",
                                         "/%",
                                         "/x/y/z/a/b/c/%",
                                         "/v1/demo/%00",
                                         "/%00",
                                         "/v1/de%00mo",
                                         "/v1/demo/%0A",
                                         "/v1/demo/a%0Db",
                                         "/x%1F",
                                         "/%7F",
                                         "/v1/\x01",
                                         "/v1/demo/%C2%85",
                                         "/%C2%80",
                                         "/%C2%9F",
                                         "/v1/demo/%FF",
                                         "/%FF",
                                         "/v1/demo/%C3",
                                         "/v1/demo/%C3/x",
                                         "/%C3%28",
                                         "/v1/demo/%C0%AF",
                                         "/v1/demo/%E0%80%AF",
                                         "/%ED%A0%80",
                                         "/%F4%90%80%80",
                                         "/\xFF" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct path path;
        struct error err;
        if (path_read(str_of(paths[i]), &path, &err))
            fail_msg("%s", paths[i]);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
        assert_int_equal(err.status, 400);
    }
}

/* So many times the unit are one segment. */
static void read_long(const char *unit, size_t n, struct path *ret)
{
    struct error err;
    char path[8192] = "/";
    for (size_t i = 0; i < n; i++)
        strcat(path, unit);
    assert_true(path_read(str_of(path), ret, &err));
    assert_int_equal(ret->n, 1);
}

static void counts_characters(void **state)
{
    static const struct {
        const char *unit;
        size_t n;
        bool fits, is_name;
    } cases[] = {
        { "x", 255, true, true },
        { "x", 256, true, false },
        { "x", 1020, true, false },
        { "x", 1021, false, false },
        { "x", 5000, false, false },
        { "%F0%9F%98%80", 255, true, true },
        { "%F0%9F%98%80", 256, false, false },
        { "xxx%F0%9F%98%80", 146, false, false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct path path;
        struct error err;
        read_long(cases[i].unit, cases[i].n, &path);
        assert_int_equal(path.segments[0].fits, cases[i].fits);
        assert_int_equal(path_check_method(&path.segments[0], &err), cases[i].is_name);
        assert_true(path.segments[0].len <= sizeof path.segments[0].bytes);
    }
}

static void refuses_invisible_names(void **state)
{
    static const char *const paths[] = { "/a%20b",       "/%20",         "/%C2%A0",    "/%E3%80%80",
                                         "/a%E2%80%8Bb", "/%E2%80%AEx",  "/%EF%BB%BF", "/%EF%BF%BE",
                                         "/%EF%BF%BF",   "/%F0%9F%BF%BE" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct path path;
        struct error err;
        assert_true(path_read(str_of(paths[i]), &path, &err));
        if (path_check_method(&path.segments[0], &err))
            fail_msg("%s", paths[i]);
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    }
}

/* A name in a body is not percent-encoded. */
static void checks_methods_of_batches(void **state)
{
    static const char *const good[] = { "a", "demo.add", "a/b", "100%", "%zz", "\xC3\xA9" };
    static const char *const bad[] = { "", "a b", "\t", "\x7F", "a\xC2\xA0", "\xE2\x80\x8B" };
    char text[2 * PATH_NAME_MAX + 3] = "";
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(path_check_method_name(str_of(good[i]), &err));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(path_check_method_name(str_of(bad[i]), &err));
        assert_int_equal(err.type, PROBLEM_INVALID_REQUEST);
    }
    for (size_t i = 0; i < PATH_NAME_MAX; i++)
        strcat(text, "\xC3\xA9");
    assert_true(path_check_method_name(str_of(text), &err));
    strcat(text, "x");
    assert_false(path_check_method_name(str_of(text), &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_segments),
        cmocka_unit_test(refuses_paths),
        cmocka_unit_test(counts_characters),
        cmocka_unit_test(refuses_invisible_names),
        cmocka_unit_test(checks_methods_of_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
