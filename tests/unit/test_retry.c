/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config_text.h"

static const char settings[] =
    "upstreams = { u = { url = \"http://h\"; timeouts = { total = \"7s\"; };\n"
    "  methods = ( { match = \"read.*\"; safe = true; },\n"
    "              { match = \"read.slow\"; timeout = \"1m\"; },\n"
    "              { match = \"slow.*\"; timeout = \"2m\"; },\n"
    "              { match = \"system.listMethods\"; timeout = \"3s\"; } ); }; };\n";

static const struct {
    const char *method;
    bool safe;
    int64_t timeout_ms;
} methods[] = {
    { "read.this", true, 7000 },         { "read.slow", true, 7000 }, /* the first match counts */
    { "slow.x", false, 120000 },         { "other", false, 7000 },
    { "Read.this", false, 7000 },        { "system.listMethods", true, 3000 },
    { "system.methodHelp", true, 7000 }, { "system.methodSignature", true, 7000 },
    { "system.shutdown", false, 7000 },  { "getThings", false, 7000 }, /* nothing is guessed */
};

static void rules_of_methods(void **state)
{
    struct config *config = config_of(settings);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct method_rule rule =
            method_rule_find(&config->upstreams[0], str_of(methods[i].method));
        if (rule.safe != methods[i].safe || rule.timeout_ms != methods[i].timeout_ms)
            fail_msg("%s: %d, %lld ms", methods[i].method, rule.safe, (long long)rule.timeout_ms);
        assert_string_equal(rule.timeout_setting,
                            rule.timeout_ms == 7000 ? "timeouts.total" : "methods.timeout");
    }
    config_unref(config);
}

/* Of all the problems that there are, the four that may be. */
static void what_is_repeated(void **state)
{
    (void)state;
    for (int type = 0; type < PROBLEM_TYPES; type++)
        for (int executed = EXECUTED_NO; executed <= EXECUTED_UNKNOWN; executed++)
            for (int safe = 0; safe <= 1; safe++) {
                bool wanted = false;
                if (type == PROBLEM_CONNECT_FAILED || type == PROBLEM_TLS_FAILED)
                    wanted = true;
                if (type == PROBLEM_CONNECTION_LOST)
                    wanted = safe || executed == EXECUTED_NO;
                if (type == PROBLEM_TIMEOUT)
                    wanted = safe;
                if (retry_allowed((enum problem_type)type, (enum executed)executed, safe) != wanted)
                    fail_msg("%s, executed %s, safe %d",
                             problem_info((enum problem_type)type)->name,
                             executed_name((enum executed)executed), safe);
            }
}

static void pauses(void **state)
{
    (void)state;
    /* random % 1001 is what counts */
    assert_int_equal(retry_pause_ms(50, 1, 0), 25);
    assert_int_equal(retry_pause_ms(50, 1, 500), 50);
    assert_int_equal(retry_pause_ms(50, 1, 1000), 75);
    assert_int_equal(retry_pause_ms(50, 1, 1001), 25);
    assert_int_equal(retry_pause_ms(50, 2, 500), 100);
    assert_int_equal(retry_pause_ms(50, 3, 0), 100);
    assert_int_equal(retry_pause_ms(0, 1, UINT32_MAX), 0);
    for (unsigned attempt = 1; attempt < 100; attempt++) {
        int64_t pause = retry_pause_ms(60000, attempt, UINT32_MAX);
        assert_true(pause > 0 && pause <= INT64_C(60000) * 1024 * 3 / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_methods),
        cmocka_unit_test(what_is_repeated),
        cmocka_unit_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
