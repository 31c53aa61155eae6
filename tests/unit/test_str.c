/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void compares_without_case(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("Content-Type"), STR("content-TYPE")));
    assert_true(str_eq_nocase(STR(""), (struct str){ NULL, 0 }));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    /* Only ASCII letters have case: not what differs from one by the same bit. */
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("\xC3\x84"), STR("\xC3\xA4")));
}

static void compares_and_slices(void **state)
{
    (void)state;
    assert_true(str_eq(STR("a\0b"), STR("a\0b")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq(str_of(NULL), STR("")));
    assert_true(str_eq_c(str_slice(STR("abcdef"), 2, 4), "cd"));
    assert_true(str_starts_with(STR("abc"), STR("ab")));
    assert_true(str_starts_with(STR("abc"), STR("")));
    assert_false(str_starts_with(STR("a"), STR("ab")));
}

static void finds(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("abc"), 'a'), 0);
    assert_int_equal(str_find(STR("abc"), 'c'), 2);
    assert_int_equal(str_find(STR("abc"), 'x'), 3);
    assert_int_equal(str_find((struct str){ NULL, 0 }, 'x'), 0);
    assert_int_equal(str_find(STR("a\0b"), 'b'), 2);
}

static void trims(void **state)
{
    static const struct {
        struct str text, trimmed;
    } cases[] = {
        { { "", 0 }, { "", 0 } },           { { " \t ", 3 }, { "", 0 } },
        { { "a", 1 }, { "a", 1 } },         { { " \ta b\t ", 7 }, { "a b", 3 } },
        { { "\na\v", 3 }, { "\na\v", 3 } }, /* no white space of HTTP */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_true(str_eq(str_trim(cases[i].text), cases[i].trimmed));
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } cases[] = {
        { "0", 10, true, 0 },
        { "007", 10, true, 7 },
        { "10", 10, true, 10 },
        { "11", 10, false, 0 },
        { "", 10, false, 0 },
        { "-1", 10, false, 0 },
        { "+1", 10, false, 0 },
        { " 1", 10, false, 0 },
        { "1 ", 10, false, 0 },
        { "0x1", 10, false, 0 },
        { "1e1", 10, false, 0 },
        { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
        { "18446744073709551616", UINT64_MAX, false, 0 },
        { "99999999999999999999999", UINT64_MAX, false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = 0;
        bool ok = str_to_uint(str_of(cases[i].text), cases[i].max, &value);
        if (ok != cases[i].ok || value != cases[i].value)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void matches_globs(void **state)
{
    static const struct {
        const char *glob, *text;
        bool matches;
    } cases[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "anything/at.all", true },
        { "?", "", false },
        { "?", "a", true },
        { "?", "\xC3\xA9", true },
        { "??", "\xC3\xA9", false },
        { "a*c", "abbbc", true },
        { "a*c", "ac", true },
        { "a*c", "acb", false },
        { "a*b*c", "axbxbxc", true },
        { "*.get*", "system.getState", true },
        { "*.get*", "system.setState", false },
        { "system.*", "system.", true },
        { "system.*", "System.x", false },
        { "**", "x", true },
        { "*?", "", false },
        { "*?", "\xF0\x9F\x98\x80", true },
        { "a[bc]", "a[bc]", true },
        { "a[bc]", "ab", false },
        { "\\*", "\\x", true },
        { "*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (glob_match(str_of(cases[i].glob), str_of(cases[i].text)) != cases[i].matches)
            fail_msg("\"%s\" and \"%s\"", cases[i].glob, cases[i].text);
}

static void finds_what_is_no_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        { "", 0 },
        { "plain", 5 },
        { "\x7F", 1 },
        { "\xC2\x80", 2 },
        { "\xDF\xBF", 2 },
        { "\xE0\xA0\x80", 3 },
        { "\xED\x9F\xBF", 3 },
        { "\xEE\x80\x80", 3 },
        { "\xEF\xBF\xBF", 3 },
        { "\xF0\x90\x80\x80", 4 },
        { "\xF4\x8F\xBF\xBF", 4 },
        { "a\x80", 1 },
        { "a\xC0\x80", 1 },         /* overlong */
        { "a\xC1\xBF", 1 },         /* overlong */
        { "a\xE0\x9F\xBF", 1 },     /* overlong */
        { "a\xF0\x8F\xBF\xBF", 1 }, /* overlong */
        { "a\xED\xA0\x80", 1 },     /* surrogate */
        { "a\xF4\x90\x80\x80", 1 }, /* over U+10FFFF */
        { "a\xF5\x80\x80\x80", 1 },
        { "a\xFF", 1 },
        { "a\xC3", 1 },
        { "a\xE2\x82", 1 },
        { "a\xF0\x9F\x98", 1 },
        { "a\xE2\x28\xA1", 1 },
        { "12345678\xC3\xA9"
          "12345678\xFF",
          18 },
        { "1234567\xFF"
          "12345678",
          7 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (utf8_valid_prefix(str_of(cases[i].text)) != cases[i].valid)
            fail_msg("case %zu", i);
    assert_int_equal(utf8_valid_prefix(STR("a\0b")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(compares_and_slices),
        cmocka_unit_test(finds),
        cmocka_unit_test(trims),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(matches_globs),
        cmocka_unit_test(finds_what_is_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
