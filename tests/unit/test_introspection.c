/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of an upstream about itself, by whom, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/clock.h"
#include "base/macros.h"
#include "client/introspection.h"
#include "work/turn.h"

#define SETTINGS                                                                                   \
    "upstreams = { u = { url = \"http://u/\"; retry = { attempts = 1; };\n"                        \
    "  introspection = { ttl = \"60s\"; }; }; };"

#define NAMES                                                                                      \
    RIG_ANSWER("<array><data><value>b</value><value>a</value><value>a</value></data></array>")

static struct rig rig;

/* One who wants to know. */
struct asker {
    struct introspection_waiter waiter;
    size_t worker;
    int n_woken;
    enum introspection_answer answer;
    struct description *description;
    struct error error;
};

static void on_told(struct once_wait *wait, bool in_time)
{
    struct asker *a = CONTAINER_OF(wait, struct asker, waiter.wait);
    a->n_woken += in_time;
}

static void init(struct asker *a, size_t worker)
{
    memset(a, 0, sizeof *a);
    a->worker = worker;
    a->waiter.site = rig.workers[worker].client.site;
    a->waiter.upstream = &rig.config->upstreams[0];
    a->waiter.until_ms = CLOCK_NEVER;
    a->waiter.wait.go_on = on_told;
}

/* Its question, with the turns that a fetch needs to be sent. */
static enum introspection_answer ask(struct asker *a, const char *key)
{
    description_unref(a->description);
    a->description = NULL;
    a->answer = introspection_ask(&a->waiter, str_of(key), &a->description, &a->error);
    for (int turns = 0; turns < 10; turns++)
        rig_turn(&rig, 0);
    return a->answer;
}

static void done(struct asker *a)
{
    introspection_leave(&a->waiter);
    description_unref(a->description);
}

static void answer(size_t worker, const char *body)
{
    fake_answer(&rig.workers[worker].fake, 0, 200, body);
    for (int turns = 0; turns < 10; turns++)
        rig_turn(&rig, 0);
}

static void assert_asked(size_t worker, const char *method)
{
    char *document = fake_document(&rig.workers[worker].fake, 0);
    if (strstr(document, method) == NULL)
        fail_msg("%s is not asked, but %s", method, document);
    free(document);
}

static void one_asks_for_all(void **state)
{
    struct asker a[2];
    (void)state;
    rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < 2; i++) {
        init(&a[i], i);
        assert_int_equal(ask(&a[i], ""), INTROSPECTION_WAIT);
    }
    assert_int_equal(fake_n(&rig.workers[1].fake), 0);
    assert_asked(0, "system.listMethods");
    answer(0, NAMES);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(a[i].n_woken, 1);
        assert_int_equal(ask(&a[i], ""), INTROSPECTION_READY);
        assert_true(a[i].description->there);
        assert_string_equal(a[i].description->text, "[\"b\",\"a\",\"a\"]");
        done(&a[i]);
    }
    assert_int_equal(rig.workers[0].fake.n_submitted, 1);
    rig_close(&rig);
}

/* What is kept serves while it is asked for anew. */
static void what_is_old_is_asked_for_again(void **state)
{
    struct asker a;
    (void)state;
    rig_open(&rig, SETTINGS);
    init(&a, 0);
    assert_int_equal(ask(&a, ""), INTROSPECTION_WAIT);
    answer(0, NAMES);
    assert_int_equal(ask(&a, ""), INTROSPECTION_READY);
    rig_turn(&rig, 59000);
    assert_int_equal(ask(&a, ""), INTROSPECTION_READY);
    assert_int_equal(rig.workers[0].fake.n_submitted, 1);
    rig_turn(&rig, 1001);
    assert_int_equal(ask(&a, ""), INTROSPECTION_READY);
    assert_int_equal(rig.workers[0].fake.n_submitted, 2);
    answer(0, RIG_ANSWER("<array><data><value>c</value></data></array>"));
    assert_int_equal(ask(&a, ""), INTROSPECTION_READY);
    assert_string_equal(a.description->text, "[\"c\"]");
    done(&a);
    rig_close(&rig);
}

/* A failure is the answer for a second, to whoever asks. */
static void a_failure_is_not_repeated_at_once(void **state)
{
    struct asker a;
    (void)state;
    rig_open(&rig, SETTINGS);
    init(&a, 0);
    assert_int_equal(ask(&a, ""), INTROSPECTION_WAIT);
    fake_fail(&rig.workers[0].fake, 0, UPSTREAM_CONNECT_FAILED, false);
    rig_turn(&rig, 0);
    assert_int_equal(a.n_woken, 1);
    assert_int_equal(ask(&a, ""), INTROSPECTION_FAILED);
    assert_int_equal(a.error.type, PROBLEM_CONNECT_FAILED);
    assert_int_equal(rig.workers[0].fake.n_submitted, 1);
    rig_turn(&rig, 1001);
    assert_int_equal(ask(&a, ""), INTROSPECTION_WAIT);
    assert_int_equal(rig.workers[0].fake.n_submitted, 2);
    answer(0, NAMES);
    done(&a);
    rig_close(&rig);
}

static void there_may_be_none(void **state)
{
    struct asker a;
    (void)state;
    rig_open(&rig, SETTINGS);
    init(&a, 0);
    assert_int_equal(ask(&a, ""), INTROSPECTION_WAIT);
    answer(0, RIG_FAULT("17", "what?"));
    assert_int_equal(ask(&a, ""), INTROSPECTION_READY);
    assert_false(a.description->there);
    assert_non_null(strstr(a.description->text, "with the fault 17"));
    done(&a);
    rig_close(&rig);
}

#define SIGNATURES                                                                                 \
    "<array><data><value><array><data><value>int</value></data></array></value></data></array>"

/* Both at once where there is a system.multicall; else one after the other, and so for all methods
 * from then on. */
static void a_method_is_described(void **state)
{
    static const char expected[] = "\"signatures\":[[\"int\"]],\"help\":\"H\"";
    struct asker a;
    (void)state;
    for (int has_multicall = 0; has_multicall < 2; has_multicall++) {
        rig_open(&rig, SETTINGS);
        init(&a, 0);
        assert_int_equal(ask(&a, "m"), INTROSPECTION_WAIT);
        assert_asked(0, "system.multicall");
        if (has_multicall) {
            answer(0, RIG_ANSWER("<array><data><value><array><data><value>" SIGNATURES
                                 "</value></data></array></value><value><array><data><value>H"
                                 "</value></data></array></value></data></array>"));
        } else {
            answer(0, RIG_FAULT("1", "no such method"));
            assert_asked(0, "system.methodSignature");
            answer(0, RIG_ANSWER(SIGNATURES));
            assert_asked(0, "system.methodHelp");
            answer(0, RIG_ANSWER("H"));
        }
        assert_int_equal(ask(&a, "m"), INTROSPECTION_READY);
        assert_string_equal(a.description->text, expected);
        assert_int_equal(ask(&a, "n"), INTROSPECTION_WAIT);
        assert_asked(0, has_multicall ? "system.multicall" : "system.methodSignature");
        fake_fail(&rig.workers[0].fake, 0, UPSTREAM_CONNECT_FAILED, false);
        done(&a);
        rig_close(&rig);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_asks_for_all),
        cmocka_unit_test(what_is_old_is_asked_for_again),
        cmocka_unit_test(a_failure_is_not_repeated_at_once),
        cmocka_unit_test(there_may_be_none),
        cmocka_unit_test(a_method_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
