/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    int64_t code;
    int status;
    enum executed executed;
} codes[] = {
    { -32601, 404, EXECUTED_NO },     { -506, 404, EXECUTED_NO },    { -32602, 400, EXECUTED_YES },
    { -32600, 400, EXECUTED_YES },    { -32700, 502, EXECUTED_NO },  { -32701, 502, EXECUTED_NO },
    { -32702, 502, EXECUTED_NO },     { -32703, 500, EXECUTED_YES }, { -32699, 500, EXECUTED_YES },
    { -32603, 500, EXECUTED_YES },    { -32500, 500, EXECUTED_YES }, { -507, 500, EXECUTED_YES },
    { 0, 500, EXECUTED_YES },         { 1, 500, EXECUTED_YES },      { 404, 500, EXECUTED_YES },
    { INT64_MIN, 500, EXECUTED_YES },
};

static void codes_decide(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct fault fault = { .code = codes[i].code, .string = STR("no") };
        struct error err;
        fault_to_error(&fault, &err);
        assert_int_equal(err.type, PROBLEM_FAULT);
        if (err.status != codes[i].status || err.executed != codes[i].executed)
            fail_msg("%lld: %d", (long long)codes[i].code, err.status);
        assert_false(err.has_pointer);
        assert_null(err.setting);
    }
}

static void details_tell_code_and_text(void **state)
{
    struct fault fault = { .code = 4, .string = STR("Too many\nparams \xFF") };
    struct error err;
    (void)state;
    fault_to_error(&fault, &err);
    assert_string_equal(err.detail, "The upstream answered with fault 4: Too many params ?");
    fault.string = (struct str){ NULL, 0 };
    fault_to_error(&fault, &err);
    assert_string_equal(err.detail, "The upstream answered with fault 4.");
    fault.code = 0;
    fault.code_text = STR("Client");
    fault_to_error(&fault, &err);
    assert_string_equal(err.detail, "The upstream answered with the fault \"Client\".");
    assert_int_equal(err.status, 500);
    assert_int_equal(err.executed, EXECUTED_YES);
    /* A text that only looks like a code is none. */
    fault.code_text = STR("-32601");
    fault.string = STR("x");
    fault_to_error(&fault, &err);
    assert_string_equal(err.detail, "The upstream answered with the fault \"-32601\": x");
    assert_int_equal(err.status, 500);
}

static void huge_texts_are_cut(void **state)
{
    size_t len = 1 << 20;
    char *huge = malloc(len);
    struct error err;
    (void)state;
    assert_non_null(huge);
    memset(huge, 'x', len);
    struct fault fault = { .code_text = { huge, len }, .string = { huge, len } };
    fault_to_error(&fault, &err);
    assert_in_range(strlen(err.detail), 400, ERROR_DETAIL_MAX - 1);
    free(huge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_decide),
        cmocka_unit_test(details_tell_code_and_text),
        cmocka_unit_test(huge_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
