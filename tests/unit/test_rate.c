/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static const int64_t start = 12345 * SECOND;

static void lets_a_burst_through_and_then_the_rate(void **state)
{
    const struct rate_limit limit = { .rate = 10, .burst = 3 };
    atomic_llong until = 0;
    int64_t wait;
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_true(rate_take(&until, &limit, 1, start, &wait));
    assert_false(rate_take(&until, &limit, 1, start, &wait));
    assert_int_equal(wait, SECOND / 10);
    assert_false(rate_take(&until, &limit, 1, start + wait - 1, &wait));
    assert_int_equal(wait, 1);
    for (int64_t at = start + SECOND / 10; at < start + SECOND; at += SECOND / 10) {
        assert_true(rate_take(&until, &limit, 1, at, &wait));
        assert_false(rate_take(&until, &limit, 1, at, &wait));
    }
}

static void is_full_again_after_a_pause(void **state)
{
    const struct rate_limit limit = { .rate = 2, .burst = 4 };
    atomic_llong until = 0;
    int64_t wait;
    (void)state;
    assert_true(rate_take(&until, &limit, 4, start, &wait));
    assert_false(rate_take(&until, &limit, 4, start + 2 * SECOND - 1, &wait));
    assert_true(rate_take(&until, &limit, 4, start + 2 * SECOND, &wait));
    /* It holds no more than `burst`, however long the pause. */
    assert_true(rate_take(&until, &limit, 4, start + 1000 * SECOND, &wait));
    assert_false(rate_take(&until, &limit, 1, start + 1000 * SECOND, &wait));
}

static void takes_all_or_none(void **state)
{
    const struct rate_limit limit = { .rate = 1, .burst = 5 };
    atomic_llong until = 0;
    int64_t wait;
    (void)state;
    assert_true(rate_take(&until, &limit, 3, start, &wait));
    assert_false(rate_take(&until, &limit, 3, start, &wait));
    assert_int_equal(wait, SECOND);
    assert_true(rate_take(&until, &limit, 2, start, &wait));
    assert_true(rate_take(&until, &limit, 0, start, &wait));
}

static void never_has_more_than_the_burst(void **state)
{
    const struct rate_limit limit = { .rate = 1000, .burst = 5 };
    atomic_llong until = 0;
    int64_t wait = 1;
    (void)state;
    assert_false(rate_take(&until, &limit, 6, start, &wait));
    assert_int_equal(wait, 0);
    assert_true(rate_take(&until, &limit, 5, start, &wait));
}

static void forgets_what_an_older_rate_was_owed(void **state)
{
    const struct rate_limit slow = { .rate = 1, .burst = 1000 }, fast = { .rate = 10, .burst = 1 };
    atomic_llong until = 0;
    int64_t wait;
    (void)state;
    assert_true(rate_take(&until, &slow, 1000, start, &wait));
    assert_false(rate_take(&until, &fast, 1, start, &wait));
    assert_int_equal(wait, SECOND / 10);
}

static void has_the_greatest_numbers(void **state)
{
    const struct rate_limit limit = { .rate = 1, .burst = 1000000 };
    const struct rate_limit quick = { .rate = 1000000, .burst = 1 };
    atomic_llong until = 0, other = 0;
    int64_t wait;
    (void)state;
    assert_true(rate_take(&until, &limit, 1000000, start, &wait));
    assert_false(rate_take(&until, &limit, 1000000, start, &wait));
    assert_int_equal(rate_wait_s(wait), 1000000);
    assert_true(rate_take(&other, &quick, 1, start, &wait));
    assert_false(rate_take(&other, &quick, 1, start + 999, &wait));
    assert_true(rate_take(&other, &quick, 1, start + 1000, &wait));
}

static void rounds_waits_up(void **state)
{
    (void)state;
    assert_int_equal(rate_wait_s(1), 1);
    assert_int_equal(rate_wait_s(SECOND), 1);
    assert_int_equal(rate_wait_s(SECOND + 1), 2);
}

#define THREADS 4

struct shared {
    atomic_llong until;
    atomic_int taken;
};

static void *take_many(void *argument)
{
    const struct rate_limit limit = { .rate = 1, .burst = 1000 };
    struct shared *s = argument;
    int64_t wait;
    for (int i = 0; i < 1000; i++)
        if (rate_take(&s->until, &limit, 1, start, &wait))
            atomic_fetch_add(&s->taken, 1);
    return NULL;
}

static void counts_over_threads(void **state)
{
    struct shared shared = { 0 };
    pthread_t threads[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&shared.taken), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_a_burst_through_and_then_the_rate),
        cmocka_unit_test(is_full_again_after_a_pause),
        cmocka_unit_test(takes_all_or_none),
        cmocka_unit_test(never_has_more_than_the_burst),
        cmocka_unit_test(forgets_what_an_older_rate_was_owed),
        cmocka_unit_test(has_the_greatest_numbers),
        cmocka_unit_test(rounds_waits_up),
        cmocka_unit_test(counts_over_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
