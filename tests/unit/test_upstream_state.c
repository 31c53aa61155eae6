/* SPDX-License-Identifier: Apache-2.0 */
#include "client/upstream_state.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_text.h"

static const char settings[] =
    "upstreams = { u = { urls = [ \"http://a\", \"http://b\", \"http://c\" ]; required = true;\n"
    "  breaker = { failures = 2; open = \"1s\"; }; }; };\n";

static struct config *config;

static struct upstream_record *record;

static struct upstream_state *make(void)
{
    return upstream_state_new(config, 0, record);
}

static void one_that_fails_is_left_alone(void **state)
{
    struct upstream_state *s = make();
    (void)state;
    assert_int_equal(upstream_state_target(s, 100, 0), 0);
    upstream_state_connected(s, 0, 100, false);
    assert_int_equal(upstream_state_target(s, 100, 1), 1);
    assert_int_equal(upstream_state_target(s, 1099, 0), 1);
    /* Its time is over: one call finds out, the others stay where they are. */
    assert_int_equal(upstream_state_target(s, 1100, 0), 0);
    assert_int_equal(upstream_state_target(s, 1100, 0), 1);
    upstream_state_connected(s, 0, 1200, true);
    assert_int_equal(upstream_state_target(s, 1200, 0), 0);
    assert_int_equal(upstream_state_target(s, 1200, 0), 0);
    upstream_state_unref(s);
}

/* Each once, in their order. */
static void all_that_fail_are_tried(void **state)
{
    struct upstream_state *s = make();
    (void)state;
    for (size_t i = 0; i < 3; i++)
        upstream_state_connected(s, i, 100, false);
    assert_int_equal(upstream_state_target(s, 200, 0), 0);
    assert_int_equal(upstream_state_target(s, 200, 1), 1);
    assert_int_equal(upstream_state_target(s, 200, 3), 2);
    assert_int_equal(upstream_state_target(s, 200, 7), UPSTREAM_NO_TARGET);
    upstream_state_unref(s);
}

static void what_readyz_says(void **state)
{
    struct upstream_state *s = make();
    (void)state;
    assert_false(upstream_state_is_down(s, 100));
    upstream_state_reached(s, 100, false);
    assert_true(upstream_state_is_down(s, 100));
    upstream_state_reached(s, 200, true);
    assert_false(upstream_state_is_down(s, 200));
    upstream_state_tell(s, 300, BREAKER_BAD, false);
    assert_false(upstream_state_is_down(s, 300));
    upstream_state_tell(s, 300, BREAKER_BAD, false);
    assert_true(upstream_state_is_down(s, 300));
    /* Then calls may try, and those who ask /readyz should send some. */
    assert_false(upstream_state_is_down(s, 1300));
    upstream_state_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_fails_is_left_alone),
        cmocka_unit_test(all_that_fail_are_tried),
        cmocka_unit_test(what_readyz_says),
    };
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false);
    config = config_of(settings);
    record = upstream_record_new("u", 2);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    upstream_record_free(record);
    config_unref(config);
    return failed;
}
