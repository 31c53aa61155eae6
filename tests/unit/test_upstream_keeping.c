/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_keeping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS INT64_C(1000)
#define S (1000 * MS)

static void trusts_all_at_first(void **state UNUSED)
{
    struct upstream_keeping k = { .max_us = 30 * S };
    assert_true(keeping_limit_us(&k) == KEEPING_ALL);
    assert_false(keeping_seen(&k, 1 * S));
    assert_true(keeping_limit_us(&k) == KEEPING_ALL);
}

static void an_end_soon_after_the_answer_is_every_answer_s(void **state UNUSED)
{
    static const int64_t ages[] = { 0, 1, 3 * MS, 99 * MS };
    for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
        struct upstream_keeping k = { .max_us = 30 * S };
        assert_true(keeping_ended(&k, ages[i]));
        assert_true(keeping_limit_us(&k) == 0);
        assert_false(keeping_ended(&k, ages[i]));
        assert_false(keeping_ended(&k, 20 * S));
        assert_true(keeping_limit_us(&k) == 0);
    }
}

static void comes_not_near_an_end(void **state UNUSED)
{
    struct upstream_keeping k = { .max_us = 30 * S };
    assert_true(keeping_ended(&k, 5 * S));
    assert_true(keeping_limit_us(&k) == 2500 * MS);
    assert_false(keeping_ended(&k, 6 * S));
    assert_true(keeping_limit_us(&k) == 2500 * MS);
    assert_false(keeping_ended(&k, 1 * S));
    assert_true(keeping_limit_us(&k) == 500 * MS);
    /* What it is alive at while it ends them at 1 s tells nothing. */
    assert_false(keeping_seen(&k, 900 * MS));
    assert_true(keeping_limit_us(&k) == 500 * MS);
}

static void who_keeps_them_again_is_trusted_again(void **state UNUSED)
{
    struct upstream_keeping k = { .max_us = 30 * S };
    assert_true(keeping_ended(&k, 2 * MS));
    assert_false(keeping_seen(&k, 6 * MS));
    assert_false(keeping_seen(&k, 199 * MS));
    assert_true(keeping_limit_us(&k) == 0);
    assert_false(keeping_seen(&k, 200 * MS));
    assert_true(keeping_limit_us(&k) == 100 * MS);
    assert_false(keeping_seen(&k, 10 * S));
    assert_true(keeping_limit_us(&k) == 5 * S);
    assert_false(keeping_seen(&k, 1 * S));
    assert_true(keeping_limit_us(&k) == 5 * S);
    assert_true(keeping_seen(&k, 15 * S));
    assert_true(keeping_limit_us(&k) == KEEPING_ALL);
    assert_true(keeping_ended(&k, 2 * MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusts_all_at_first),
        cmocka_unit_test(an_end_soon_after_the_answer_is_every_answer_s),
        cmocka_unit_test(comes_not_near_an_end),
        cmocka_unit_test(who_keeps_them_again_is_trusted_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
