/* SPDX-License-Identifier: Apache-2.0 */
#include "client/permits.h"

#include "base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_state(const struct permits *p, unsigned out, unsigned waiting)
{
    assert_int_equal(permits_out(p), out);
    assert_int_equal(permits_waiting(p), waiting);
}

static void taken_and_given_back(void **state)
{
    struct permits p;
    (void)state;
    permits_init(&p, 2, 10, 1);
    for (int i = 0; i < 3; i++) {
        assert_true(permits_try(&p));
        assert_true(permits_try(&p));
        assert_false(permits_try(&p));
        assert_state(&p, 2, 0);
        assert_int_equal(permits_give(&p), PERMITS_NOBODY);
        assert_int_equal(permits_give(&p), PERMITS_NOBODY);
        assert_state(&p, 0, 0);
    }
    permits_done(&p);
}

static void go_to_who_has_waited_longest(void **state)
{
    struct permits p;
    (void)state;
    permits_init(&p, 1, 3, 4);
    assert_true(permits_try(&p));
    for (size_t worker = 1; worker < 4; worker++) {
        permits_show(&p, worker, (int64_t)(2000 - 100 * worker));
        assert_int_equal(permits_join(&p), PERMITS_WAIT);
    }
    assert_state(&p, 1, 3);
    assert_int_equal(permits_join(&p), PERMITS_FULL);
    assert_int_equal(permits_give(&p), 3);
    assert_state(&p, 1, 3); /* until it is picked up */
    /* Worker 3 uses it; the next goes to worker 2. */
    assert_int_equal(permits_pick_up(&p, 3), 1);
    assert_int_equal(permits_pick_up(&p, 3), 0);
    permits_leave(&p);
    permits_show(&p, 3, 0);
    assert_state(&p, 1, 2);
    assert_false(permits_try(&p)); /* nobody gets in before those that wait */
    assert_int_equal(permits_give(&p), 2);
    /* Worker 2 has not looked yet: a second permit would go to the other one. */
    assert_int_equal(permits_give(&p), 1);
    assert_int_equal(permits_give(&p), 2);
    permits_done(&p);
}

static void a_call_that_leaves_takes_nothing_along(void **state)
{
    struct permits p;
    (void)state;
    permits_init(&p, 1, 3, 2);
    assert_true(permits_try(&p));
    permits_show(&p, 1, 1000);
    assert_int_equal(permits_join(&p), PERMITS_WAIT);
    permits_leave(&p);
    permits_show(&p, 1, 0);
    assert_int_equal(permits_give(&p), PERMITS_NOBODY);
    assert_state(&p, 0, 0);
    /* It has found a free one after it had said that it waits. */
    permits_show(&p, 1, 1000);
    assert_int_equal(permits_join(&p), PERMITS_TAKEN);
    assert_state(&p, 1, 0);
    permits_done(&p);
}

static void pressed_by_others_only(void **state)
{
    static const char one[] = "one", other[] = "other";
    struct permits p;
    (void)state;
    permits_init(&p, 1, 10, 3);
    assert_false(permits_is_pressed(&p, one));
    permits_press(&p, 1, one);
    assert_false(permits_is_pressed(&p, one));
    assert_true(permits_is_pressed(&p, other));
    permits_press(&p, 2, other);
    assert_true(permits_is_pressed(&p, one));
    permits_press(&p, 1, NULL);
    assert_true(permits_is_pressed(&p, one));
    assert_false(permits_is_pressed(&p, other));
    permits_press(&p, 2, NULL);
    assert_false(permits_is_pressed(&p, one));
    permits_done(&p);
}

static void kept_while_that_is_fair(void **state)
{
    struct permits p;
    (void)state;
    permits_init(&p, 1, 3, 3);
    assert_false(permits_due_elsewhere(&p, 0, 1000, 2000));
    permits_show(&p, 0, 1000);
    assert_false(permits_due_elsewhere(&p, 0, 1000, 2000)); /* its own */
    permits_show(&p, 1, 700);
    assert_false(permits_due_elsewhere(&p, 0, 1000, 2000));
    permits_show(&p, 2, 600);
    assert_true(permits_due_elsewhere(&p, 0, 1000, 2000));
    permits_done(&p);
}

/* Threads that take, wait for, leave and give permits: never more than there are, and none lost. */

#define WORKERS 4
#define ROUNDS 20000
#define MAX 3

struct shared {
    struct permits permits;
    atomic_uint inside, most;
};

struct worker {
    struct shared *shared;
    size_t index;
    unsigned got;
};

/* Nobody sleeps here, so nobody must be woken. */
static void give(struct permits *p)
{
    size_t to = permits_give(p);
    assert_true(to == PERMITS_NOBODY || to < WORKERS);
}

static void use(struct shared *s)
{
    unsigned now = atomic_fetch_add(&s->inside, 1) + 1;
    unsigned most = atomic_load(&s->most);
    while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
        continue;
    atomic_fetch_sub(&s->inside, 1);
    give(&s->permits);
}

static void pass_on(struct worker *w)
{
    for (unsigned n = permits_pick_up(&w->shared->permits, w->index); n > 0; n--)
        give(&w->shared->permits);
}

/* Waits until it is given one, or leaves after some looks. */
static bool wait_for_one(struct worker *w, unsigned looks)
{
    struct permits *p = &w->shared->permits;
    unsigned given = 0;
    while (given == 0 && looks-- > 0) {
        given = permits_pick_up(p, w->index);
        sched_yield();
    }
    permits_leave(p);
    permits_show(p, w->index, 0);
    for (; given > 1; given--)
        give(p);
    return given == 1;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct permits *p = &w->shared->permits;
    for (unsigned i = 0; i < ROUNDS; i++) {
        bool has = permits_try(p);
        if (!has) {
            permits_show(p, w->index, clock_now_us());
            enum permits_answer answer = permits_join(p);
            has = answer == PERMITS_TAKEN;
            if (answer == PERMITS_WAIT)
                has = wait_for_one(w, i % 7 == 0 ? 3 : 1000000);
            else
                permits_show(p, w->index, 0);
        }
        if (has) {
            w->got++;
            use(w->shared);
        }
        pass_on(w);
    }
    return NULL;
}

static void many_threads(void **state)
{
    struct shared shared = { .inside = 0 };
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];
    (void)state;
    permits_init(&shared.permits, MAX, 2, WORKERS);
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){ .shared = &shared, .index = i };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < WORKERS; i++) {
        pass_on(&workers[i]);
        assert_true(workers[i].got > 0); /* how many is the scheduler's choice: some find it full */
    }
    assert_true(atomic_load(&shared.most) <= MAX);
    assert_state(&shared.permits, 0, 0);
    permits_done(&shared.permits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_and_given_back),
        cmocka_unit_test(go_to_who_has_waited_longest),
        cmocka_unit_test(a_call_that_leaves_takes_nothing_along),
        cmocka_unit_test(kept_while_that_is_fair),
        cmocka_unit_test(pressed_by_others_only),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
