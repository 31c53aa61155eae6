/* SPDX-License-Identifier: Apache-2.0 */
/* Which way the calls of a batch go, and what becomes of their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front_rig.h"

#define SETTINGS(of_upstream)                                                                      \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"a/*\" ];\n"         \
    "  deny = [ \"a/secret\" ]; rate = 100; burst = 8; } );\n"                                     \
    "limits = { batch = 6; };\n"                                                                   \
    "upstreams = { a = { url = \"http://a/\"; " of_upstream                                        \
    " pool = { max_connections = 2; }; }; };"

#define ARRAY(values) "<array><data>" values "</data></array>"
#define WRAPPED(value) "<value>" ARRAY("<value>" value "</value>") "</value>"
#define FAULT_OF_ONE                                                                               \
    "<value><struct><member><name>faultCode</name><value><int>7</int></value></member><member>"    \
    "<name>faultString</name><value>no</value></member></struct></value>"

#define THREE "[{\"method\":\"x\",\"params\":[1]},{\"method\":\"y\"},{\"method\":\"z\"}]"
#define RESULTS(results) "{\"results\":[" results "]}"

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

static void expect_document(size_t i, const char *part)
{
    char *document = fake_document(fake, i);
    if (strstr(document, part) == NULL)
        fail_msg("%s", document);
    free(document);
}

/* Which of those under way has it. */
static size_t call_with(const char *part)
{
    for (size_t i = 0; i < fake_n(fake); i++) {
        char *document = fake_document(fake, i);
        bool has_it = strstr(document, part) != NULL;
        free(document);
        if (has_it)
            return i;
    }
    fail_msg("no %s", part);
    return 0;
}

/* What is due is done. */
static void answer(size_t i, const char *document)
{
    fake_answer(fake, i, 200, document);
    front_rig_run(&rig);
}

/* Asks, with one call that changes nothing, and waits. */
static void begin_with_question(struct exchange *x, const char *target, const char *body)
{
    exchange_send(&rig, x, target, body);
    assert_int_equal(x->n_replies, 0);
    assert_int_equal(fake_n(fake), 1);
    expect_document(0, "<methodName>system.multicall</methodName>");
    expect_document(0, "system.listMethods");
}

static void an_upstream_that_wraps_gets_one_document(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS(""));
    begin_with_question(&x, "POST /v1/a", THREE);
    answer(0, RIG_ANSWER(ARRAY(WRAPPED(ARRAY("")))));
    assert_int_equal(fake_n(fake), 1);
    expect_document(0, "<name>methodName</name><value><string>z</string></value>");
    answer(0, RIG_ANSWER(ARRAY(WRAPPED("<int>1</int>") FAULT_OF_ONE WRAPPED("<int>3</int>"))));
    exchange_expect(&x, 200, NULL);
    assert_non_null(strstr(x.body, "{\"results\":[{\"result\":"));
    assert_non_null(strstr(x.body, "\"fault\":{\"code\":7,\"string\":\"no\"}"));
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a", "[{\"method\":\"x\"}]"); /* which is known now */
    expect_document(0, "<value><string>x</string></value>");
    answer(0, RIG_ANSWER(ARRAY(WRAPPED("<int>1</int>"))));
    exchange_expect(&x, 200, RESULTS("{\"result\":1}"));
    exchange_end(&x);
    assert_int_equal(fake->n_submitted, 3);
    front_rig_close(&rig);
}

/* No more than there are connections; the order is the batch's, whatever ends first. */
static void an_upstream_without_it_gets_calls_side_by_side(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS(""));
    begin_with_question(&x, "POST /v1/a", THREE);
    answer(0, RIG_FAULT("-32601", "no such method"));
    assert_int_equal(fake_n(fake), 2);
    answer(call_with("<methodName>y<"), RIG_ANSWER("<int>2</int>"));
    assert_int_equal(fake_n(fake), 2);
    answer(call_with("<methodName>z<"), RIG_ANSWER("<int>3</int>"));
    assert_int_equal(x.n_replies, 0);
    answer(call_with("<methodName>x<"), RIG_ANSWER("<int>1</int>"));
    exchange_expect(&x, 200, RESULTS("{\"result\": 1},{\"result\": 2},{\"result\": 3}"));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* The question was harmless: nothing of the caller's has run. */
static void a_question_without_an_answer_fails_what_is_there(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS(""));
    begin_with_question(&x, "POST /v1/a", "[{\"method\":\"x\"}]");
    fake_fail(fake, 0, UPSTREAM_LOST, true);
    rig_turn(&rig.rig, 10000); /* it may be asked again */
    if (x.n_replies == 0) {
        fake_fail(fake, 0, UPSTREAM_LOST, true);
        rig_turn(&rig.rig, 10000);
    }
    exchange_expect(&x, 200, NULL);
    assert_non_null(strstr(x.body, "connection-lost"));
    assert_non_null(strstr(x.body, "\"executed\":\"no\""));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void settings_spare_the_question(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"never\";"));
    exchange_send(&rig, &x, "POST /v1/a", "[{\"method\":\"x\"}]");
    expect_document(0, "<methodName>x</methodName>");
    answer(0, RIG_ANSWER("<int>1</int>"));
    exchange_expect(&x, 200, RESULTS("{\"result\": 1}"));
    exchange_end(&x);
    front_rig_close(&rig);

    front_rig_open(&rig, SETTINGS("multicall = \"always\"; multicall_results = \"bare\";"));
    exchange_send(&rig, &x, "POST /v1/a", "[{\"method\":\"x\"}]");
    expect_document(0, "<methodName>system.multicall</methodName>");
    answer(0, RIG_ANSWER(ARRAY("<value><int>1</int></value>")));
    exchange_expect(&x, 200, RESULTS("{\"result\":1}"));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void more_than_a_document_may_have_are_several(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"always\"; multicall_max = 2;"
                                  " multicall_results = \"wrapped\";"));
    exchange_send(&rig, &x, "POST /v1/a", THREE);
    assert_int_equal(fake_n(fake), 1);
    answer(0, RIG_ANSWER(ARRAY(WRAPPED("<int>1</int>") WRAPPED("<int>2</int>"))));
    assert_int_equal(fake_n(fake), 1);
    expect_document(0, "<value><string>z</string></value>");
    answer(0, RIG_ANSWER(ARRAY(WRAPPED("<int>3</int>"))));
    exchange_expect(&x, 200, RESULTS("{\"result\":1},{\"result\":2},{\"result\":3}"));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* Of a document that fails in the middle nothing stays in the reply. */
static void one_failure_of_a_document_is_that_of_each_call(void **state)
{
    struct exchange x;
    char *second;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"always\"; multicall_results = \"wrapped\";"));
    exchange_send(&rig, &x, "POST /v1/a", THREE);
    answer(0, RIG_ANSWER(ARRAY(WRAPPED("<int>1</int>") WRAPPED("<int>2</int>"))));
    exchange_expect(&x, 200, NULL);
    assert_null(strstr(x.body, "\"result\":"));
    second = strstr(x.body, "bad-response");
    assert_non_null(second);
    assert_non_null(strstr(second + 1, "bad-response"));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void what_is_no_call_is_not_sent(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"never\";"));
    exchange_send(&rig, &x, "POST /v1/a",
                  "[{\"method\":\"secret\"},7,{\"method\":\"x\",\"params\":[null]},"
                  "{\"method\":\"system.multicall\",\"params\":[[]]}]");
    exchange_expect(&x, 200, NULL);
    assert_int_equal(fake->n_submitted, 0);
    assert_non_null(strstr(x.body, "\"pointer\":\"/0/method\""));
    assert_non_null(strstr(x.body, "\"pointer\":\"/1\""));
    assert_non_null(strstr(x.body, "\"pointer\":\"/2/params/0\""));
    assert_non_null(strstr(x.body, "POST /v1/a instead"));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void whole_batches_are_refused(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"never\";"));
    exchange_send(&rig, &x, "POST /v1/a", "{}");
    exchange_expect_problem(&x, 400, "invalid-request");
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a", "[7,7,7,7,7,7,7]");
    exchange_expect_problem(&x, 400, "invalid-request");
    assert_non_null(strstr(x.body, "limits.batch"));
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a", "[7,7,7,7,7,7]");
    exchange_expect(&x, 200, NULL);
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /v1/a", "[7,7,7]"); /* of a burst of 8 */
    exchange_expect_problem(&x, 429, "rate-limited");
    exchange_end(&x);
    rig_turn(&rig.rig, 1000);
    exchange_send(&rig, &x, "POST /v1/a", "[]");
    exchange_expect(&x, 200, RESULTS(""));
    exchange_end(&x);
    front_rig_close(&rig);
}

static void jsonrpc_tells_it_in_its_words(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"never\";"));
    exchange_send(&rig, &x, "POST /jsonrpc/a", "[]");
    exchange_expect(&x, 200, NULL);
    assert_non_null(strstr(x.body, "\"code\":-32600"));
    assert_true(exchange_has(&x, "Content-Type: application/json"));
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /jsonrpc/a", "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"id\":1}");
    answer(0, RIG_ANSWER("<int>5</int>"));
    exchange_expect(&x, 200, "{\"jsonrpc\":\"2.0\",\"result\": 5,\"id\":1}");
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /jsonrpc/a", "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}");
    answer(0, RIG_ANSWER("<int>5</int>"));
    exchange_expect(&x, 204, "");
    exchange_end(&x);
    exchange_send(&rig, &x, "POST /jsonrpc/a",
                  "[{\"jsonrpc\":\"2.0\",\"method\":\"x\"},"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"y\",\"id\":\"b\"}]");
    answer(0, RIG_FAULT("7", "unheard"));
    answer(0, RIG_ANSWER("<int>5</int>"));
    exchange_expect(&x, 200, "[{\"jsonrpc\":\"2.0\",\"result\": 5,\"id\":\"b\"}]");
    exchange_end(&x);
    front_rig_close(&rig);
}

/* What was sent goes on to its end, nothing more is sent. */
static void a_caller_that_leaves_ends_it(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"never\";"));
    exchange_send(&rig, &x, "POST /v1/a", THREE);
    assert_int_equal(fake_n(fake), 2);
    exchange_leave(&x);
    assert_int_equal(fake_n(fake), 2);
    answer(0, RIG_ANSWER("<int>1</int>"));
    answer(0, RIG_ANSWER("<int>2</int>"));
    exchange_expect(&x, 200, NULL);
    assert_int_equal(fake->n_submitted, 2);
    exchange_end(&x);
    front_rig_close(&rig);
}

static void the_end_of_the_service_ends_it(void **state)
{
    static const char *const settings[] = { SETTINGS("multicall = \"never\";"), SETTINGS("") };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        struct exchange x;
        front_rig_open(&rig, settings[i]);
        exchange_send(&rig, &x, "POST /v1/a", THREE);
        client_cut_off(&rig.rig.workers[0].client);
        front_cut_off(&rig.front);
        exchange_expect(&x, 200, NULL);
        assert_non_null(strstr(x.body, "urn:rpcgate:problem:draining"));
        assert_null(strstr(x.body, "\"result\":"));
        assert_int_equal(fake_n(fake), 0);
        exchange_end(&x);
        front_rig_close(&rig);
    }
}

static void one_that_is_dropped_leaves_nothing(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS("multicall = \"never\";"));
    exchange_send(&rig, &x, "POST /v1/a", THREE);
    exchange_end(&x); /* before there is a reply */
    assert_int_equal(fake_n(fake), 0);
    front_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upstream_that_wraps_gets_one_document),
        cmocka_unit_test(an_upstream_without_it_gets_calls_side_by_side),
        cmocka_unit_test(a_question_without_an_answer_fails_what_is_there),
        cmocka_unit_test(settings_spare_the_question),
        cmocka_unit_test(more_than_a_document_may_have_are_several),
        cmocka_unit_test(one_failure_of_a_document_is_that_of_each_call),
        cmocka_unit_test(what_is_no_call_is_not_sent),
        cmocka_unit_test(whole_batches_are_refused),
        cmocka_unit_test(jsonrpc_tells_it_in_its_words),
        cmocka_unit_test(a_caller_that_leaves_ends_it),
        cmocka_unit_test(the_end_of_the_service_ends_it),
        cmocka_unit_test(one_that_is_dropped_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
