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

/* docs/xmlrpc-face.md */
static void xmlrpc_codes(void **state)
{
    static const struct {
        enum problem_type type;
        int given; /* error.fault_code */
        const char *begin;
    } cases[] = {
        { PROBLEM_INVALID_REQUEST, 0, "{\"faultCode\":-32600,\"faultString\":\"invalid-request: " },
        { PROBLEM_INVALID_REQUEST, -32702, "{\"faultCode\":-32702," },
        { PROBLEM_FORBIDDEN, 0, "{\"faultCode\":-32601," },
        { PROBLEM_FORBIDDEN, -32602, "{\"faultCode\":-32602," },
        { PROBLEM_NOT_FOUND, 0, "{\"faultCode\":-32601," },
        { PROBLEM_UNREPRESENTABLE, 0, "{\"faultCode\":-32602," },
        { PROBLEM_INTERNAL, 0, "{\"faultCode\":-32603," },
        { PROBLEM_TIMEOUT, 0, "{\"faultCode\":-32300,\"faultString\":\"timeout: " },
        { PROBLEM_BAD_RESPONSE, 0, "{\"faultCode\":-32300," },
        { PROBLEM_CREDENTIALS_REFUSED, 0, "{\"faultCode\":-32300," },
        { PROBLEM_RATE_LIMITED, 0, "{\"faultCode\":-32099," },
        { PROBLEM_OVERLOADED, 0, "{\"faultCode\":-32098," },
        { PROBLEM_CIRCUIT_OPEN, 0, "{\"faultCode\":-32097," },
        { PROBLEM_DRAINING, 0, "{\"faultCode\":-32096," },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        error_set(&err, cases[i].type, "x");
        err.fault_code = cases[i].given;
        struct problem problem = { .error = &err, .request_id = STR("id-7") };
        char *text = written(&form_xmlrpc, &problem, STR("1"));
        assert_true(str_starts_with(str_of(text), str_of(cases[i].begin)));
        assert_non_null(strstr(text, ": x; executed: "));
        assert_non_null(strstr(text, "; request id-7\"}"));
        free(text);
    }
}

static void xmlrpc_faults(void **state)
{
    static const struct {
        struct fault fault;
        const char *text;
    } cases[] = {
        { { .code = -32601, .string = STR("no <x>") },
          "{\"faultCode\":-32601,\"faultString\":\"no <x>\"}" },
        { { .code = 5 }, "{\"faultCode\":5,\"faultString\":\"\"}" },
        { { .code_text = STR("E\"1"), .string = STR("") },
          "{\"faultCode\":\"E\\\"1\",\"faultString\":\"\"}" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        error_set(&err, PROBLEM_FAULT, "x");
        struct problem problem = { .error = &err, .fault = &cases[i].fault };
        char *text = written(&form_xmlrpc, &problem, STR("1"));
        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

static void xmlrpc_replies(void **state)
{
    static const struct fault fault = { .code_text = STR("E"), .string = STR("a<b") };
    struct error err;
    struct chain to;
    (void)state;
    chain_init(&to, SIZE_MAX, NULL);
    error_set(&err, PROBLEM_FAULT, "x");
    form_xmlrpc.write_reply(&(struct problem){ .error = &err, .fault = &fault }, &to);
    char *text = chain_dup(&to);
    assert_string_equal(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse><fault>"
                              "<value><struct><member><name>faultCode</name><value><string>E"
                              "</string></value></member><member><name>faultString</name><value>"
                              "<string>a&lt;b</string></value></member></struct></value></fault>"
                              "</methodResponse>\n");
    free(text);
    chain_done(&to);
}

static void results(void **state)
{
    static const struct {
        const struct form *form;
        const char *text;
    } cases[] = {
        { &form_rest, "{\"results\":[{\"result\":5}]}" },
        { &form_jsonrpc, "[{\"jsonrpc\":\"2.0\",\"result\":5,\"id\":\"a\"}]" },
        { &form_xmlrpc, "[[[5]]]" },
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
        cmocka_unit_test(codes),          cmocka_unit_test(faults),
        cmocka_unit_test(xmlrpc_codes),   cmocka_unit_test(xmlrpc_faults),
        cmocka_unit_test(xmlrpc_replies), cmocka_unit_test(results),
        cmocka_unit_test(problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
