/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that go out together: which ones do, and that each has its own end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macros.h"
#include "client/multicall.h"
#include "rules/verdict.h"
#include "work/metrics.h"

#define UPSTREAM(settings)                                                                         \
    "upstreams = { u = { url = \"http://u/\"; timeouts = { total = \"10s\"; };"                    \
    "methods = ( { match = \"slow\"; safe = true; timeout = \"20s\"; },"                           \
    "  { match = \"unsafe\"; }, { match = \"*\"; safe = true; } );" settings "}; };"
#define KNOWN "multicall = \"always\"; multicall_results = \"wrapped\";"
#define PLAIN UPSTREAM(KNOWN "join = { };")

#define RESULTS(items) RIG_ANSWER("<array><data>" items "</data></array>")
#define ITEM(value) "<value><array><data><value>" value "</value></data></array></value>"
#define BARE_ITEM(value) "<value>" value "</value>"
#define FAULT_ITEM(code, text)                                                                     \
    "<value><struct><member><name>faultCode</name><value>" code                                    \
    "</value></member><member><name>faultString</name><value>" text                                \
    "</value></member></struct></value>"

static struct rig rig;
static struct fake *const fake = &rig.workers[0].fake;
static struct rig_call calls[8];

/* Those of one letter each, with the param 1, all in one turn. */
static void begin_calls(const char *methods)
{
    static const char *const names[] = { "a", "b", "c", "d", "e" };
    for (size_t i = 0; methods[i] != '\0'; i++)
        rig_call_begin(&rig, 0, &calls[i], names[methods[i] - 'a'], "[1]");
}

/* What goes alone is written in steps. */
static void settle(void)
{
    for (int i = 0; i < 4; i++)
        rig_turn(&rig, 0);
}

/* So, and they are sent. */
static void send_calls(const char *settings, const char *methods)
{
    rig_open(&rig, settings);
    begin_calls(methods);
    settle();
}

/* The first exchange has that answer. */
static void answer(const char *text)
{
    fake_answer(fake, 0, 200, text);
    settle();
}

static void end_calls(size_t n)
{
    for (size_t i = 0; i < n; i++)
        rig_call_done(&calls[i]);
    rig_close(&rig);
}

static void assert_sent(size_t exchange, const char *part)
{
    char *document = fake_document(fake, exchange);
    if (strstr(document, part) == NULL)
        fail_msg("no %s in %s", part, document);
    free(document);
}

static void assert_not_sent(size_t exchange, const char *part)
{
    char *document = fake_document(fake, exchange);
    if (strstr(document, part) != NULL)
        fail_msg("%s is in %s", part, document);
    free(document);
}

static size_t n_joined(void)
{
    return (size_t)atomic_load(&rig.states[0]->joined_calls);
}

static void each_has_its_own_answer(void **state)
{
    (void)state;
    send_calls(PLAIN, "abc");
    assert_int_equal(fake_n(fake), 1);
    assert_sent(0, "<methodName>system.multicall</methodName>");
    assert_sent(0, "<string>a</string>");
    assert_sent(0, "<string>c</string>");
    assert_int_equal(slots_out(&rig.states[0]->slots), 1);
    assert_int_equal(client_calls_in(&rig.commons, CALL_JOINED).n, 3);
    answer(RESULTS(ITEM("<int>7</int>") ITEM("x") ITEM("<nil/>")));
    rig_assert_value(&calls[0], "7");
    rig_assert_value(&calls[1], "\"x\"");
    rig_assert_value(&calls[2], "null");
    assert_int_equal(calls[1].call.attempts, 1);
    assert_int_equal(calls[1].call.http_status, 200);
    assert_int_equal(slots_out(&rig.states[0]->slots), 0);
    assert_int_equal(n_joined(), 3);
    assert_int_equal(atomic_load(&rig.states[0]->joins), 1);
    end_calls(3);
}

static void one_goes_alone(void **state)
{
    (void)state;
    send_calls(PLAIN, "a");
    assert_sent(0, "<methodName>a</methodName>");
    answer(RIG_ANSWER("<int>7</int>"));
    rig_assert_value(&calls[0], "7");
    assert_int_equal(n_joined(), 0);
    end_calls(1);
}

static void without_join_none_are(void **state)
{
    (void)state;
    send_calls(UPSTREAM(KNOWN), "ab");
    assert_int_equal(fake_n(fake), 2);
    assert_sent(0, "<methodName>a</methodName>");
    for (size_t i = 0; i < 2; i++)
        answer(RIG_ANSWER("a"));
    end_calls(2);
}

/* Beside one that would be joined: what is not safe, what tells of its caller, what is long. */
static void some_are_not_joined(void **state)
{
    char *longer = xcalloc(1, 8192);
    (void)state;
    memset(longer, ' ', 8000);
    memcpy(longer, "[1]", 3);
    rig_open(&rig, PLAIN);
    rig_call_begin(&rig, 0, &calls[0], "a", "[1]");
    rig_call_begin(&rig, 0, &calls[1], "unsafe", "[1]");
    rig_call_init(&rig, 0, &calls[2], "b", "[1]");
    calls[2].call.origin.traceparent =
        STR("00-11111111111111111111111111111111-1111111111111111-01");
    rig_call_start(&calls[2]);
    rig_call_begin(&rig, 0, &calls[3], "c", longer);
    settle();
    assert_int_equal(fake_n(fake), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_not_sent(0, "multicall");
        answer(RIG_ANSWER("a"));
    }
    for (size_t i = 0; i < 4; i++)
        rig_assert_value(&calls[i], "\"a\"");
    end_calls(4);
    free(longer);
}

static void as_many_as_may(void **state)
{
    (void)state;
    send_calls(UPSTREAM(KNOWN "join = { max = 2; };"), "abcde");
    assert_int_equal(fake_n(fake), 3);
    assert_sent(0, "<string>b</string>");
    assert_sent(1, "<string>d</string>");
    assert_sent(2, "<methodName>e</methodName>");
    fake_answer(fake, 1, 200, RESULTS(ITEM("3") ITEM("4")));
    answer(RESULTS(ITEM("1") ITEM("2")));
    answer(RIG_ANSWER("5"));
    for (size_t i = 0; i < 5; i++) {
        char expected[] = { '"', (char)('1' + i), '"', '\0' };
        rig_assert_value(&calls[i], expected);
    }
    end_calls(5);
}

static void they_wait_for_others(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { max = 3; wait = \"20ms\"; };"));
    begin_calls("a");
    settle();
    assert_int_equal(fake_n(fake), 0);
    rig_turn(&rig, 19);
    rig_call_begin(&rig, 0, &calls[1], "b", "[1]");
    settle();
    assert_int_equal(fake_n(fake), 0);
    rig_turn(&rig, 1);
    assert_int_equal(fake_n(fake), 1);
    answer(RESULTS(ITEM("1") ITEM("2")));
    rig_assert_value(&calls[1], "\"2\"");
    end_calls(2);
}

static void the_last_ends_the_wait(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { max = 2; wait = \"1s\"; };"));
    begin_calls("abc");
    settle();
    settle();
    assert_int_equal(fake_n(fake), 2);
    answer(RESULTS(ITEM("1") ITEM("2")));
    answer(RIG_ANSWER("3"));
    rig_assert_value(&calls[2], "\"3\"");
    end_calls(3);
}

/* ---- Faults --------------------------------------------------------------------------------- */

static void a_fault_is_its_own(void **state)
{
    (void)state;
    send_calls(PLAIN, "abcd");
    fake_answer(fake, 0, 200,
                RESULTS(ITEM("1") FAULT_ITEM("<int>-32601</int>", "no b") ITEM("3")
                            FAULT_ITEM("gone", "none")));
    rig_assert_value(&calls[0], "\"1\"");
    rig_assert_problem(&calls[1], PROBLEM_FAULT, EXECUTED_NO);
    assert_int_equal(calls[1].fault_code, -32601);
    assert_int_equal(calls[1].call.fault_code, -32601);
    assert_int_equal(calls[1].error.status, 404);
    rig_assert_value(&calls[2], "\"3\"");
    assert_false(calls[2].call.has_fault_code);
    rig_assert_problem(&calls[3], PROBLEM_FAULT, EXECUTED_YES);
    end_calls(4);
}

static char *fault_code_text, *fault_text;

static void note_fault(struct call *c, const struct verdict *verdict)
{
    struct rig_call *rc = c->user;
    rc->n_ended++;
    fault_code_text = xmemdup0(verdict->fault->code_text.data, verdict->fault->code_text.len);
    fault_text = xmemdup0(verdict->fault->string.data, verdict->fault->string.len);
}

static void its_texts_are_kept(void **state)
{
    static const struct call_owner owner = { .ended = note_fault };
    (void)state;
    rig_open(&rig, PLAIN);
    begin_calls("a");
    rig_call_init(&rig, 0, &calls[1], "b", "[1]");
    calls[1].call.owner = &owner;
    rig_call_start(&calls[1]);
    settle();
    answer(RESULTS(ITEM("1") FAULT_ITEM("E.gone", "it is gone")));
    assert_string_equal(fault_code_text, "E.gone");
    assert_string_equal(fault_text, "it is gone");
    free(fault_code_text);
    free(fault_text);
    end_calls(2);
}

/* One for all is nobody's: each asks by itself, and what would be no use again is left for a
 * while. */
static void a_fault_of_all_is_nobodys(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    answer(RIG_FAULT("1", "one of them"));
    settle();
    assert_int_equal(fake_n(fake), 2);
    assert_sent(0, "<methodName>a</methodName>");
    assert_sent(1, "<methodName>b</methodName>");
    fake_answer(fake, 1, 200, RIG_FAULT("1", "b"));
    answer(RIG_ANSWER("1"));
    rig_assert_value(&calls[0], "\"1\"");
    assert_int_equal(calls[0].call.attempts, 2);
    rig_assert_problem(&calls[1], PROBLEM_FAULT, EXECUTED_YES);
    end_calls(2);
}

static void it_is_left_alone_then(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    answer(RIG_ANSWER("no array"));
    for (size_t i = 0; i < 2; i++)
        answer(RIG_ANSWER("1"));
    rig_call_done(&calls[0]);
    rig_call_done(&calls[1]);
    begin_calls("ab");
    settle();
    assert_int_equal(fake_n(fake), 2);
    for (size_t i = 0; i < 2; i++)
        answer(RIG_ANSWER("1"));
    rig_call_done(&calls[0]);
    rig_call_done(&calls[1]);
    rig_turn(&rig, 30000);
    begin_calls("ab");
    settle();
    assert_int_equal(fake_n(fake), 1);
    answer(RESULTS(ITEM("1") ITEM("2")));
    end_calls(2);
}

/* Who may not try again gets what there is. */
static void nobody_tries_again_who_may_not(void **state)
{
    (void)state;
    send_calls(UPSTREAM(KNOWN "join = { }; retry = { attempts = 1; };"), "ab");
    answer(RIG_FAULT("-32601", "no system.multicall"));
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_FAULT, EXECUTED_UNKNOWN);
    assert_int_equal(fake_n(fake), 0);
    end_calls(2);
}

static void answers_that_cannot_be_told_apart(void **state)
{
    static const char *const answers[] = {
        RESULTS(ITEM("1")),
        RESULTS(ITEM("1") ITEM("2") ITEM("3")),
        RESULTS(ITEM("1") ITEM("<int>x</int>")),
        RIG_ANSWER("1"),
        "<html>",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        send_calls(PLAIN, "ab");
        answer(answers[i]);
        assert_int_equal(fake_n(fake), 2);
        fake_answer(fake, 1, 200, RIG_ANSWER("b"));
        answer(RIG_ANSWER("a"));
        rig_assert_value(&calls[0], "\"a\"");
        rig_assert_value(&calls[1], "\"b\"");
        end_calls(2);
    }
}

static void a_status_is_for_all(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    fake_answer(fake, 0, 503, "busy");
    for (size_t i = 0; i < 2; i++) {
        rig_assert_problem(&calls[i], PROBLEM_PROTOCOL_ERROR, EXECUTED_UNKNOWN);
        assert_int_equal(calls[i].protocol_status, 503);
    }
    end_calls(2);
}

/* ---- Attempts ------------------------------------------------------------------------------- */

static void all_are_tried_again(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    assert_int_equal(fake_n(fake), 0);
    rig_turn(&rig, 100);
    assert_int_equal(fake_n(fake), 1);
    answer(RESULTS(ITEM("1") ITEM("2")));
    rig_assert_value(&calls[1], "\"2\"");
    assert_int_equal(calls[1].call.attempts, 2);
    assert_int_equal(atomic_load(&rig.records[0]->by_worker[0].retries), 2);
    end_calls(2);
}

/* What came of an answer that was cut off is no matter. */
static void half_an_answer_is_none(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    fake_head(fake, 0, 200, "text/xml");
    assert_true(
        fake_data(fake, 0, "<methodResponse><params><param><value><array><data>" ITEM("1")));
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    rig_turn(&rig, 100);
    answer(RESULTS(FAULT_ITEM("<int>4</int>", "no") ITEM("2")));
    rig_assert_problem(&calls[0], PROBLEM_FAULT, EXECUTED_YES);
    rig_assert_value(&calls[1], "\"2\"");
    end_calls(2);
}

static void all_fail_together(void **state)
{
    (void)state;
    send_calls(UPSTREAM(KNOWN "join = { }; retry = { attempts = 1; };"), "ab");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_CONNECTION_LOST, EXECUTED_UNKNOWN);
    end_calls(2);
}

static void no_slot_for_any(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { }; pool = { max_connections = 1; max_queue = 0; };"));
    rig_call_begin(&rig, 0, &calls[2], "unsafe", "[1]");
    begin_calls("ab");
    settle();
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_OVERLOADED, EXECUTED_NO);
    answer(RIG_ANSWER("1"));
    end_calls(3);
}

/* ---- Each by itself ------------------------------------------------------------------------- */

static void each_has_its_own_time(void **state)
{
    (void)state;
    rig_open(&rig, PLAIN);
    begin_calls("a");
    rig_call_init(&rig, 0, &calls[1], "b", "[1]");
    calls[1].call.is_short = true;
    calls[1].call.limit_ms = 500;
    calls[1].call.deadline_ms = clock_now_ms() + 500;
    rig_call_start(&calls[1]);
    rig_call_begin(&rig, 0, &calls[2], "slow", "[1]");
    settle();
    assert_int_equal(fake_call(fake, 0)->deadline_ms, calls[2].call.deadline_ms);
    rig_turn(&rig, 500);
    rig_assert_problem(&calls[1], PROBLEM_TIMEOUT, EXECUTED_UNKNOWN);
    assert_non_null(strstr(calls[1].error.detail, "X-Rpcgate-Timeout"));
    assert_int_equal(calls[0].n_ended, 0);
    rig_turn(&rig, 9500);
    rig_assert_problem(&calls[0], PROBLEM_TIMEOUT, EXECUTED_UNKNOWN);
    assert_string_equal(calls[0].error.setting, "timeouts.total");
    answer(RESULTS(ITEM("1") ITEM("2") ITEM("3")));
    rig_assert_value(&calls[2], "\"3\"");
    end_calls(3);
}

static void who_waited_in_vain_was_not_sent(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { }; pool = { max_connections = 1; };"));
    rig_call_begin(&rig, 0, &calls[2], "unsafe", "[1]");
    begin_calls("a");
    rig_call_init(&rig, 0, &calls[1], "b", "[1]");
    calls[1].call.deadline_ms = clock_now_ms() + 500;
    rig_call_start(&calls[1]);
    settle();
    rig_turn(&rig, 500);
    rig_assert_problem(&calls[1], PROBLEM_OVERLOADED, EXECUTED_NO);
    answer(RIG_ANSWER("u"));
    answer(RESULTS(ITEM("1") ITEM("2")));
    rig_assert_value(&calls[0], "\"1\"");
    end_calls(3);
}

static void who_leaves_ends_with_the_others(void **state)
{
    (void)state;
    send_calls(PLAIN, "abc");
    call_abandon(&calls[0].call);
    settle();
    assert_int_equal(calls[0].n_ended, 0);
    rig_call_done(&calls[1]);
    answer(RESULTS(ITEM("1") ITEM("2") ITEM("3")));
    assert_int_equal(calls[0].n_ended, 1);
    assert_int_equal(calls[1].n_ended, 0);
    rig_assert_value(&calls[2], "\"3\"");
    chain_init(&calls[1].reply, SIZE_MAX, NULL);
    end_calls(3);
}

/* What was sent goes on to its end, what was not is not sent. */
static void all_may_leave(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    for (size_t i = 0; i < 2; i++)
        call_drop(&calls[i].call);
    assert_int_equal(fake_n(fake), 1);
    answer(RESULTS(ITEM("1") ITEM("2")));
    assert_int_equal(calls[0].n_ended, 0);
    end_calls(2);

    rig_open(&rig, PLAIN);
    begin_calls("ab");
    for (size_t i = 0; i < 2; i++)
        call_abandon(&calls[i].call);
    settle();
    settle();
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_REQUEST_TIMEOUT, EXECUTED_NO);
    assert_int_equal(fake_n(fake), 0);
    end_calls(2);
}

/* Their document is so long that it is written in steps: the sixth has been begun. */
static void begin_long_calls(char *params[8])
{
    rig_open(&rig, PLAIN);
    for (size_t i = 0; i < 8; i++) {
        params[i] = xcalloc(1, 4096);
        memset(params[i], ' ', 4095);
        params[i][0] = '[';
        for (size_t at = 1; at < 4000; at += 2)
            memcpy(params[i] + at, "1,", 2);
        snprintf(params[i] + 4001, 16, "\"call %zu\"]", i);
        rig_call_begin(&rig, 0, &calls[i], "a", params[i]);
    }
    rig_turn(&rig, 0);
    assert_int_equal(client_calls_in(&rig.commons, CALL_TRANSLATING).n, 1);
    assert_int_equal(fake_n(fake), 0);
}

static void drop_long_call(char *params[8], size_t i)
{
    call_drop(&calls[i].call);
    free(TAKE(params[i]));
}

/* With its text, even while that is written. */
static void who_is_written_may_leave(void **state)
{
    char *params[8];
    (void)state;
    begin_long_calls(params);
    drop_long_call(params, 5);
    settle();
    assert_int_equal(fake_n(fake), 1);
    assert_sent(0, "call 4");
    assert_not_sent(0, "call 5");
    assert_sent(0, "call 6");
    answer(RESULTS(ITEM("0") ITEM("1") ITEM("2") ITEM("3") ITEM("4") ITEM("6") ITEM("7")));
    rig_assert_value(&calls[4], "\"4\"");
    rig_assert_value(&calls[6], "\"6\"");
    assert_int_equal(n_joined(), 7);
    end_calls(8);
    for (size_t i = 0; i < 8; i++)
        free(params[i]);

    begin_long_calls(params);
    for (size_t i = 0; i < 8; i++)
        drop_long_call(params, 7 - i);
    settle();
    assert_int_equal(fake_n(fake), 0);
    end_calls(8);
}

static void they_are_cut_off(void **state)
{
    (void)state;
    send_calls(PLAIN, "ab");
    rig_call_begin(&rig, 0, &calls[2], "c", "[1]");
    client_cut_off(&rig.workers[0].client);
    rig_assert_problem(&calls[0], PROBLEM_DRAINING, EXECUTED_UNKNOWN);
    rig_assert_problem(&calls[2], PROBLEM_DRAINING, EXECUTED_NO);
    assert_int_equal(fake_n(fake), 0);
    end_calls(3);
}

static void bad_params_are_ones_own(void **state)
{
    (void)state;
    rig_open(&rig, PLAIN);
    begin_calls("a");
    rig_call_begin(&rig, 0, &calls[1], "b", "[1,");
    rig_call_begin(&rig, 0, &calls[2], "c", "[null]");
    rig_call_init(&rig, 0, &calls[3], "d", "[4]");
    calls[3].refuses = true;
    rig_call_start(&calls[3]);
    rig_call_begin(&rig, 0, &calls[4], "e", "[5]");
    settle();
    rig_assert_problem(&calls[1], PROBLEM_INVALID_JSON, EXECUTED_NO);
    rig_assert_problem(&calls[2], PROBLEM_UNREPRESENTABLE, EXECUTED_NO);
    assert_string_equal(calls[2].error.pointer, "/0");
    rig_assert_problem(&calls[3], PROBLEM_FORBIDDEN, EXECUTED_NO);
    assert_not_sent(0, "<int>4</int>");
    answer(RESULTS(ITEM("1") ITEM("5")));
    rig_assert_value(&calls[0], "\"1\"");
    rig_assert_value(&calls[4], "\"5\"");
    assert_int_equal(n_joined(), 2);
    end_calls(5);
}

static void none_is_left(void **state)
{
    (void)state;
    rig_open(&rig, PLAIN);
    for (size_t i = 0; i < 2; i++)
        rig_call_begin(&rig, 0, &calls[i], "b", "[1,");
    settle();
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_INVALID_JSON, EXECUTED_NO);
    assert_int_equal(fake_n(fake), 0);
    end_calls(2);
}

/* Each is written and read as its caller has chosen. */
static void forms_are_ones_own(void **state)
{
    static const struct query tagged = {
        .has_types = true, .types = TYPES_TAGGED, .has_integers = true, .integers = INTEGERS_STRING
    };
    (void)state;
    rig_open(&rig, PLAIN);
    for (size_t i = 0; i < 4; i++) {
        rig_call_init(&rig, 0, &calls[i], "a", "[1]");
        if (i % 2 == 1)
            calls[i].call.query = &tagged;
        rig_call_start(&calls[i]);
    }
    settle();
    assert_int_equal(fake_n(fake), 1);
    fake_answer(fake, 0, 200,
                RESULTS(ITEM("<i8>5</i8>") ITEM("<i8>5</i8>") ITEM("<base64>YQ==</base64>")
                            ITEM("<base64>YQ==</base64>")));
    rig_assert_value(&calls[0], "5");
    rig_assert_value(&calls[1], "{\"$i8\":\"5\"}");
    rig_assert_value(&calls[2], "\"YQ==\"");
    rig_assert_value(&calls[3], "{\"$base64\":\"YQ==\"}");
    end_calls(4);
}

/* A name that comes twice is put right when the answer is whole. */
static void answers_are_arranged(void **state)
{
#define TWICE                                                                                      \
    "<struct><member><name>k</name><value>1</value></member><member><name>k</name>"                \
    "<value>22</value></member></struct>"
    (void)state;
    send_calls(PLAIN, "abc");
    answer(RESULTS(ITEM(TWICE) FAULT_ITEM("<int>4</int>", "no") ITEM(TWICE)));
    settle();
    rig_assert_value(&calls[0], "{\"k\":\"22\"}");
    rig_assert_problem(&calls[1], PROBLEM_FAULT, EXECUTED_YES);
    rig_assert_value(&calls[2], "{\"k\":\"22\"}");
    end_calls(3);
}

/* How often text was repaired is told for each call. */
static void repairs_are_ones_own(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { }; text = \"replace\";"));
    begin_calls("a");
    rig_call_begin(&rig, 0, &calls[1], "b", "[\"x\\u0001\\u0002\"]");
    settle();
    answer(RESULTS(ITEM("1") ITEM("2")));
    assert_int_equal(calls[0].call.repaired, 0);
    assert_int_equal(calls[1].call.repaired, 2);
    end_calls(2);

    send_calls(UPSTREAM(KNOWN "join = { }; text = \"replace\";"), "ab");
    answer(RESULTS(ITEM("1") ITEM("2\x01")));
    assert_int_equal(fake_n(fake), 2);
    answer(RIG_ANSWER("1"));
    answer(RIG_ANSWER("2\x01"));
    assert_int_equal(calls[0].call.repaired, 0);
    assert_int_equal(calls[1].call.repaired, 1);
    end_calls(2);
}

/* Those of its params once, however often it is written. */
static void repairs_are_counted_once(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { }; text = \"replace\";"));
    begin_calls("a");
    rig_call_begin(&rig, 0, &calls[1], "b", "[\"x\\u0001\\u0002\"]");
    settle();
    answer(RIG_FAULT("1", "one of them"));
    for (size_t i = 0; i < 2; i++)
        answer(RIG_ANSWER("1"));
    rig_assert_value(&calls[1], "\"1\"");
    assert_int_equal(calls[0].call.repaired, 0);
    assert_int_equal(calls[1].call.repaired, 2);
    end_calls(2);
}

/* Long ones take several turns, in which some may leave. */
static void long_answers_take_turns(void **state)
{
    const size_t len = (size_t)600 * 1024;
    char *text = xcalloc(1, 2 * len + 4096), *value = xcalloc(1, len + 1);
    (void)state;
    memset(value, 'v', len);
    sprintf(text, RIG_ANSWER("<array><data>" ITEM("%s") ITEM("%s") ITEM("3") "</data></array>"),
            value, value);
    send_calls(PLAIN, "abc");
    fake_answer(fake, 0, 200, text);
    assert_int_equal(calls[0].n_ended, 0);
    call_drop(&calls[1].call);
    settle();
    assert_int_equal(calls[0].n_ended, 1);
    assert_int_equal(strlen(calls[0].text), len + 2);
    assert_int_equal(calls[1].n_ended, 0);
    rig_assert_value(&calls[2], "\"3\"");
    end_calls(3);

    send_calls(PLAIN, "ab");
    sprintf(text, RIG_ANSWER("<array><data>" ITEM("%s") ITEM("3") "</data></array>"), value);
    fake_answer(fake, 0, 200, text);
    call_drop(&calls[0].call);
    call_drop(&calls[1].call);
    end_calls(2);
    free(text);
    free(value);
}

static void results_are_looked_into(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM(KNOWN "join = { }; envelope = ( { match = \"a\"; "
                                  "good = { at = \"/0\"; is = true; }; value = \"/1\"; "
                                  "code = \"/1\"; } );"));
    struct json_path path;
    char *memory = xcalloc(1, json_path_size(STR("/0")) + 1);
    assert_true(json_path_read(STR("/0"), memory, &path));
    const struct decode_watch watch = { &path, 1 };
    begin_calls("aa");
    for (size_t i = 2; i < 4; i++) {
        rig_call_init(&rig, 0, &calls[i], "b", "[1]");
        calls[i].call.part = (struct verdict_part){ &watch, "/0", 404 };
        rig_call_start(&calls[i]);
    }
    settle();
#define PAIR(a, b) "<array><data><value>" a "</value><value>" b "</value></data></array>"
    fake_answer(fake, 0, 200,
                RESULTS(ITEM(PAIR("<boolean>1</boolean>", "well"))
                            ITEM(PAIR("<boolean>0</boolean>", "<int>9</int>"))
                                ITEM(PAIR("first", "second")) ITEM("<array><data/></array>")));
    rig_assert_value(&calls[0], "\"well\"");
    rig_assert_problem(&calls[1], PROBLEM_FAULT, EXECUTED_YES);
    assert_int_equal(calls[1].fault_code, 9);
    rig_assert_value(&calls[2], "\"first\"");
    rig_assert_problem(&calls[3], PROBLEM_NOT_FOUND, EXECUTED_YES);
    assert_int_equal(calls[3].error.status, 404);
    end_calls(4);
    free(memory);
}

/* ---- Has it a system.multicall? ------------------------------------------------------------- */

static void it_is_asked_first(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM("join = { };"));
    begin_calls("ab");
    settle();
    assert_int_equal(fake_n(fake), 3);
    assert_sent(0, "system.listMethods");
    answer(RESULTS(BARE_ITEM("<array><data><value>a</value></data></array>")));
    for (size_t i = 0; i < 2; i++)
        answer(RIG_ANSWER("1"));
    rig_call_done(&calls[0]);
    rig_call_done(&calls[1]);
    begin_calls("ab");
    settle();
    assert_int_equal(fake_n(fake), 1);
    answer(RESULTS(BARE_ITEM("1") BARE_ITEM("2")));
    rig_assert_value(&calls[1], "\"2\"");
    end_calls(2);
}

static void where_it_has_none_each_goes_alone(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM("join = { };"));
    begin_calls("a");
    answer(RIG_FAULT("-32601", "no"));
    settle();
    answer(RIG_ANSWER("1"));
    rig_call_done(&calls[0]);
    rig_turn(&rig, 60000);
    begin_calls("ab");
    settle();
    assert_int_equal(fake_n(fake), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_not_sent(0, "multicall");
        answer(RIG_ANSWER("1"));
    }
    end_calls(2);
}

static void who_does_not_tell_is_asked_again_later(void **state)
{
    (void)state;
    rig_open(&rig, UPSTREAM("join = { }; retry = { attempts = 1; };"));
    begin_calls("a");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    answer(RIG_ANSWER("1"));
    rig_call_done(&calls[0]);
    for (int later = 0; later < 2; later++) {
        rig_turn(&rig, later * 30000);
        begin_calls("a");
        settle();
        assert_int_equal(fake_n(fake), 1 + later);
        if (later)
            answer(RIG_FAULT("1", "no"));
        answer(RIG_ANSWER("1"));
        rig_call_done(&calls[0]);
    }
    rig_close(&rig);
}

/* ---- Sessions ------------------------------------------------------------------------------- */

#define SESSION                                                                                    \
    UPSTREAM(KNOWN "join = { }; credentials = { password = \"s3cret-pw\"; };"                      \
                   "inject = ( { match = \"e\"; }, { match = \"d\"; headers = [ \"X-D: 1\" ]; },"  \
                   "  { params = [ \"{session}\" ]; } );"                                          \
                   "faults = ( { code = -1; session_expired = true; } );"                          \
                   "session = { login = { method = \"login\"; params = [ \"{password}\" ]; };"     \
                   "  settle = \"0s\"; };")

static void log_in(const char *key)
{
    char text[512];
    settle();
    assert_sent(fake_n(fake) - 1, "<methodName>login</methodName>");
    snprintf(text, sizeof text, RIG_ANSWER("%s"), key);
    fake_answer(fake, fake_n(fake) - 1, 200, text);
    settle();
}

/* Who needs no session does not wait for one, and other header lines are another request. */
static void what_is_added_divides(void **state)
{
    (void)state;
    rig_open(&rig, SESSION);
    begin_calls("abeedd");
    settle();
    assert_int_equal(fake_n(fake), 3); /* e and e, d and d, and the login */
    answer(RESULTS(ITEM("1") ITEM("2")));
    rig_assert_value(&calls[2], "\"1\"");
    assert_not_sent(0, "k1");
    assert_int_equal(fake_call(fake, 0)->added->n_lines, 1);
    answer(RESULTS(ITEM("5") ITEM("6")));
    rig_assert_value(&calls[5], "\"6\"");
    log_in("k1");
    assert_int_equal(fake_n(fake), 1);
    assert_sent(0, "<string>k1</string></value><value><int>1</int>");
    answer(RESULTS(ITEM("1") ITEM("2")));
    rig_assert_value(&calls[1], "\"2\"");
    end_calls(6);
}

/* Those that were refused are sent again, once, and the others are not. */
static void only_the_refused_are_sent_again(void **state)
{
    (void)state;
    rig_open(&rig, SESSION);
    begin_calls("abc");
    settle();
    log_in("k1");
    rig_turn(&rig, 1000);
    fake_answer(fake, 0, 200,
                RESULTS(FAULT_ITEM("<int>-1</int>", "expired") ITEM("2")
                            FAULT_ITEM("<int>-1</int>", "expired")));
    rig_assert_value(&calls[1], "\"2\"");
    assert_int_equal(calls[0].n_ended, 0);
    log_in("k2");
    assert_int_equal(fake_n(fake), 1);
    assert_sent(0, "k2");
    assert_not_sent(0, "<string>b</string>");
    rig_turn(&rig, 1000);
    answer(RESULTS(ITEM("1") FAULT_ITEM("<int>-1</int>", "expired")));
    rig_assert_value(&calls[0], "\"1\"");
    rig_assert_problem(&calls[2], PROBLEM_FAULT, EXECUTED_NO);
    assert_int_equal(fake_n(fake), 0);
    end_calls(3);
}

static void all_may_be_refused(void **state)
{
    (void)state;
    rig_open(&rig, SESSION);
    begin_calls("ab");
    settle();
    log_in("k1");
    rig_turn(&rig, 1000);
    answer(RIG_FAULT("-1", "expired"));
    log_in("k2");
    assert_int_equal(fake_n(fake), 1);
    answer(RESULTS(ITEM("1") ITEM("2")));
    rig_assert_value(&calls[0], "\"1\"");
    rig_assert_value(&calls[1], "\"2\"");
    end_calls(2);
}

static void a_refused_login_is_for_all(void **state)
{
    (void)state;
    rig_open(&rig, SESSION);
    begin_calls("ab");
    settle();
    answer(RIG_FAULT("5", "no such user"));
    settle();
    for (size_t i = 0; i < 2; i++)
        rig_assert_problem(&calls[i], PROBLEM_LOGIN_FAILED, EXECUTED_NO);
    end_calls(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_own_answer),
        cmocka_unit_test(one_goes_alone),
        cmocka_unit_test(without_join_none_are),
        cmocka_unit_test(some_are_not_joined),
        cmocka_unit_test(as_many_as_may),
        cmocka_unit_test(they_wait_for_others),
        cmocka_unit_test(the_last_ends_the_wait),
        cmocka_unit_test(a_fault_is_its_own),
        cmocka_unit_test(its_texts_are_kept),
        cmocka_unit_test(a_fault_of_all_is_nobodys),
        cmocka_unit_test(it_is_left_alone_then),
        cmocka_unit_test(nobody_tries_again_who_may_not),
        cmocka_unit_test(answers_that_cannot_be_told_apart),
        cmocka_unit_test(a_status_is_for_all),
        cmocka_unit_test(all_are_tried_again),
        cmocka_unit_test(half_an_answer_is_none),
        cmocka_unit_test(all_fail_together),
        cmocka_unit_test(no_slot_for_any),
        cmocka_unit_test(each_has_its_own_time),
        cmocka_unit_test(who_waited_in_vain_was_not_sent),
        cmocka_unit_test(who_leaves_ends_with_the_others),
        cmocka_unit_test(all_may_leave),
        cmocka_unit_test(who_is_written_may_leave),
        cmocka_unit_test(they_are_cut_off),
        cmocka_unit_test(bad_params_are_ones_own),
        cmocka_unit_test(none_is_left),
        cmocka_unit_test(forms_are_ones_own),
        cmocka_unit_test(answers_are_arranged),
        cmocka_unit_test(repairs_are_ones_own),
        cmocka_unit_test(repairs_are_counted_once),
        cmocka_unit_test(long_answers_take_turns),
        cmocka_unit_test(results_are_looked_into),
        cmocka_unit_test(it_is_asked_first),
        cmocka_unit_test(where_it_has_none_each_goes_alone),
        cmocka_unit_test(who_does_not_tell_is_asked_again_later),
        cmocka_unit_test(what_is_added_divides),
        cmocka_unit_test(only_the_refused_are_sent_again),
        cmocka_unit_test(all_may_be_refused),
        cmocka_unit_test(a_refused_login_is_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
