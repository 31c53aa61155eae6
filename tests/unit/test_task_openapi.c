/* SPDX-License-Identifier: Apache-2.0 */
/* A request for an OpenAPI document: what it asks of upstreams, waits for, and may take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front_rig.h"

#define TOKEN_OF_ROUTES "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
#define SETTINGS                                                                                   \
    "callers = ( { name = \"bot\"; token = \"" EXCHANGE_TOKEN "\"; allow = [ \"*/*\" ];\n"         \
    "  deny = [ \"a/secret\" ]; }, { name = \"routes\"; token = \"" TOKEN_OF_ROUTES "\";\n"        \
    "  allow = [ \"@one\" ]; } );\n"                                                               \
    "upstreams = { a = { url = \"http://a/\"; multicall = \"never\"; };\n"                         \
    "  b = { url = \"http://b/\"; multicall = \"never\"; retry = { attempts = 1; }; }; };\n"       \
    "routes = ( { name = \"one\"; get = \"/one\"; call = \"a/m\"; safe = true; },\n"               \
    "  { name = \"two\"; post = \"/one\"; call = \"b/m\"; } );\n"

#define LINES_OF_ROUTES "Host: 127.0.0.1\nAuthorization: Bearer " TOKEN_OF_ROUTES "\n"
#define METHOD(name) "<value>" name "</value>"
#define METHODS(names) RIG_ANSWER("<array><data>" names "</data></array>")

static struct front_rig rig;
static struct fake *const fake = &rig.rig.workers[0].fake;

static void answer(const char *document)
{
    fake_answer(fake, 0, 200, document);
    front_rig_run(&rig);
}

static bool has(const struct exchange *x, const char *text)
{
    return strstr(x->body, text) != NULL;
}

/* Upstreams are asked one after the other, and about each method of which the caller may know. */
static void it_waits_for_what_upstreams_tell(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /openapi.json", "");
    assert_int_equal(fake_n(fake), 1);
    answer(METHODS(METHOD("m") METHOD("secret") METHOD("n")));
    answer(RIG_ANSWER("<array><data><value><array><data><value>int</value><value>string</value>"
                      "</data></array></value></data></array>"));
    answer(RIG_ANSWER("Helps."));
    answer(RIG_FAULT("1", "no signatures"));
    assert_int_equal(x.n_replies, 0);
    answer(RIG_FAULT("1", "no help"));
    assert_ptr_equal(fake->last, &rig.rig.config->upstreams[1]);
    answer(RIG_FAULT("-32601", "no system.listMethods"));
    exchange_expect(&x, 200, NULL);
    assert_int_equal(fake->n_submitted, 6);
    assert_true(has(&x, "\"/v1/a/m\":") && has(&x, "\"/v1/a/n\":") && !has(&x, "secret"));
    assert_true(has(&x, "\"title\":\"(string)\"") && has(&x, "```text\\nHelps.\\n```"));
    assert_true(has(&x, "\"/v1/b/{method}\":") && has(&x, "\"/one\":{\"get\":"));
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /openapi/b.json", "");
    exchange_expect(&x, 200, NULL);
    assert_true(has(&x, "\"/one\":{\"post\":") && !has(&x, "\"get\":") && !has(&x, "/v1/a"));
    assert_int_equal(fake->n_submitted, 6); /* it is known */
    exchange_end(&x);
    front_rig_close(&rig);
}

static void an_upstream_that_is_down_is_described_in_general(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_send(&rig, &x, "GET /openapi/b.json", "");
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    front_rig_run(&rig);
    exchange_expect(&x, 200, NULL);
    assert_true(has(&x, "\"/v1/b/{method}\":"));
    exchange_end(&x);
    front_rig_close(&rig);
}

/* Who may use routes alone has no upstream asked. */
static void routes_alone_ask_nobody(void **state)
{
    static const char *const paths[] = { "GET /openapi.json", "GET /openapi/a.json" };
    (void)state;
    front_rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < 2; i++) {
        struct exchange x;
        exchange_begin(&rig, &x, paths[i], LINES_OF_ROUTES);
        exchange_go_on(&rig, &x, "");
        exchange_expect(&x, 200, NULL);
        assert_true(has(&x, "\"/one\":{\"get\":") && !has(&x, "\"post\":") && !has(&x, "/v1/"));
        exchange_end(&x);
    }
    struct exchange x;
    exchange_begin(&rig, &x, "GET /openapi/b.json", LINES_OF_ROUTES);
    exchange_go_on(&rig, &x, "");
    exchange_expect_problem(&x, 404, "not-found");
    exchange_end(&x);
    assert_int_equal(fake->n_submitted, 0);
    front_rig_close(&rig);
}

static void a_caller_may_lower_the_time_or_leave(void **state)
{
    struct exchange x;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    exchange_begin(&rig, &x, "GET /openapi/a.json",
                   "Host: 127.0.0.1\nAuthorization: Bearer " EXCHANGE_TOKEN
                   "\nX-Rpcgate-Timeout: 1500ms\n");
    exchange_go_on(&rig, &x, "");
    rig_turn(&rig.rig, 1499);
    assert_int_equal(x.n_replies, 0);
    rig_turn(&rig.rig, 1);
    exchange_expect_problem(&x, 504, "timeout");
    exchange_end(&x);
    exchange_send(&rig, &x, "GET /openapi/a.json", "");
    exchange_end(&x);
    assert_int_equal(fake_n(fake), 1); /* others may want it */
    answer(METHODS(METHOD("m")));
    front_rig_close(&rig);
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

/* So many that there are several steps behind the last question. */
static void it_asks_for_its_memory_step_by_step(void **state)
{
    struct exchange x;
    CLEANUP(buf_done) struct buf methods;
    (void)state;
    front_rig_open(&rig, SETTINGS);
    buf_init(&methods, SIZE_MAX - 1, NULL);
    buf_append_c(&methods, "<methodResponse><params><param><value><array><data>");
    for (int i = 0; i < 800; i++)
        buf_printf(&methods, "<value>m%d</value>", i);
    buf_append_c(&methods, "</data></array></value></param></params></methodResponse>");
    size_t taken = take_all_memory();
    exchange_send(&rig, &x, "GET /openapi/a.json", "");
    assert_int_equal(fake_n(fake), 0);
    give_memory(taken);
    answer(buf_c(&methods));
    while (fake_n(fake) > 0) {
        fake_answer(fake, 0, 200, RIG_FAULT("1", "unknown"));
        rig_turn(&rig.rig, 0);
    }
    assert_int_equal(fake->n_submitted, 1 + 2 * 500);
    assert_int_equal(x.n_replies, 0);
    taken = take_all_memory();
    front_rig_run(&rig);
    assert_int_equal(x.n_replies, 0);
    assert_true(memory_share_is_short(x.request->share));
    give_memory(taken);
    exchange_expect(&x, 200, NULL);
    assert_true(has(&x, "\"/v1/a/m799\":"));
    exchange_end(&x);
    front_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_for_what_upstreams_tell),
        cmocka_unit_test(an_upstream_that_is_down_is_described_in_general),
        cmocka_unit_test(routes_alone_ask_nobody),
        cmocka_unit_test(a_caller_may_lower_the_time_or_leave),
        cmocka_unit_test(it_asks_for_its_memory_step_by_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
