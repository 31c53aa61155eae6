/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request stands in a trace. */
#include "base/macros.h"
#include "rules/trace.h"
#include "settings/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define PARENT_ID "b7ad6b7169203331"
#define ALL (UINT64_C(1) << TRACE_RATIO_BITS)

/* With our span in it, whatever its id is. */
static void assert_told(const struct trace *t, const char *before, const char *behind)
{
    char span[SPAN_ID_LEN], told[TRACEPARENT_SIZE], wanted[TRACEPARENT_SIZE];
    trace_span_id(7, span);
    trace_write_parent(t, span, told);
    snprintf(wanted, sizeof wanted, "%s%.*s%s", before, SPAN_ID_LEN, span, behind);
    assert_string_equal(told, wanted);
    assert_int_equal(strspn(told + 36, "0123456789abcdef"), SPAN_ID_LEN);
}

static void test_goes_on(void **state)
{
    struct trace t = { 0 };
    (void)state;
    trace_continue(&t, STR("00-" TRACE_ID "-" PARENT_ID "-01"));
    assert_true(t.begun && t.has_parent && trace_is_sampled(&t));
    assert_memory_equal(t.id, TRACE_ID, TRACE_ID_LEN);
    assert_memory_equal(t.parent, PARENT_ID, SPAN_ID_LEN);
    assert_told(&t, "00-" TRACE_ID "-", "-01");
}

/* What a later version says is told on as version 00, with all of its flags. */
static void test_later_version(void **state)
{
    struct trace t = { 0 };
    (void)state;
    trace_continue(&t, STR("cc-" TRACE_ID "-" PARENT_ID "-f3-more"));
    assert_true(trace_is_sampled(&t));
    assert_told(&t, "00-" TRACE_ID "-", "-f3");
}

static void test_unsampled(void **state)
{
    struct trace t = { 0 };
    (void)state;
    trace_continue(&t, STR("00-" TRACE_ID "-" PARENT_ID "-02"));
    assert_true(t.begun && !trace_is_sampled(&t));
}

static void test_begins(void **state)
{
    struct trace t = { .has_parent = true, .flags = 0xff };
    char before[64];
    (void)state;
    trace_begin(&t, 1, 2, ALL);
    assert_true(t.begun && !t.has_parent && trace_is_sampled(&t));
    snprintf(before, sizeof before, "00-%.*s-", TRACE_ID_LEN, t.id);
    assert_told(&t, before, "-01");
    trace_begin(&t, 1, 2, 0);
    assert_false(trace_is_sampled(&t));
    assert_told(&t, before, "-00");
}

/* The lowest 56 bits of the id. */
static uint64_t deciding_bits(const struct trace *t)
{
    char digits[15] = "";
    memcpy(digits, t->id + TRACE_ID_LEN - 14, 14);
    return strtoull(digits, NULL, 16);
}

static void test_ratio(void **state)
{
    static const uint64_t thresholds[] = { 0, 1, ALL / 100, ALL / 2, ALL - 1, ALL };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(thresholds); i++) {
        size_t n = 0;
        for (uint64_t number = 0; number < 10000; number++) {
            struct trace t;
            trace_begin(&t, number, number, thresholds[i]);
            assert_int_equal(trace_is_sampled(&t), deciding_bits(&t) < thresholds[i]);
            n += trace_is_sampled(&t);
        }
        double wanted = 10000 * ((double)thresholds[i] / (double)ALL);
        assert_true((double)n >= wanted - 200 && (double)n <= wanted + 200);
    }
}

/* Ids of zeros are none. */
static void test_never_zero(void **state)
{
    struct trace t;
    char span[SPAN_ID_LEN];
    (void)state;
    trace_begin(&t, 0, 0, ALL);
    assert_memory_not_equal(t.id, "00000000000000000000000000000000", TRACE_ID_LEN);
    trace_span_id(0, span);
    assert_memory_not_equal(span, "0000000000000000", SPAN_ID_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on),   cmocka_unit_test(test_later_version),
        cmocka_unit_test(test_unsampled), cmocka_unit_test(test_begins),
        cmocka_unit_test(test_ratio),     cmocka_unit_test(test_never_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
