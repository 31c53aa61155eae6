/* SPDX-License-Identifier: Apache-2.0 */
#include "front/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *written(const struct form *form, const struct problem *problem, struct str id)
{
    struct chain to;
    chain_init(&to, SIZE_MAX, NULL);
    form->write_problem(problem, id, &to);
    char *text = chain_dup(&to);
    chain_done(&to);
    return text;
}

/* JSON-RPC 2.0, section 5.1, and what docs/api.md tells of the others. */
static void codes(void **state)
{
    static const struct {
        enum problem_type type;
        const char *begin;
    } cases[] = {
        { PROBLEM_INVALID_JSON, "{\"code\":-32700,\"message\":\"Parse error\"," },
        { PROBLEM_INVALID_REQUEST, "{\"code\":-32600,\"message\":\"Invalid Request\"," },
        { PROBLEM_FORBIDDEN, "{\"code\":-32601,\"message\":\"Method not found\"," },
        { PROBLEM_NOT_FOUND, "{\"code\":-32601,\"message\":\"Method not found\"," },
        { PROBLEM_UNREPRESENTABLE, "{\"code\":-32602,\"message\":\"Invalid params\"," },
        { PROBLEM_INTERNAL, "{\"code\":-32603,\"message\":\"Internal error\"," },
        { PROBLEM_TIMEOUT, "{\"code\":-32000,\"message\":\"" },
        { PROBLEM_RATE_LIMITED, "{\"code\":-32000,\"message\":\"" },
        { PROBLEM_BAD_RESPONSE, "{\"code\":-32000,\"message\":\"" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        error_set(&err, cases[i].type, "x");
        char *text = written(&form_jsonrpc, &(struct problem){ .error = &err }, STR("1.50"));
        assert_non_null(strstr(text, cases[i].begin));
        assert_true(str_starts_with(str_of(text), STR("{\"jsonrpc\":\"2.0\",\"error\":{")));
        assert_non_null(strstr(text, "\"data\":{\"type\":\"urn:rpcgate:problem:"));
        assert_non_null(strstr(text, "}},\"id\":1.50}"));
        free(text);
    }
}

static void faults(void **state)
{
    static const struct {
        int64_t code;
        struct str string;
        const char *begin;
    } cases[] = {
        { 7, { "it \"broke\"", 10 }, "{\"code\":7,\"message\":\"it \\\"broke\\\"\"," },
        { -32602, { "two ints", 8 }, "{\"code\":-32602,\"message\":\"two ints\"," },
        { -32602, { NULL, 0 }, "{\"code\":-32602,\"message\":\"Invalid params\"," },
        { -32601, { "no x", 4 }, "{\"code\":-32601,\"message\":\"Method not found\"," },
        { INT64_MIN, { "", 0 }, "{\"code\":-9223372036854775808,\"message\":\"The upstream" },
        { 1, { "\xFF", 1 }, "{\"code\":1,\"message\":\"\xEF\xBF\xBD\"," },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        struct fault fault = { .code = cases[i].code, .string = cases[i].string };
        error_set(&err, PROBLEM_FAULT, "x");
        char *text = written(&form_jsonrpc, &(struct problem){ .error = &err, .fault = &fault },
                             (struct str){ NULL, 0 });
        assert_non_null(strstr(text, cases[i].begin));
        assert_non_null(strstr(text, "}},\"id\":null}"));
        free(text);
    }
}

static void results(void **state)
{
    static const struct {
        const struct form *form;
        const char *text;
    } cases[] = {
        { &form_rest, "{\"results\":[{\"result\":5}]}" },
        { &form_jsonrpc, "[{\"jsonrpc\":\"2.0\",\"result\":5,\"id\":\"a\"}]" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct chain to;
        chain_init(&to, SIZE_MAX, NULL);
        cases[i].form->open_list(&to);
        cases[i].form->open_result(&to);
        chain_append_byte(&to, '5');
        cases[i].form->close_result(STR("\"a\""), &to);
        cases[i].form->close_list(&to);
        char *text = chain_dup(&to);
        assert_string_equal(text, cases[i].text);
        free(text);
        chain_done(&to);
    }
}

static void problems(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, PROBLEM_TIMEOUT, "x");
    char *text = written(&form_rest, &(struct problem){ .error = &err }, STR("1"));
    assert_true(str_starts_with(str_of(text), STR("{\"problem\":{\"type\":")));
    assert_null(strstr(text, "jsonrpc"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes),
        cmocka_unit_test(faults),
        cmocka_unit_test(results),
        cmocka_unit_test(problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
