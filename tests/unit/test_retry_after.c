/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retry_after.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW ((int64_t)784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct {
    const char *value, *date;
    unsigned seconds;
} cases[] = {
    { "17", "", 17 },
    { " 17\t", "", 17 },
    { "0", "", 0 },
    { "86400", "", 86400 },
    { "86401", "", 86400 },
    { "9223372036854775807", "", 86400 },
    { "9223372036854775808", "", 0 },
    { "-1", "", 0 },
    { "+1", "", 0 },
    { "1.5", "", 0 },
    { "soon", "", 0 },
    { "", "", 0 },
    { "Sun, 06 Nov 1994 08:49:57 GMT", "", 20 },
    { "Sun, 06 Nov 1994 08:49:37 GMT", "", 0 },
    { "Sun, 06 Nov 1994 08:49:00 GMT", "", 0 },
    { "Mon, 07 Nov 1994 08:49:36 GMT", "", 86399 },
    { "Fri, 31 Dec 9999 23:59:59 GMT", "", 86400 },
    { "Sat, 06 Nov 2004 08:49:57 GMT", "Sat, 06 Nov 2004 08:49:50 GMT", 7 },
    { "Sun, 06 Nov 1994 08:49:57 GMT", "yesterday", 20 },
    { "17", "Sat, 06 Nov 2004 08:49:50 GMT", 17 },
    { "Sun, 06 Nov 1994 08:49:60 GMT", "", 23 },
    { "Sun, 06 Nov 1994 08:49:61 GMT", "", 0 },
    { "Sun, 06 Nov 1994 24:00:00 GMT", "", 0 },
    { "Sun, 31 Nov 1994 08:49:57 GMT", "", 0 },
    { "Sun, 00 Nov 1994 08:49:57 GMT", "", 0 },
    { "Sun, 06 nov 1994 08:49:57 GMT", "", 0 },
    { "Sun, 06 Nov 1994 08:49:57 CET", "", 0 },
    { "Sun, 06 Nov 1994 08:49:57 GMT ", "", 20 },
    { "Sun,  6 Nov 1994 08:49:57 GMT", "", 0 },
    { "Sun Nov  6 08:49:57 1994", "", 20 },
    { "Sun Nov 06 08:49:57 1994", "", 20 },
    { "Mon Nov 14 08:49:57 1994", "", 86400 },
    { "Sun Nov  6 08:49:57 94", "", 0 },
    { "Sunday, 06-Nov-94 08:49:57 GMT", "", 20 },
    { "Sunday, 06-Nov-1994 08:49:57 GMT", "", 0 },
    { "Sunday, 06-Nov-69 08:49:57 GMT", "", 86400 },
    { "Sunday, 06-Nov-70 08:49:57 GMT", "", 0 },
    { "Sunday, 06-Nov-94 08:49:57", "", 0 },
    { "Sunday", "", 0 },
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].value);
        assert_int_equal(retry_after_read(str_of(cases[i].value), str_of(cases[i].date), NOW),
                         cases[i].seconds);
    }
}

static void test_none(void **state)
{
    (void)state;
    assert_int_equal(retry_after_read((struct str){ NULL, 0 }, (struct str){ NULL, 0 }, NOW), 0);
    assert_int_equal(
        retry_after_read(STR("Sun, 06 Nov 1994 08:49:57 GMT"), (struct str){ NULL, 0 }, NOW), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
