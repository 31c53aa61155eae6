/* SPDX-License-Identifier: Apache-2.0 */
/* Long documents of callers that speak XML-RPC: read and written in steps, in which their callers
 * may leave, memory may run out, and the daemon may end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "front/xmlrpc.h"
#include "xmlrpc_rig.h"

#define SETTINGS                                                                                   \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"*/*\" ]; } );\n"    \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\"; retry = { attempts = 1; };\n" \
    "  pool = { queue_timeout = \"3s\"; }; }; };\n"

/* Of a text in a document: some steps. [bytes] */
#define LONG_TEXT ((size_t)5 * XMLRPC_STEP)

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;
static struct buf request_text, response_text;

static void write_long(struct buf *to, const char *before, const char *behind)
{
    buf_init(to, SIZE_MAX - 1, NULL);
    buf_append_c(to, before);
    for (size_t i = 0; i < LONG_TEXT; i++)
        buf_append_byte(to, 'x');
    buf_append_c(to, behind);
}

static int set_up(void **state)
{
    (void)state;
    front_rig_open(&rig, SETTINGS);
    write_long(&request_text,
               "<methodCall><methodName>m</methodName><params><param><value><string>",
               "</string></value></param></params></methodCall>");
    write_long(&response_text, "<methodResponse><params><param><value><string>",
               "</string></value></param></params></methodResponse>");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&request_text);
    buf_done(&response_text);
    front_rig_close(&rig);
    return 0;
}

static bool has_turns(void)
{
    return !list_empty(&rig.rig.workers[0].work.turns);
}

static size_t take_all_memory(void)
{
    struct budget *all = &rig.rig.commons.memory;
    size_t left = atomic_load(&all->max) - atomic_load(&all->used);
    assert_true(budget_take(all, left));
    return left;
}

static void give_memory(size_t bytes)
{
    budget_give(&rig.rig.commons.memory, bytes);
    rig_turn(&rig.rig, 0);
    front_rig_run(&rig);
}

/* A request whose document is being read. */
static void begin_reading(struct xmlrpc_exchange *e)
{
    xmlrpc_begin(&rig, e, "POST /xmlrpc/a", "");
    assert_true(request_handler.body(&rig.endpoint, (void *)&e->x, buf_str(&request_text)));
    request_handler.complete(&rig.endpoint, (void *)&e->x);
    rig_turn(&rig.rig, 0);
    assert_true(has_turns());
    assert_in_range(e->x.request->xmlrpc->at, XMLRPC_STEP, LONG_TEXT - 1);
}

/* One whose answer is being written. */
static void begin_writing(struct xmlrpc_exchange *e)
{
    xmlrpc_call(&rig, e, "m", "");
    fake_answer(fake, 0, 200, buf_c(&response_text));
    while (e->x.request->xmlrpc == NULL || chain_len(&e->x.request->xmlrpc->chain) < XMLRPC_STEP)
        rig_turn(&rig.rig, 0);
    assert_int_equal(e->x.n_replies, 0);
    assert_true(has_turns());
}

static void expect_long_answer(const struct xmlrpc_exchange *e)
{
    static const char begin[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", end[] = "\r\n";
    size_t before = strlen(begin);
    xmlrpc_expect(e, begin);
    assert_in_range(strlen(e->x.body), before + response_text.len,
                    before + response_text.len + strlen(end));
    assert_memory_equal(e->x.body + before, response_text.data, response_text.len);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static void a_document_is_read_in_steps(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    begin_reading(&e);
    assert_int_equal(fake_n(fake), 0);
    front_rig_run(&rig);
    char *sent = fake_document(fake, 0);
    assert_non_null(strstr(sent, "<methodName>m</methodName><params><param><value><string>xxx"));
    assert_in_range(strlen(sent), LONG_TEXT, LONG_TEXT + 256);
    free(sent);
    exchange_end(&e.x);
}

static void its_caller_may_leave(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    begin_reading(&e);
    exchange_leave(&e.x);
    front_rig_run(&rig);
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "The caller left before the call was sent.");
    exchange_end(&e.x);
    begin_reading(&e);
    exchange_end(&e.x);
    assert_false(has_turns());
    assert_int_equal(fake->n_submitted, 0);
}

static void reading_waits_for_memory(void **state)
{
    struct xmlrpc_exchange e;
    size_t taken;
    (void)state;
    begin_reading(&e);
    taken = take_all_memory();
    front_rig_run(&rig);
    assert_false(has_turns());
    assert_int_equal(fake_n(fake), 0);
    give_memory(taken);
    assert_int_equal(fake_n(fake), 1);
    exchange_end(&e.x);
    begin_reading(&e);
    taken = take_all_memory();
    front_rig_run(&rig);
    rig_turn(&rig.rig, 2999);
    assert_int_equal(e.x.n_replies, 0);
    rig_turn(&rig.rig, 1);
    front_rig_run(&rig);
    xmlrpc_expect_fault(&e, "<int>-32098</int>", "limits.memory");
    assert_true(exchange_has(&e.x, "Retry-After: 1"));
    budget_give(&rig.rig.commons.memory, taken);
    exchange_end(&e.x);
    assert_int_equal(fake->n_submitted, 1);
}

/* What was not begun is not begun at the end of the daemon, either. */
static void reading_is_cut_off(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    begin_reading(&e);
    front_cut_off(&rig.front);
    xmlrpc_expect_fault(&e, "<int>-32096</int>", "draining: ");
    assert_false(has_turns());
    exchange_end(&e.x);
    assert_int_equal(fake->n_submitted, 0);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void an_answer_is_written_in_steps(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    begin_writing(&e);
    front_rig_run(&rig);
    expect_long_answer(&e);
    exchange_end(&e.x);
    begin_writing(&e);
    exchange_end(&e.x);
    assert_false(has_turns());
}

/* The call was made: nobody shall wait for its answer in vain. */
static void what_is_written_is_sent_at_the_end(void **state)
{
    struct xmlrpc_exchange e;
    (void)state;
    begin_writing(&e);
    front_cut_off(&rig.front);
    expect_long_answer(&e);
    assert_false(has_turns());
    exchange_end(&e.x);
    begin_writing(&e);
    size_t taken = take_all_memory();
    front_cut_off(&rig.front);
    xmlrpc_expect_fault(&e, "<int>-32300</int>",
                        "response-too-large: The answer cannot be written as XML-RPC: ");
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "; executed: yes; ");
    budget_give(&rig.rig.commons.memory, taken);
    exchange_end(&e.x);
}

static void writing_waits_for_memory(void **state)
{
    struct xmlrpc_exchange e;
    size_t taken;
    (void)state;
    begin_writing(&e);
    taken = take_all_memory();
    front_rig_run(&rig);
    assert_false(has_turns());
    assert_true(memory_share_is_short(e.x.request->share));
    assert_int_equal(e.x.n_replies, 0);
    give_memory(taken);
    expect_long_answer(&e);
    exchange_end(&e.x);
    begin_writing(&e);
    taken = take_all_memory();
    front_rig_run(&rig);
    rig_turn(&rig.rig, 2999);
    assert_int_equal(e.x.n_replies, 0);
    rig_turn(&rig.rig, 1);
    front_rig_run(&rig);
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "it does not fit into limits.memory now.");
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "; executed: yes; ");
    budget_give(&rig.rig.commons.memory, taken);
    exchange_end(&e.x);
}

/* It is wanted in one piece, for which there is no waiting. */
static void an_answer_may_not_fit(void **state)
{
    struct upstream_result good = { .status = UPSTREAM_OK, .reached = true, .http_status = 200 };
    struct xmlrpc_exchange e;
    (void)state;
    xmlrpc_call(&rig, &e, "m", "");
    fake_head(fake, 0, 200, "text/xml");
    assert_true(fake_data(fake, 0, buf_c(&response_text)));
    front_rig_run(&rig);
    size_t taken = take_all_memory();
    fake_end(fake, 0, &good);
    front_rig_run(&rig);
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "it does not fit into limits.memory now.");
    xmlrpc_expect_fault(&e, "<int>-32300</int>", "; executed: yes; ");
    budget_give(&rig.rig.commons.memory, taken);
    exchange_end(&e.x);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_document_is_read_in_steps),   TEST(its_caller_may_leave),
        TEST(reading_waits_for_memory),      TEST(reading_is_cut_off),
        TEST(an_answer_is_written_in_steps), TEST(what_is_written_is_sent_at_the_end),
        TEST(writing_waits_for_memory),      TEST(an_answer_may_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
