/* SPDX-License-Identifier: Apache-2.0 */
#include "work/metrics.h"

#include "base/macros.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t bounds[] = {
#define X(bound) bound,
    METRICS_BOUNDS(X)
#undef X
};

static uint64_t count(const struct histogram *h, size_t bucket)
{
    return atomic_load(&h->buckets[bucket]);
}

/* `le` is "less than or equal": a bound belongs to its own bucket. */
static void bounds_belong_to_their_buckets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++) {
        struct histogram h = { .sum_us = 0 };
        histogram_observe(&h, bounds[i] - 1);
        histogram_observe(&h, bounds[i]);
        assert_int_equal(count(&h, i), 2);
        histogram_observe(&h, bounds[i] + 1);
        assert_int_equal(count(&h, i), 2);
        assert_int_equal(count(&h, i + 1), 1);
        assert_int_equal(atomic_load(&h.sum_us), 3 * bounds[i]);
    }
}

static void the_rest_has_a_bucket(void **state)
{
    struct histogram h = { .sum_us = 0 };
    (void)state;
    histogram_observe(&h, INT64_MAX / 2);
    histogram_observe(&h, -1); /* a clock that stood still */
    assert_int_equal(count(&h, METRICS_BUCKETS - 1), 1);
    assert_int_equal(count(&h, 0), 1);
    assert_int_equal(atomic_load(&h.sum_us), INT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_belong_to_their_buckets),
        cmocka_unit_test(the_rest_has_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
