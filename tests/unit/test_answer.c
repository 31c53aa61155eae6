/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means for its call: a value, a fault or a problem. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/macros.h"

#define SETTINGS                                                                                   \
    "upstreams = { u = { url = \"http://u/\"; auth = { scheme = \"bearer\"; "                      \
    "token = \"s3cr3tss\"; };\n  limits = { response = \"64K\"; };\n"                              \
    "  methods = ( { match = \"void\"; empty = \"null\"; } );\n"                                   \
    "  faults = ( { code = 9; status = 404; type = \"gone\"; },\n"                                 \
    "             { text = \"*s3cr3tss*\"; status = 409; } ); }; };"

static struct rig rig;
static struct fake *const fake = &rig.workers[0].fake;

#define TYPE(word) PROBLEM_##word
#define EXECUTED(word) EXECUTED_##word

struct ending {
    const char *method;
    int status;
    const char *body;
    enum problem_type problem;
    enum executed executed;
    const char *detail; /* a part of it */
};

static void good_ones(void **state)
{
    static const struct {
        const char *method;
        const char *body, *value;
    } cases[] = {
        { "m", RIG_ANSWER("<i4>1</i4>"), "1" },
        { "m", RIG_ANSWER("<array><data/></array>"), "[]" },
        { "m", "<methodResponse><params/></methodResponse>", "null" },
        { "m",
          "<methodResponse><params><param><value>a</value></param><param><value>b</value>"
          "</param></params></methodResponse>",
          "[\"a\",\"b\"]" },
        { "void", "", "null" },
        { "void", " \r\n", "null" },
        { "void", RIG_ANSWER("a"), "\"a\"" },
        /* The same name twice: what it takes to put that in order comes behind the answer. */
        { "m",
          RIG_ANSWER("<struct><member><name>a</name><value>1</value></member><member>"
                     "<name>a</name><value>2</value></member></struct>"),
          "{\"a\":\"2\"}" },
    };
    (void)state;
    rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig_call c;
        rig_call_begin(&rig, 0, &c, cases[i].method, "[]");
        fake_answer(fake, 0, 200, cases[i].body);
        if (c.call.state == CALL_ARRANGING)
            rig_turn(&rig, 0);
        rig_assert_value(&c, cases[i].value);
        assert_int_equal(c.call.http_status, 200);
        rig_call_done(&c);
    }
    rig_close(&rig);
}

static void others(void **state)
{
    static const struct ending cases[] = {
        { "m", 200, RIG_FAULT("1", "no"), TYPE(FAULT), EXECUTED(YES), "no" },
        { "m", 500, RIG_FAULT("1", "no"), TYPE(FAULT), EXECUTED(YES), "no" },
        { "m", 200, "", TYPE(BAD_RESPONSE), EXECUTED(UNKNOWN), "answer is empty" },
        { "void", 204, "", TYPE(PROTOCOL_ERROR), EXECUTED(UNKNOWN), "204" },
        { "m", 200, "<methodCall><methodName>m</methodName></methodCall>", TYPE(BAD_RESPONSE),
          EXECUTED(UNKNOWN), "no response" },
        { "m", 200, "<html><body>no</body></html>", TYPE(BAD_RESPONSE), EXECUTED(UNKNOWN), "" },
        { "m", 200, "<methodResponse><params>", TYPE(BAD_RESPONSE), EXECUTED(UNKNOWN), "" },
        { "m", 401, "who?", TYPE(PROTOCOL_ERROR), EXECUTED(NO), "401" },
        { "m", 404, "<html/>", TYPE(PROTOCOL_ERROR), EXECUTED(NO), "404" },
        { "m", 500, "<html/>", TYPE(PROTOCOL_ERROR), EXECUTED(UNKNOWN), "500" },
        { "m", 500, RIG_ANSWER("a"), TYPE(PROTOCOL_ERROR), EXECUTED(UNKNOWN), "500" },
    };
    (void)state;
    rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct ending *e = &cases[i];
        struct rig_call c;
        rig_call_begin(&rig, 0, &c, e->method, "[]");
        fake_answer(fake, 0, e->status, e->body);
        rig_assert_problem(&c, e->problem, e->executed);
        if (strstr(c.error.detail, e->detail) == NULL)
            fail_msg("%zu: %s", i, c.error.detail);
        assert_int_equal(c.has_fault, e->problem == PROBLEM_FAULT);
        assert_int_equal(c.protocol_status, e->problem == PROBLEM_PROTOCOL_ERROR ? e->status : 0);
        rig_call_done(&c);
    }
    rig_close(&rig);
}

static void rules_of_faults_count(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_answer(fake, 0, 200, RIG_FAULT("9", "it has gone"));
    rig_assert_problem(&c, PROBLEM_FAULT, EXECUTED_YES);
    assert_int_equal(c.error.status, 404);
    assert_int_equal(c.fault_code, 9);
    assert_true(c.call.has_fault_code);
    rig_call_done(&c);

    /* They see what has come, though a secret is in it that nobody is told. */
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_answer(fake, 0, 200, RIG_FAULT("1", "no s3cr3tss, sir"));
    rig_assert_problem(&c, PROBLEM_FAULT, EXECUTED_YES);
    assert_int_equal(c.error.status, 409);
    rig_call_done(&c);
    rig_close(&rig);
}

/* However it is cut, it is the same answer. */
static void pieces_make_no_difference(void **state)
{
    static const char body[] = RIG_ANSWER("<string>&lt;a&gt;</string>");
    (void)state;
    rig_open(&rig, SETTINGS);
    for (size_t size = 1; size < sizeof body; size += 7) {
        struct rig_call c;
        char piece[sizeof body];
        rig_call_begin(&rig, 0, &c, "m", "[]");
        fake_head(fake, 0, 200, "text/xml; charset=utf-8");
        for (size_t at = 0; at < sizeof body - 1; at += size) {
            strncpy(piece, body + at, size);
            piece[size] = '\0';
            assert_true(fake_data(fake, 0, piece));
        }
        fake_end(fake, 0,
                 &(struct upstream_result){
                     .status = UPSTREAM_OK, .reached = true, .http_status = 200 });
        rig_assert_value(&c, "\"<a>\"");
        rig_call_done(&c);
    }
    rig_close(&rig);
}

/* A page that is no XML-RPC is read on for its connection's sake, up to a bound; what is too large
 * is not. */
static void what_is_read_in_vain(void **state)
{
    static char page[1024 + 1];
    struct rig_call c;
    size_t n = 1;
    (void)state;
    rig_open(&rig, SETTINGS);
    memset(page, 'x', sizeof page - 1);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_head(fake, 0, 200, "text/html");
    assert_true(fake_data(fake, 0, "<html>"));
    while (fake_data(fake, 0, page))
        n++;
    assert_in_range(n, 64, 65);
    fake_end(fake, 0,
             &(struct upstream_result){
                 .status = UPSTREAM_STOPPED, .reached = true, .http_status = 200 });
    rig_assert_problem(&c, PROBLEM_BAD_RESPONSE, EXECUTED_UNKNOWN);
    rig_call_done(&c);

    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_head(fake, 0, 200, "text/xml");
    assert_true(fake_data(fake, 0, "<methodResponse><params><param><value>"));
    for (n = 1; fake_data(fake, 0, page); n++)
        continue;
    assert_in_range(n, 62, 64);
    fake_end(fake, 0,
             &(struct upstream_result){
                 .status = UPSTREAM_STOPPED, .reached = true, .http_status = 200 });
    rig_assert_problem(&c, PROBLEM_RESPONSE_TOO_LARGE, EXECUTED_UNKNOWN);
    assert_string_equal(c.error.setting, "limits.response");
    rig_call_done(&c);
    rig_close(&rig);
}

/* Unavailable, with when to come again; and an unknown coding that explains the rest. */
static void what_the_head_tells(void **state)
{
    const struct upstream_header header = { "Retry-After", "17" };
    struct upstream_result result = { .status = UPSTREAM_OK,
                                      .reached = true,
                                      .http_status = 503,
                                      .headers = &header,
                                      .n_headers = 1 };
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_head(fake, 0, 503, "text/plain");
    fake_end(fake, 0, &result);
    rig_assert_problem(&c, PROBLEM_PROTOCOL_ERROR, EXECUTED_UNKNOWN);
    assert_int_equal(c.error.status, 503);
    assert_int_equal(c.error.retry_after, 17);
    rig_call_done(&c);

    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_head(fake, 0, 200, "text/xml");
    assert_true(fake_data(fake, 0, "?"));
    result = (struct upstream_result){
        .status = UPSTREAM_OK, .reached = true, .http_status = 200, .strange_coding = "br"
    };
    fake_end(fake, 0, &result);
    rig_assert_problem(&c, PROBLEM_BAD_RESPONSE, EXECUTED_UNKNOWN);
    assert_non_null(strstr(c.error.detail, "Content-Encoding \"br\""));
    rig_call_done(&c);
    rig_close(&rig);
}

/* An answer to a login without the document says nothing of the call. */
static void nothing_of_the_call_has_gone_out(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    fake_head(fake, 0, 500, "text/html");
    fake_end(fake, 0, &(struct upstream_result){ .status = UPSTREAM_OK, .http_status = 500 });
    rig_assert_problem(&c, PROBLEM_PROTOCOL_ERROR, EXECUTED_NO);
    rig_call_done(&c);
    rig_close(&rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(others),
        cmocka_unit_test(rules_of_faults_count),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(what_is_read_in_vain),
        cmocka_unit_test(what_the_head_tells),
        cmocka_unit_test(nothing_of_the_call_has_gone_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
