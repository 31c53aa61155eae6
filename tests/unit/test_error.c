/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The contract's list of problems, written once more by hand. */
static const struct {
    enum problem_type type;
    const char *name;
    int status;
    enum executed executed;
} contract[] = {
    { PROBLEM_INVALID_JSON, "invalid-json", 400, EXECUTED_NO },
    { PROBLEM_INVALID_REQUEST, "invalid-request", 400, EXECUTED_NO },
    { PROBLEM_UNAUTHENTICATED, "unauthenticated", 401, EXECUTED_NO },
    { PROBLEM_FORBIDDEN, "forbidden", 403, EXECUTED_NO },
    { PROBLEM_NOT_FOUND, "not-found", 404, EXECUTED_NO },
    { PROBLEM_METHOD_NOT_ALLOWED, "method-not-allowed", 405, EXECUTED_NO },
    { PROBLEM_REQUEST_TIMEOUT, "request-timeout", 408, EXECUTED_NO },
    { PROBLEM_BODY_TOO_LARGE, "body-too-large", 413, EXECUTED_NO },
    { PROBLEM_UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, EXECUTED_NO },
    { PROBLEM_MISDIRECTED, "misdirected", 421, EXECUTED_NO },
    { PROBLEM_UNREPRESENTABLE, "unrepresentable", 422, EXECUTED_NO },
    { PROBLEM_RATE_LIMITED, "rate-limited", 429, EXECUTED_NO },
    { PROBLEM_FAULT, "fault", 500, EXECUTED_YES },
    { PROBLEM_PROTOCOL_ERROR, "protocol-error", 502, EXECUTED_UNKNOWN },
    { PROBLEM_BAD_RESPONSE, "bad-response", 502, EXECUTED_UNKNOWN },
    { PROBLEM_RESPONSE_TOO_LARGE, "response-too-large", 502, EXECUTED_UNKNOWN },
    { PROBLEM_CONNECTION_LOST, "connection-lost", 502, EXECUTED_UNKNOWN },
    { PROBLEM_CONNECT_FAILED, "connect-failed", 502, EXECUTED_NO },
    { PROBLEM_TLS_FAILED, "tls-failed", 502, EXECUTED_NO },
    { PROBLEM_LOGIN_FAILED, "login-failed", 502, EXECUTED_NO },
    { PROBLEM_CREDENTIALS_REFUSED, "credentials-refused", 502, EXECUTED_NO },
    { PROBLEM_TIMEOUT, "timeout", 504, EXECUTED_UNKNOWN },
    { PROBLEM_OVERLOADED, "overloaded", 503, EXECUTED_NO },
    { PROBLEM_CIRCUIT_OPEN, "circuit-open", 503, EXECUTED_NO },
    { PROBLEM_DRAINING, "draining", 503, EXECUTED_NO },
    { PROBLEM_INTERNAL, "internal", 500, EXECUTED_UNKNOWN },
};

static void list_is_the_contracts(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(contract), PROBLEM_TYPES);
    for (size_t i = 0; i < ARRAY_LEN(contract); i++) {
        const struct problem_info *info = problem_info(contract[i].type);
        assert_string_equal(info->name, contract[i].name);
        assert_int_equal(info->status, contract[i].status);
        assert_int_equal(info->executed, contract[i].executed);
        assert_true(info->title[0] != '\0' && info->when[0] != '\0');
    }
    assert_string_equal(executed_name(EXECUTED_NO), "no");
    assert_string_equal(executed_name(EXECUTED_YES), "yes");
    assert_string_equal(executed_name(EXECUTED_UNKNOWN), "unknown");
}

static void advises(void **state)
{
    static const struct {
        const char *detail, *expected;
    } cases[] = {
        { "It is so", "It is so. Do it." },
        { "It is so.", "It is so. Do it." },
        { "Is it so?", "Is it so? Do it." },
        { "It is 5 " ERROR_CUT, "It is 5 " ERROR_CUT ". Do it." },
    };
    char text[ERROR_DETAIL_MAX];
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        error_set(&err, PROBLEM_BAD_RESPONSE, "%s", cases[i].detail);
        error_advise(&err, "Do it.");
        assert_string_equal(err.detail, cases[i].expected);
    }
    /* Of any length, and of characters of two bytes; the advice is whole. */
    for (size_t n = ERROR_DETAIL_MAX - 40; n < ERROR_DETAIL_MAX; n++) {
        memset(text, 'x', n);
        for (size_t i = n % 2; i + 1 < n; i += 2)
            memcpy(text + i, "\xC3\xA4", 2);
        text[n] = '\0';
        error_set(&err, PROBLEM_BAD_RESPONSE, "%s", text);
        error_advise(&err, "Do it.");
        struct str detail = str_of(err.detail);
        assert_true(detail.len < sizeof err.detail);
        assert_int_equal(utf8_valid_prefix(detail), detail.len);
        assert_string_equal(err.detail + detail.len - 8, ". Do it.");
    }
}

static void sets_everything(void **state)
{
    struct error err;
    (void)state;
    memset(&err, 0xFF, sizeof err);
    assert_false(error_set(&err, PROBLEM_NOT_FOUND, "There is no \"%s\".", "x"));
    assert_int_equal(err.type, PROBLEM_NOT_FOUND);
    assert_int_equal(err.status, 404);
    assert_int_equal(err.executed, EXECUTED_NO);
    assert_int_equal(err.retry_after, 0);
    assert_null(err.setting);
    assert_null(err.advice);
    assert_false(err.has_pointer);
    assert_string_equal(err.detail, "There is no \"x\".");
    assert_false(error_limit(&err, PROBLEM_BODY_TOO_LARGE, "limits.body", "Over %d.", 4));
    assert_string_equal(err.setting, "limits.body");
    assert_int_equal(err.status, 413);
}

static void details_are_one_line_of_utf8(void **state)
{
    static const struct {
        const char *given, *kept;
    } cases[] = {
        { "a\nb\r\tc\x1B\x7F", "a b  c  " },
        { "\xC3\xA9\xFF\xC3", "\xC3\xA9??" },
        { "\xED\xA0\x80", "???" },
        { "", "" },
    };
    struct error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        error_set(&err, PROBLEM_INTERNAL, "%s", cases[i].given);
        assert_string_equal(err.detail, cases[i].kept);
    }
}

static void long_details_are_cut_between_characters(void **state)
{
    static const char *const characters[] = { "x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
    struct error err;
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(characters); c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[2 * ERROR_DETAIL_MAX] = "";
            memset(text, '-', shift);
            while (strlen(text) + 5 < sizeof text)
                strcat(text, characters[c]);
            error_set(&err, PROBLEM_INTERNAL, "%s", text);
            size_t len = strlen(err.detail);
            assert_in_range(len, ERROR_DETAIL_MAX - 4, ERROR_DETAIL_MAX - 1);
            assert_memory_equal(err.detail, text, len);
            assert_int_equal(utf8_valid_prefix(str_of(err.detail)), len);
        }
    }
}

static void pointers_are_whole_or_absent(void **state)
{
    struct error err;
    char longest[ERROR_POINTER_MAX + 1];
    (void)state;
    error_set(&err, PROBLEM_INVALID_JSON, "x");
    error_at(&err, STR("/0/name"));
    assert_true(err.has_pointer);
    assert_string_equal(err.pointer, "/0/name");
    error_at(&err, STR(""));
    assert_true(err.has_pointer);
    assert_string_equal(err.pointer, "");
    error_at(&err, (struct str){ NULL, 0 });
    assert_true(err.has_pointer);
    memset(longest, '/', sizeof longest);
    error_at(&err, (struct str){ longest, ERROR_POINTER_MAX - 1 });
    assert_true(err.has_pointer);
    assert_int_equal(strlen(err.pointer), ERROR_POINTER_MAX - 1);
    error_at(&err, (struct str){ longest, ERROR_POINTER_MAX });
    assert_false(err.has_pointer);
    assert_string_equal(err.pointer, "");
}

static void foreign_text_is_cut_with_a_mark(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        const char *shown;
    } cases[] = {
        { "", 3, "" },
        { "abc", 3, "abc" },
        { "abcd", 3, "abc…" },
        { "ab\xC3\xA9", 3, "ab…" },
        { "ab\xC3\xA9", 4, "ab\xC3\xA9" },
        { "\xC3\xA9", 1, "…" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char shown[32];
        struct error_cut c = error_cut(str_of(cases[i].text), cases[i].max);
        snprintf(shown, sizeof shown, "%.*s%s", ERROR_CUT_ARGS(c));
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_the_contracts),
        cmocka_unit_test(sets_everything),
        cmocka_unit_test(advises),
        cmocka_unit_test(details_are_one_line_of_utf8),
        cmocka_unit_test(long_details_are_cut_between_characters),
        cmocka_unit_test(pointers_are_whole_or_absent),
        cmocka_unit_test(foreign_text_is_cut_with_a_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
