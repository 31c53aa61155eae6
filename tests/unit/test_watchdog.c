/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watchdog.h"

#include "base/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void how_often(void **state)
{
    static const struct {
        const char *usec, *pid;
        int64_t wanted_ms;
    } cases[] = {
        { NULL, NULL, 0 },
        { "", NULL, 0 },
        { "0", NULL, 0 },
        { "-5", NULL, 0 },
        { "10s", NULL, 0 },
        { "99999999999999999999", NULL, 0 },
        { "30000000", NULL, 15000 },
        { "30000000", "7", 15000 },
        { "30000000", "8", 0 },
        { "30000000", "", 0 },
        { "1000", NULL, 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(watchdog_interval_ms(cases[i].usec, cases[i].pid, 7), cases[i].wanted_ms);
}

/* One that is stuck is enough, whatever the others do. */
static void all_must_move(void **state)
{
    unsigned seen[] = { 0, 0, UINT32_MAX };
    struct watchdog w = { .turns = seen, .n_workers = ARRAY_LEN(seen) };
    (void)state;
    assert_true(watchdog_see(&w, (unsigned[]){ 1, 9, 0 }));
    assert_false(watchdog_see(&w, (unsigned[]){ 2, 9, 1 }));
    assert_false(watchdog_see(&w, (unsigned[]){ 3, 9, 2 }));
    assert_true(watchdog_see(&w, (unsigned[]){ 4, 10, 3 }));
    assert_false(watchdog_see(&w, (unsigned[]){ 4, 10, 3 }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_often),
        cmocka_unit_test(all_must_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
