/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* An upstream without rules. */
static const struct verdict_place nowhere = { .http_status = 200 };

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
        verdict_on_fault(&fault, &nowhere, &err);
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
    verdict_on_fault(&fault, &nowhere, &err);
    assert_string_equal(err.detail, "The upstream answered with fault 4: Too many params ?");
    fault.string = (struct str){ NULL, 0 };
    verdict_on_fault(&fault, &nowhere, &err);
    assert_string_equal(err.detail, "The upstream answered with fault 4.");
    fault.code = 0;
    fault.code_text = STR("Client");
    verdict_on_fault(&fault, &nowhere, &err);
    assert_string_equal(err.detail, "The upstream answered with the fault \"Client\".");
    assert_int_equal(err.status, 500);
    assert_int_equal(err.executed, EXECUTED_YES);
    /* A text that only looks like a code is none. */
    fault.code_text = STR("-32601");
    fault.string = STR("x");
    verdict_on_fault(&fault, &nowhere, &err);
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
    verdict_on_fault(&fault, &nowhere, &err);
    assert_in_range(strlen(err.detail), 400, ERROR_DETAIL_MAX - 1);
    free(huge);
}

static struct fault_rule_config rules[] = {
    { .code = { FAULT_CODE_NUMBER, 70, NULL }, .status = 404, .type = (char *)"no-such-record" },
    { .code = { FAULT_CODE_GLOB, 0, (char *)"Client*" }, .status = 422 },
    { .has_range = true,
      .from = 100,
      .to = 199,
      .text = (char *)"*busy*",
      .status = 503,
      .retry_after = 1500 },
    { .text = (char *)"*denied*", .http = 403, .status = 403 },
    { .code = { FAULT_CODE_NUMBER, -32601, NULL }, .text = (char *)"soft*", .status = 410 },
    { .code = { FAULT_CODE_NUMBER, 80, NULL }, .type = (char *)"credentials-refused" },
    { .code = { FAULT_CODE_NUMBER, 81, NULL },
      .status = 403,
      .type = (char *)"credentials-refused" },
    { .http = 401, .type = (char *)"credentials-refused" },
};

static const struct {
    struct fault fault;
    int http, status;
    unsigned retry_after;
    const char *type;
} ruled[] = {
    { { .code = 70, .string = { "x", 1 } }, 200, 404, 0, "no-such-record" },
    { { .code = 71, .string = { "x", 1 } }, 200, 555, 0, NULL },
    { { .code_text = { "Client.Auth", 11 }, .string = { "x", 1 } }, 200, 422, 0, NULL },
    { { .code_text = { "Server", 6 }, .string = { "x", 1 } }, 200, 555, 0, NULL },
    { { .code = 150, .string = { "I am busy now", 13 } }, 200, 503, 2, NULL },
    { { .code = 150, .string = { "I am idle", 9 } }, 200, 555, 0, NULL },
    { { .code = 100, .string = { "busy", 4 } }, 200, 503, 2, NULL },
    { { .code = 199, .string = { "busy", 4 } }, 200, 503, 2, NULL },
    { { .code = 99, .string = { "busy", 4 } }, 200, 555, 0, NULL },
    { { .code = 200, .string = { "busy", 4 } }, 200, 555, 0, NULL },
    { { .code_text = { "150", 3 }, .string = { "busy", 4 } }, 200, 555, 0, NULL },
    { { .code = 1, .string = { "access denied", 13 } }, 403, 403, 0, NULL },
    { { .code = 1, .string = { "access denied", 13 } }, 200, 555, 0, NULL },
    { { .code = -32601, .string = { "softly", 6 } }, 200, 410, 0, NULL },
    { { .code = -32601, .string = { "hard", 4 } }, 200, 404, 0, NULL },
};

static void rules_come_first(void **state)
{
    const struct upstream_config upstream = { .fault_status = 555,
                                              .faults = rules,
                                              .n_faults = ARRAY_LEN(rules) };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ruled); i++) {
        struct verdict_place place = { &upstream, STR("a.b"), ruled[i].http };
        struct error err;
        assert_false(verdict_on_fault(&ruled[i].fault, &place, &err));
        if (err.status != ruled[i].status || err.retry_after != ruled[i].retry_after)
            fail_msg("case %zu: %d, %u", i, err.status, err.retry_after);
        assert_int_equal(err.type_uri == NULL, ruled[i].type == NULL);
        if (ruled[i].type != NULL)
            assert_string_equal(err.type_uri, ruled[i].type);
    }
}

static void refused_credentials_are_a_problem_of_their_own(void **state)
{
    static const struct {
        int code, http, status;
    } refused[] = { { 80, 200, 502 }, { 81, 200, 403 }, { 82, 401, 502 } };
    const struct upstream_config upstream = { .fault_status = 555,
                                              .faults = rules,
                                              .n_faults = ARRAY_LEN(rules) };
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct fault fault = { .code = refused[i].code, .string = STR("x") };
        struct verdict_place place = { &upstream, STR("a.b"), refused[i].http };
        assert_false(verdict_on_fault(&fault, &place, &err));
        assert_int_equal(err.type, PROBLEM_CREDENTIALS_REFUSED);
        assert_int_equal(err.executed, EXECUTED_NO);
        assert_int_equal(err.status, refused[i].status);
        assert_null(err.type_uri);
    }
    error_set(&err, PROBLEM_PROTOCOL_ERROR, "An HTTP status.");
    assert_false(verdict_on_status(&(struct verdict_place){ &upstream, STR("a.b"), 401 }, &err));
    assert_int_equal(err.type, PROBLEM_CREDENTIALS_REFUSED);
    assert_string_equal(err.detail, "An HTTP status.");
}

/* Codes do; a status that was given to a fault says nothing of that. */
static void some_tell_of_no_method(void **state)
{
    static const struct {
        struct fault fault;
        bool no_method;
    } cases[] = {
        { { .code = -32601, .string = { "hard", 4 } }, true },
        { { .code = -32601, .string = { "softly", 6 } }, true },
        { { .code = -506 }, true },
        { { .code = 70 }, false },
        { { .code = 71 }, false },
        { { .code = -32602 }, false },
        { { .code_text = { "-32601", 6 } }, false },
    };
    const struct upstream_config upstream = { .fault_status = 404,
                                              .faults = rules,
                                              .n_faults = ARRAY_LEN(rules) };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct verdict_place place = { &upstream, STR("a.b"), 200 };
        struct error err;
        assert_false(verdict_on_fault(&cases[i].fault, &place, &err));
        if (err.no_method != cases[i].no_method)
            fail_msg("case %zu", i);
    }
}

#define TEXT(s) ((char *)(uintptr_t)(s))

static char *of_auth[] = { TEXT("auth.*"), TEXT("login") };
static struct fault_rule_config session_rules[] = {
    { .match = { of_auth, 2 }, .status = 403 },
    { .code = { FAULT_CODE_NUMBER, -1, NULL },
      .text = TEXT("*no session*"),
      .session_expired = true },
    { .code = { FAULT_CODE_NUMBER, 429, NULL },
      .text = TEXT("*in <n> s*"),
      .status = 503,
      .retry_after = PAUSE_OF_TEXT },
    { .http = 401, .code = { FAULT_CODE_NUMBER, 5, NULL }, .status = 418 },
    { .http = 401, .session_expired = true },
    { .match = { of_auth, 2 }, .http = 418, .status = 405 },
    { .http = 418, .status = 406, .type = TEXT("tea"), .retry_after = 2000 },
};

static const struct upstream_config with_sessions = { .fault_status = 500,
                                                      .faults = session_rules,
                                                      .n_faults = ARRAY_LEN(session_rules) };

static void methods_sessions_and_pauses(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        struct fault fault;
        int http, status;
        bool expired;
        unsigned retry_after;
    } cases[] = {
        { "auth.login", { .code = -1, .string = { "no session", 10 } }, 200, 403, false, 0 },
        { "login", { .code = 7 }, 200, 403, false, 0 },
        { "logins", { .code = 7 }, 200, 500, false, 0 },
        { "a", { .code = -1, .string = { "no session", 10 } }, 200, 500, true, 0 },
        { "a", { .code = -1, .string = { "no", 2 } }, 200, 500, false, 0 },
        { "a", { .code = 429, .string = { "again in 17 s.", 14 } }, 200, 503, false, 17 },
        { "a", { .code = 429, .string = { "again in a s.", 13 } }, 200, 500, false, 0 },
        { "a", { .code = 5 }, 401, 418, false, 0 },
        { "a", { .code = 6 }, 401, 500, true, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct verdict_place place = { &with_sessions, str_of(cases[i].method), cases[i].http };
        struct error err;
        bool expired = verdict_on_fault(&cases[i].fault, &place, &err);
        if (expired != cases[i].expired || err.status != cases[i].status ||
            err.retry_after != cases[i].retry_after)
            fail_msg("case %zu: %d %d %u", i, expired, err.status, err.retry_after);
        assert_int_equal(err.executed, expired ? EXECUTED_NO : EXECUTED_YES);
    }
}

static void statuses_without_a_fault(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        int http, status;
        bool expired;
        unsigned retry_after;
    } cases[] = {
        { "a", 401, 502, true, 9 },     { "a", 402, 502, false, 9 },
        { "login", 401, 502, true, 9 }, { "login", 418, 405, false, 9 },
        { "a", 418, 406, false, 2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct verdict_place place = { &with_sessions, str_of(cases[i].method), cases[i].http };
        struct error err;
        error_set(&err, PROBLEM_PROTOCOL_ERROR, "x");
        err.retry_after = 9;
        bool expired = verdict_on_status(&place, &err);
        if (expired != cases[i].expired || err.status != cases[i].status ||
            err.retry_after != cases[i].retry_after)
            fail_msg("case %zu: %d %d %u", i, expired, err.status, err.retry_after);
        assert_int_equal(err.type, PROBLEM_PROTOCOL_ERROR);
        assert_int_equal(err.executed, expired ? EXECUTED_NO : EXECUTED_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_come_first),
        cmocka_unit_test(refused_credentials_are_a_problem_of_their_own),
        cmocka_unit_test(some_tell_of_no_method),
        cmocka_unit_test(codes_decide),
        cmocka_unit_test(details_tell_code_and_text),
        cmocka_unit_test(huge_texts_are_cut),
        cmocka_unit_test(methods_sessions_and_pauses),
        cmocka_unit_test(statuses_without_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
