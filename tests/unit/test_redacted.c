/* SPDX-License-Identifier: Apache-2.0 */
/* Problems as callers see them: foreign text wherever it stands, whole and cut, has no secret of
 * ours, and the problem that was judged is left as it came. */
#include "rules/redacted.h"

#include "rules/verdict.h"
#include "settings/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "s3cr3t-t0ken"
#define HALF "s3cr3t-"

static struct store *store;
static struct redactor *redactor;

static int open_redactor(void **state)
{
    static const struct str secrets[] = { STR(SECRET) };
    (void)state;
    store = store_new();
    redactor = redactor_new(store, secrets, 1);
    return 0;
}

static int close_redactor(void **state)
{
    (void)state;
    store_free(store);
    return 0;
}

static char *written(const struct problem *problem, struct budget *budget)
{
    struct redacted shown;
    struct chain c;
    chain_init(&c, 1 << 24, NULL);
    redacted_make(problem, redactor, budget, &shown);
    problem_write(&shown.problem, &c);
    redacted_done(&shown);
    char *text = chain_dup(&c);
    chain_done(&c);
    return text;
}

static void assert_shown(const struct problem *problem, const char *part)
{
    char *text = written(problem, NULL);
    if (strstr(text, part) == NULL || strstr(text, "s3cr") != NULL)
        fail_msg("%s is not in %s", part, text);
    free(text);
}

static void faults(void **state)
{
    static const struct {
        struct fault fault;
        const char *detail, *member;
    } cases[] = {
        { { .code = 1, .string = STR("token " SECRET "!") },
          "with fault 1: token ***!\"",
          "{\"code\":1,\"string\":\"token ***!\"}" },
        { { .code_text = STR(SECRET), .string = STR("no") },
          "the fault \\\"***\\\": no\"",
          "{\"code\":0,\"code_text\":\"***\",\"string\":\"no\"}" },
        /* What was cut ends with a beginning that is hidden; what was not ends as it does. */
        { { .code = 1, .string = STR("a " HALF), .truncated = true },
          "with fault 1: a ***\"",
          "\"string\":\"a ***\",\"truncated\":true" },
        { { .code_text = STR(HALF), .string = STR(HALF), .truncated = true },
          "the fault \\\"***\xE2\x80\xA6\\\": ***\"",
          "\"code_text\":\"***\",\"string\":\"***\"" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        verdict_on_fault(&cases[i].fault, &(struct verdict_place){ .http_status = 200 }, &err);
        assert_shown(&(struct problem){ .error = &err, .fault = &cases[i].fault }, cases[i].detail);
        assert_shown(&(struct problem){ .error = &err, .fault = &cases[i].fault }, cases[i].member);
        assert_null(strstr(err.detail, "***"));
    }
}

/* The detail has 300 bytes of the text: the secret begins before, and ends behind them. */
static void a_detail_that_ends_within(void **state)
{
    char text[400];
    struct error err;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + 300 - strlen(HALF), SECRET, strlen(SECRET));
    struct fault fault = { .code = 1, .string = { text, sizeof text } };
    verdict_on_fault(&fault, &(struct verdict_place){ .http_status = 200 }, &err);
    assert_true(err.is_cut);
    assert_shown(&(struct problem){ .error = &err, .fault = &fault }, "xxx***\",\"executed\"");
    fault.string.len = 100;
    verdict_on_fault(&fault, &(struct verdict_place){ .http_status = 200 }, &err);
    assert_false(err.is_cut);
}

/* One that is as long as a detail may be says so itself. */
static void a_full_detail(void **state)
{
    char text[ERROR_DETAIL_MAX];
    struct error err;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + sizeof text - 1 - strlen(HALF), HALF, strlen(HALF));
    error_set(&err, PROBLEM_BAD_RESPONSE, "%s", text);
    assert_false(err.is_cut);
    error_set(&err, PROBLEM_BAD_RESPONSE, "%s%s", text, SECRET + strlen(HALF));
    assert_true(err.is_cut);
    assert_shown(&(struct problem){ .error = &err }, "xxx***\"");
}

static void answers_that_are_no_xml(void **state)
{
    char peek[PROBLEM_PEEK_MAX], phrase[PROBLEM_TEXT_MAX];
    struct problem_header headers[] = {
        { STR("Location"), STR("https://me:mine@h/" SECRET) },
        { STR("Server"), STR("S/" SECRET) },
    };
    struct error err;
    (void)state;
    memset(peek, '.', sizeof peek);
    memcpy(peek + PROBLEM_BODY_MAX - 4, SECRET, strlen(SECRET));
    memset(phrase, '.', sizeof phrase);
    memcpy(phrase + sizeof phrase - strlen(HALF), HALF, strlen(HALF));
    error_set(&err, PROBLEM_PROTOCOL_ERROR, "It wants \"" HALF "\xE2\x80\xA6\".");
    struct problem_protocol protocol = {
        .url = STR("http://u/"),
        .status = 302,
        .message = { phrase, sizeof phrase },
        .content_type = STR("text/" SECRET),
        .body = { peek, sizeof peek },
        .headers = headers,
        .n_headers = 2,
    };
    struct problem problem = { .error = &err, .protocol = &protocol };
    assert_shown(&problem, "\"It wants \\\"***\xE2\x80\xA6\\\".\"");
    assert_shown(&problem, "\"Location\":\"https://***@h/***\"");
    assert_shown(&problem, "\"Server\":\"S/***\"");
    assert_shown(&problem, ".***\",\"headers\"");
    assert_shown(&problem, "\"content_type\":\"text/***\"");
    assert_shown(&problem, "...***.\"}");
    assert_true(str_eq(headers[1].value, STR("S/" SECRET)));
}

/* Where there is no room for all of a fault there is some for its beginning. */
static void no_room(void **state)
{
    struct budget budget = { .parent = NULL };
    char text[4096];
    struct error err;
    (void)state;
    atomic_init(&budget.max, 1000);
    memset(text, 'x', sizeof text);
    memcpy(text + 512 - strlen(HALF), SECRET, strlen(SECRET));
    struct fault fault = { .code = 1, .string = { text, sizeof text } };
    error_set(&err, PROBLEM_FAULT, "x");
    char *document = written(&(struct problem){ .error = &err, .fault = &fault }, &budget);
    assert_non_null(strstr(document, "x***\",\"truncated\":true}}"));
    assert_in_range(strlen(document), 500, 1000);
    free(document);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults),        cmocka_unit_test(a_detail_that_ends_within),
        cmocka_unit_test(a_full_detail), cmocka_unit_test(answers_that_are_no_xml),
        cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, open_redactor, close_redactor);
}
