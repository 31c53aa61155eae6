/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/problem.h"

#include "rules/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *write_problem(const struct problem *problem)
{
    struct chain c;
    chain_init(&c, 1 << 24, NULL);
    problem_write(problem, &c);
    assert_int_equal(chain_state(&c), CHAIN_OK);
    char *text = chain_dup(&c);
    assert_int_equal(strlen(text), chain_len(&c));
    chain_done(&c);
    return text;
}

static void assert_problem(const struct problem *problem, const char *expected)
{
    char *text = write_problem(problem);
    assert_string_equal(text, expected);
    free(text);
}

#define NOT_FOUND_HEAD                                                                             \
    "{\"type\":\"urn:rpcgate:problem:not-found\",\"title\":\"There is nothing here\","             \
    "\"status\":404,"

static void writes_the_least(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, PROBLEM_NOT_FOUND, "There is no upstream \"x\".");
    assert_problem(&(struct problem){ .error = &err },
                   NOT_FOUND_HEAD "\"detail\":\"There is no upstream \\\"x\\\".\","
                                  "\"executed\":\"no\"}");
}

static void writes_all_members_in_order(void **state)
{
    struct error err;
    (void)state;
    error_limit(&err, PROBLEM_INVALID_JSON, "limits.depth", "Too deep.");
    error_at(&err, STR("/0/a~1b\"\xC3\xA9"));
    assert_problem(&(struct problem){ .error = &err,
                                      .request_id = STR("id-1"),
                                      .upstream = STR("demo"),
                                      .method = STR("demo.\xC3\xA9\"") },
                   "{\"type\":\"urn:rpcgate:problem:invalid-json\","
                   "\"title\":\"The body is not valid JSON\",\"status\":400,"
                   "\"detail\":\"Too deep.\",\"request_id\":\"id-1\",\"upstream\":\"demo\","
                   "\"method\":\"demo.\xC3\xA9\\\"\",\"pointer\":\"/0/a~1b\\\"\xC3\xA9\","
                   "\"setting\":\"limits.depth\",\"executed\":\"no\"}");
}

static void an_empty_pointer_is_the_whole_document(void **state)
{
    struct error err;
    (void)state;
    error_set(&err, PROBLEM_NOT_FOUND, "x");
    error_at(&err, STR(""));
    assert_problem(&(struct problem){ .error = &err },
                   NOT_FOUND_HEAD "\"detail\":\"x\",\"pointer\":\"\",\"executed\":\"no\"}");
}

static void appends(void **state)
{
    struct error err;
    struct chain c;
    (void)state;
    error_set(&err, PROBLEM_NOT_FOUND, "x");
    chain_init(&c, 1000, NULL);
    chain_append_c(&c, "{\"problem\":");
    problem_write(&(struct problem){ .error = &err }, &c);
    char *text = chain_dup(&c);
    assert_string_equal(text,
                        "{\"problem\":" NOT_FOUND_HEAD "\"detail\":\"x\",\"executed\":\"no\"}");
    free(text);
    chain_done(&c);
}

static void writes_faults(void **state)
{
    static const struct {
        struct fault fault;
        const char *expected;
    } cases[] = {
        { { .code = 4, .string = { "a", 1 } }, "{\"code\":4,\"string\":\"a\"}" },
        { { .code = 0, .string = { NULL, 0 } }, "{\"code\":0,\"string\":null}" },
        { { .code = -1, .string = { "", 0 } }, "{\"code\":-1,\"string\":\"\"}" },
        { { .code = 9007199254740993, .string = { "", 0 } },
          "{\"code\":9007199254740993,\"string\":\"\"}" },
        { { .code = INT64_MIN, .string = { "", 0 } },
          "{\"code\":-9223372036854775808,\"string\":\"\"}" },
        { { .code_text = { "Client\"", 7 }, .string = { "x", 1 } },
          "{\"code\":0,\"code_text\":\"Client\\\"\",\"string\":\"x\"}" },
        { { .code = 5, .string = { "a", 1 }, .truncated = true },
          "{\"code\":5,\"string\":\"a\",\"truncated\":true}" },
        { { .string = { "a\0b", 3 } },
          "{\"code\":0,\"string\":\"a\xEF\xBF\xBD"
          "b\"}" },
        { { .string = { "\0", 1 } }, "{\"code\":0,\"string\":\"\xEF\xBF\xBD\"}" },
        { { .string = { "\xFF\xC3\xA9\xC3", 4 } },
          "{\"code\":0,\"string\":\"\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\"}" },
        { { .string = { "\xED\xA0\x80", 3 } },
          "{\"code\":0,\"string\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"}" },
        { { .string = { "a\n\t\x01\x1F\"\\/", 8 } },
          "{\"code\":0,\"string\":\"a\\n\\t\\u0001\\u001f\\\"\\\\/\"}" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        char expected[600];
        error_set(&err, PROBLEM_FAULT, "x");
        snprintf(expected, sizeof expected,
                 "{\"type\":\"urn:rpcgate:problem:fault\","
                 "\"title\":\"The upstream answered with a fault\",\"status\":500,"
                 "\"detail\":\"x\",\"executed\":\"yes\",\"fault\":%s}",
                 cases[i].expected);
        assert_problem(&(struct problem){ .error = &err, .fault = &cases[i].fault }, expected);
    }
}

static void keeps_all_of_a_long_fault(void **state)
{
    size_t len = 300000;
    char *text = malloc(len);
    struct error err;
    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    struct fault fault = { .code = 1, .string = { text, len } };
    verdict_on_fault(&fault, &(struct verdict_place){ .http_status = 200 }, &err);
    char *written = write_problem(&(struct problem){ .error = &err, .fault = &fault });
    assert_true(strlen(written) > len);
    free(written);
    free(text);
}

static const struct problem_protocol refused = {
    .url = STR("http://up.example/RPC2"),
    .status = 401,
    .message = STR("Unauthorized"),
    .content_type = STR("text/html"),
    .body = STR("<html>"),
};

#define PROTOCOL_HEAD                                                                              \
    "{\"type\":\"urn:rpcgate:problem:protocol-error\","                                            \
    "\"title\":\"The upstream answered with an HTTP error\",\"status\":502,"                       \
    "\"detail\":\"x\",\"executed\":\"unknown\","                                                   \
    "\"protocol\":{\"url\":\"http://up.example/RPC2\",\"status\":401,"                             \
    "\"message\":\"Unauthorized\",\"headers\":"

static void writes_protocol_errors(void **state)
{
    static const struct problem_header headers[] = {
        { STR("Server"), STR("x\xFF/1") },
        { STR("WWW-Authenticate"), STR("Basic") },
        { STR("www-authenticate"), STR("Digest") },
    };
    struct problem_protocol protocol = refused;
    struct error err;
    (void)state;
    error_set(&err, PROBLEM_PROTOCOL_ERROR, "x");
    assert_problem(&(struct problem){ .error = &err, .protocol = &protocol },
                   PROTOCOL_HEAD "{},\"content_type\":\"text/html\",\"body\":\"<html>\"}}");
    protocol.headers = headers;
    protocol.n_headers = ARRAY_LEN(headers);
    protocol.content_type = protocol.body = (struct str){ NULL, 0 };
    assert_problem(&(struct problem){ .error = &err, .protocol = &protocol },
                   PROTOCOL_HEAD "{\"Server\":\"x\xEF\xBF\xBD/1\","
                                 "\"WWW-Authenticate\":\"Basic, Digest\"},"
                                 "\"content_type\":null,\"body\":null}}");
}

/* `unit` so often that it has `len` bytes or more. */
static struct str repeat(char *to, struct str unit, size_t len)
{
    size_t at = 0;
    for (; at < len; at += unit.len)
        memcpy(to + at, unit.data, unit.len);
    return (struct str){ to, at };
}

static void shows_bodies_that_are_text(void **state)
{
    static const struct {
        struct str unit;
        size_t len;
        size_t shown; /* [bytes]; 0: null */
    } cases[] = {
        { STR("x"), 511, 511 },
        { STR("x"), 512, 512 },
        { STR("x"), 513, 512 },
        { STR("x"), 5000, 512 },
        { STR("\xE2\x82\xAC"), 600, 510 },
        { STR("\xF0\x9F\x98\x80"), 600, 512 },
        { STR("x\xC3\xA9"), 600, 511 },
        { STR("tab\tor\n"), 14, 14 + 4 }, /* two escapes, twice */
        { STR("a\0"), 10, 0 },
        { STR("\x01\x02"
              "ab"),
          40, 0 },
        { STR("\x1F\x8B\x08\x03\xFF\xED\x92"), 100, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[6000];
        struct error err;
        struct problem_protocol protocol = refused;
        error_set(&err, PROBLEM_PROTOCOL_ERROR, "x");
        protocol.body = repeat(body, cases[i].unit, cases[i].len);
        char *text = write_problem(&(struct problem){ .error = &err, .protocol = &protocol });
        const char *at = strstr(text, "\"body\":");
        assert_non_null(at);
        at += strlen("\"body\":");
        size_t len = strlen(at) - strlen("}}");
        if (cases[i].shown == 0)
            assert_string_equal(at, "null}}");
        else if (len != cases[i].shown + strlen("\"\""))
            fail_msg("case %zu: %zu", i, len);
        assert_int_equal(utf8_valid_prefix(str_of(text)), strlen(text));
        free(text);
    }
}

static void a_body_that_was_cut_before_has_no_torn_end(void **state)
{
    char body[600];
    struct error err;
    struct problem_protocol protocol = refused;
    (void)state;
    error_set(&err, PROBLEM_PROTOCOL_ERROR, "x");
    protocol.body = repeat(body, STR("\xE2\x82\xAC"), 512);
    protocol.body.len = PROBLEM_BODY_MAX;
    char *text = write_problem(&(struct problem){ .error = &err, .protocol = &protocol });
    assert_null(strstr(text, "\xEF\xBF\xBD"));
    free(text);
    /* Latin-1 is text, too. */
    protocol.body = STR("caf\xE9 ferm\xE9, r\xE9"
                        "essayez");
    text = write_problem(&(struct problem){ .error = &err, .protocol = &protocol });
    assert_non_null(strstr(text, "\"body\":\"caf\xEF\xBF\xBD ferm"));
    free(text);
}

static void every_type_can_be_written(void **state)
{
    (void)state;
    for (int type = 0; type < PROBLEM_TYPES; type++) {
        struct error err;
        char start[100];
        error_set(&err, (enum problem_type)type, "x");
        char *text = write_problem(&(struct problem){ .error = &err });
        snprintf(start, sizeof start, "{\"type\":\"urn:rpcgate:problem:%s\",\"title\":\"",
                 problem_info((enum problem_type)type)->name);
        assert_memory_equal(text, start, strlen(start));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_least),
        cmocka_unit_test(writes_all_members_in_order),
        cmocka_unit_test(an_empty_pointer_is_the_whole_document),
        cmocka_unit_test(appends),
        cmocka_unit_test(writes_faults),
        cmocka_unit_test(keeps_all_of_a_long_fault),
        cmocka_unit_test(writes_protocol_errors),
        cmocka_unit_test(shows_bodies_that_are_text),
        cmocka_unit_test(a_body_that_was_cut_before_has_no_torn_end),
        cmocka_unit_test(every_type_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
