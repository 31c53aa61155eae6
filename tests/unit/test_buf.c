/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t used(struct budget *budget)
{
    return atomic_load(&budget->used);
}

static void appends(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100, NULL);
    assert_string_equal(buf_c(&b), "");
    buf_append(&b, STR("ab\0c"));
    buf_append_c(&b, "de");
    buf_append_byte(&b, 'f');
    buf_printf(&b, "%d-%s", 12, "x");
    buf_append(&b, (struct str){ NULL, 0 });
    assert_true(buf_ok(&b));
    assert_true(str_eq(buf_str(&b), STR("ab\0cdef12-x")));
    assert_int_equal(b.data[b.len], '\0');
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_c(&b), "");
    buf_done(&b);
    assert_null(b.data);
}

static void holds_just_its_maximum(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 10, NULL);
    for (int i = 0; i < 10; i++)
        buf_append_byte(&b, 'x');
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 10);
    buf_append_byte(&b, 'y');
    assert_int_equal(b.state, BUF_FULL);
    assert_string_equal(buf_c(&b), "xxxxxxxxxx");
    buf_done(&b);
}

static void failure_sticks(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 5, NULL);
    buf_append_c(&b, "abc");
    buf_append_c(&b, "def");
    assert_false(buf_ok(&b));
    buf_append_byte(&b, 'g'); /* would fit, but something is missing before it */
    buf_printf(&b, "h");
    assert_string_equal(buf_c(&b), "abc");
    buf_clear(&b);
    buf_append_c(&b, "def");
    assert_true(buf_ok(&b));
    assert_string_equal(buf_c(&b), "def");
    buf_done(&b);
}

static void refuses_sizes_that_wrap(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100, NULL);
    buf_append_c(&b, "abc");
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_int_equal(b.state, BUF_FULL);
    buf_done(&b);
    buf_init(&b, SIZE_MAX, NULL); /* no maximum is none that is allowed */
    assert_false(buf_reserve(&b, 1));
    buf_done(&b);
}

static void counts_in_the_budget(void **state)
{
    struct budget budget = { .max = 1000 };
    struct buf b;
    (void)state;
    buf_init(&b, 100000, &budget);
    for (int i = 0; i < 50; i++)
        buf_append_c(&b, "0123456789");
    assert_true(buf_ok(&b));
    assert_int_equal(used(&budget), b.cap);
    for (int i = 0; i < 100; i++)
        buf_append_c(&b, "0123456789");
    assert_int_equal(b.state, BUF_NO_MEMORY);
    assert_true(used(&budget) <= 1000);
    buf_done(&b);
    assert_int_equal(used(&budget), 0);
    buf_append_c(&b, "x");
    char *taken = buf_take(&b);
    assert_string_equal(taken, "x");
    assert_int_equal(used(&budget), 0);
    assert_int_equal(b.len, 0);
    free(taken);
    buf_done(&b);
}

static void takes_an_empty_one(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100, NULL);
    char *taken = buf_take(&b);
    assert_string_equal(taken, "");
    free(taken);
}

static void reserved_appends_fit(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1000, NULL);
    assert_true(buf_reserve(&b, 900));
    const char *before = b.data;
    for (int i = 0; i < 900; i++)
        buf_append_byte(&b, 'x');
    assert_ptr_equal(b.data, before);
    buf_wipe(&b);
    assert_null(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(holds_just_its_maximum),
        cmocka_unit_test(failure_sticks),
        cmocka_unit_test(refuses_sizes_that_wrap),
        cmocka_unit_test(counts_in_the_budget),
        cmocka_unit_test(takes_an_empty_one),
        cmocka_unit_test(reserved_appends_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
