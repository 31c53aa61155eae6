/* SPDX-License-Identifier: Apache-2.0 */
/* Bare connects to upstreams that are required, while no call shows whether they can be reached;
 * and sites: what a reload leaves, and when it goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client_rig.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/probe.h"
#include "client/site.h"

#define SETTINGS                                                                                   \
    "upstreams = { u = { urls = [ \"http://a/\", \"http://b/\" ]; required = true;\n"              \
    "    retry = { attempts = 1; }; };\n  v = { url = \"http://v/\"; }; };"

static struct rig rig;
static struct fake *const fake = &rig.workers[0].fake;

static void connect_well(void)
{
    fake_end(fake, 0, &(struct upstream_result){ .status = UPSTREAM_OK });
}

static bool is_down(void)
{
    return upstream_state_is_down(rig.states[0], clock_now_ms());
}

static void the_first_worker_tries_what_is_required(void **state)
{
    (void)state;
    rig_open(&rig, SETTINGS);
    for (size_t i = 0; i < RIG_WORKERS; i++)
        probes_follow(&rig.workers[i].client);
    rig_turn(&rig, 0);
    assert_int_equal(rig.workers[1].fake.n_submitted, 0);
    assert_int_equal(fake->n_submitted, 1);
    assert_true(fake_call(fake, 0)->connect_only);
    connect_well();
    assert_false(is_down());
    /* Not again before its time, */
    rig_turn(&rig, 4999);
    assert_int_equal(fake->n_submitted, 1);
    rig_turn(&rig, 1);
    assert_int_equal(fake->n_submitted, 2);
    /* and it is down when none of its addresses can be reached. */
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    assert_false(is_down());
    assert_int_equal(fake_call(fake, 0)->target, 1);
    fake_fail(fake, 0, UPSTREAM_CONNECT_FAILED, false);
    assert_true(is_down());
    rig_turn(&rig, 5000);
    connect_well();
    assert_false(is_down());
    rig_close(&rig);
}

static void a_call_says_the_same(void **state)
{
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    probes_follow(&rig.workers[0].client);
    rig_turn(&rig, 0);
    assert_int_equal(fake->n_submitted, 1); /* the call */
    fake_answer(fake, 0, 200, RIG_ANSWER("a"));
    rig_turn(&rig, 4999);
    assert_int_equal(fake->n_submitted, 1);
    rig_turn(&rig, 1);
    assert_int_equal(fake_n(fake), 1);
    rig_call_done(&c);
    rig_close(&rig);
}

static void nothing_begins_at_the_end(void **state)
{
    (void)state;
    rig_open(&rig, SETTINGS);
    probes_follow(&rig.workers[0].client);
    rig.workers[0].work.quiet = true;
    rig_turn(&rig, 0);
    assert_int_equal(fake->n_submitted, 0);
    rig_close(&rig);
}

/* A reload: the call holds its site, and with it the pool, to its end. */
static void a_call_keeps_its_site(void **state)
{
    struct client *client = &rig.workers[0].client;
    struct upstream_state *changed[2];
    struct rig_call c;
    (void)state;
    rig_open(&rig, SETTINGS);
    rig_call_begin(&rig, 0, &c, "m", "[]");
    changed[0] = upstream_state_new(rig.config, 0, rig.records[0]);
    changed[1] = rig.states[1];
    struct pool *kept = client->site->pools[1];
    site_open(client, xcalloc(1, sizeof(struct site)), rig.config, changed);
    rig_turn(&rig, 0);
    assert_ptr_equal(client->site->pools[1], kept);
    assert_int_equal(fake->n_open, 3);
    rig_turn(&rig, 1000);
    assert_int_equal(fake->n_open, 3);
    fake_answer(fake, 0, 200, RIG_ANSWER("a"));
    rig_assert_value(&c, "\"a\"");
    rig_call_done(&c);
    rig_turn(&rig, 100);
    assert_int_equal(fake->n_open, 2);
    rig_close(&rig);
    upstream_state_unref(changed[0]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_worker_tries_what_is_required),
        cmocka_unit_test(a_call_says_the_same),
        cmocka_unit_test(nothing_begins_at_the_end),
        cmocka_unit_test(a_call_keeps_its_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
