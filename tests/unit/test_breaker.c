/* SPDX-License-Identifier: Apache-2.0 */
#include "client/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct breaker_rule rule = { .failures = 3, .open_ms = 5000 };

static enum breaker_change tell(struct breaker *b, int64_t now, enum breaker_result result)
{
    return breaker_tell(b, &rule, now, result, false);
}

static enum breaker_change tell_probe(struct breaker *b, int64_t now, enum breaker_result result)
{
    return breaker_tell(b, &rule, now, result, true);
}

static void assert_refused(struct breaker *b, int64_t now, int64_t wait)
{
    int64_t asked = -1, looked = -1;
    assert_true(breaker_refuses(b, now, &looked));
    assert_int_equal(breaker_ask(b, now, &asked), BREAKER_REFUSED);
    assert_int_equal(asked, wait);
    assert_int_equal(looked, wait);
}

static void assert_goes(struct breaker *b, int64_t now)
{
    int64_t wait;
    assert_false(breaker_refuses(b, now, &wait));
    assert_int_equal(breaker_ask(b, now, &wait), BREAKER_GO);
}

static void open_it(struct breaker *b, int64_t now)
{
    assert_int_equal(tell(b, now, BREAKER_BAD), BREAKER_SAME);
    assert_int_equal(tell(b, now, BREAKER_BAD), BREAKER_SAME);
    assert_int_equal(tell(b, now, BREAKER_BAD), BREAKER_OPENED);
}

static void opens_after_failures_in_a_row(void **state)
{
    struct breaker b = { 0 };
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(tell(&b, 100, BREAKER_BAD), BREAKER_SAME);
        assert_int_equal(tell(&b, 100, BREAKER_BAD), BREAKER_SAME);
        assert_int_equal(tell(&b, 100, BREAKER_NOTHING), BREAKER_SAME); /* counts for nothing */
        assert_int_equal(tell(&b, 100, BREAKER_GOOD), BREAKER_SAME);    /* starts anew */
        assert_goes(&b, 100);
    }
    open_it(&b, 100);
    assert_true(breaker_is_open(&b, 100));
    assert_refused(&b, 100, 5000);
    assert_refused(&b, 5099, 1);
}

static void one_probe_at_a_time(void **state)
{
    struct breaker b = { 0 };
    int64_t wait;
    (void)state;
    open_it(&b, 100);
    assert_false(breaker_is_open(&b, 5100));
    assert_false(breaker_refuses(&b, 5100, &wait));
    assert_int_equal(breaker_ask(&b, 5100, &wait), BREAKER_PROBE);
    assert_refused(&b, 5100, 1000);
    assert_refused(&b, 99999, 1000);
    assert_int_equal(tell_probe(&b, 6000, BREAKER_BAD), BREAKER_REOPENED);
    assert_refused(&b, 6000, 5000);
    assert_int_equal(breaker_ask(&b, 11000, &wait), BREAKER_PROBE);
    assert_int_equal(tell_probe(&b, 11001, BREAKER_GOOD), BREAKER_CLOSED);
    assert_goes(&b, 11001);
    /* It counts from the beginning. */
    open_it(&b, 20000);
}

static void a_probe_that_tells_nothing_is_followed_by_another(void **state)
{
    struct breaker b = { 0 };
    int64_t wait;
    (void)state;
    open_it(&b, 100);
    assert_int_equal(breaker_ask(&b, 5100, &wait), BREAKER_PROBE);
    assert_int_equal(tell_probe(&b, 5200, BREAKER_NOTHING), BREAKER_SAME);
    assert_int_equal(breaker_ask(&b, 5200, &wait), BREAKER_PROBE);
    assert_refused(&b, 5200, 1000);
}

static void older_calls_do_not_count_while_it_is_open(void **state)
{
    struct breaker b = { 0 };
    int64_t wait;
    (void)state;
    open_it(&b, 100);
    assert_int_equal(tell(&b, 200, BREAKER_BAD), BREAKER_SAME);
    assert_int_equal(tell(&b, 200, BREAKER_GOOD), BREAKER_SAME);
    assert_refused(&b, 200, 4900);
    assert_int_equal(breaker_ask(&b, 5100, &wait), BREAKER_PROBE);
    assert_int_equal(tell(&b, 5100, BREAKER_GOOD), BREAKER_SAME);
    assert_int_equal(tell(&b, 5100, BREAKER_BAD), BREAKER_SAME);
    assert_refused(&b, 5200, 1000);
}

static void never_opens_with_zero(void **state)
{
    struct breaker b = { 0 };
    const struct breaker_rule never = { .failures = 0, .open_ms = 5000 };
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(breaker_tell(&b, &never, 100, BREAKER_BAD, false), BREAKER_SAME);
    assert_goes(&b, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_after_failures_in_a_row),
        cmocka_unit_test(one_probe_at_a_time),
        cmocka_unit_test(a_probe_that_tells_nothing_is_followed_by_another),
        cmocka_unit_test(older_calls_do_not_count_while_it_is_open),
        cmocka_unit_test(never_opens_with_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
