/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/glob_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void matches(void **state)
{
    (void)state;
    static const struct {
        const char *glob, *text;
        int seconds; /* -1: it does not match */
    } cases[] = {
        { "*try again in <n> seconds*", "Please try again in 30 seconds.", 30 },
        { "*try again in <n> seconds*", "Please try again in 30  seconds.", -1 },
        { "*try again in <n> seconds*", "Please try again in many seconds.", -1 },
        { "<n>", "7", 7 },
        { "<n>", "", -1 },
        { "<n>", "7 ", -1 },
        { "<n>*", "007x", 7 },
        { "*<n>", "x99999999999999999999", 86400 },
        { "*<n>*", "a1b22", 1 },
        { "*b<n>*", "a1b22", 22 },
        { "*<n>s*", "1m 20s 3s", 20 },
        { "a?<n>",
          "a\xC3\xA9"
          "5",
          5 },
        { "a?<n>?",
          "a\xC3\xA9"
          "5\xC3\xA9",
          5 },
        { "a?<n>", "ab5c", -1 },
        { "?*?<n>**", "xyz12345 and", 12345 },
        { "1<n>", "12", -1 }, /* no other digits beside it */
        { "", "5", -1 },
        { "*", "5", -1 }, /* it has no place for a number */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned seconds = 0;
        bool found =
            glob_number_match(str_of(cases[i].glob), "<n>", str_of(cases[i].text), &seconds);
        if (found != (cases[i].seconds >= 0) || (found && (int)seconds != cases[i].seconds))
            fail_msg("%s, %s: %d %u", cases[i].glob, cases[i].text, found, seconds);
    }
}

/* Digits and stars do not multiply. */
static void is_linear(void **state)
{
    (void)state;
    size_t len = GLOB_NUMBER_TEXT_MAX * 2;
    char *text = malloc(len);
    unsigned seconds;
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 == 0 ? '1' : 'a';
    assert_false(glob_number_match(STR("*a*a*a*a*a*a*<n>*a*a*a*a*b"), "<n>",
                                   (struct str){ text, len }, &seconds));
    assert_true(glob_number_match(STR("*a*a*a*a*a*a*<n>*a*a*a*a*"), "<n>",
                                  (struct str){ text, len }, &seconds));
    assert_int_equal(seconds, 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
