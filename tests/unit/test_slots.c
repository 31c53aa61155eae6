/* SPDX-License-Identifier: Apache-2.0 */
#include "client/slots.h"

#include "base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_state(const struct slots *p, unsigned out, unsigned waiting)
{
    assert_int_equal(slots_out(p), out);
    assert_int_equal(slots_waiting(p), waiting);
}

static void taken_and_given_back(void **state)
{
    struct slots p;
    (void)state;
    slots_init(&p, 2, 10, 1);
    for (int i = 0; i < 3; i++) {
        assert_true(slots_try(&p));
        assert_true(slots_try(&p));
        assert_false(slots_try(&p));
        assert_state(&p, 2, 0);
        assert_int_equal(slots_give(&p), SLOTS_NOBODY);
        assert_int_equal(slots_give(&p), SLOTS_NOBODY);
        assert_state(&p, 0, 0);
    }
    slots_done(&p);
}

static void go_to_who_has_waited_longest(void **state)
{
    struct slots p;
    (void)state;
    slots_init(&p, 1, 3, 4);
    assert_true(slots_try(&p));
    for (size_t worker = 1; worker < 4; worker++) {
        slots_show(&p, worker, (int64_t)(2000 - 100 * worker));
        assert_int_equal(slots_join(&p), SLOTS_WAIT);
    }
    assert_state(&p, 1, 3);
    assert_int_equal(slots_join(&p), SLOTS_FULL);
    assert_int_equal(slots_give(&p), 3);
    assert_state(&p, 1, 3); /* until it is picked up */
    /* Worker 3 uses it; the next goes to worker 2. */
    assert_int_equal(slots_pick_up(&p, 3), 1);
    assert_int_equal(slots_pick_up(&p, 3), 0);
    slots_leave(&p);
    slots_show(&p, 3, 0);
    assert_state(&p, 1, 2);
    assert_false(slots_try(&p)); /* nobody gets in before those that wait */
    assert_int_equal(slots_give(&p), 2);
    /* Worker 2 has not looked yet: a second slot would go to the other one. */
    assert_int_equal(slots_give(&p), 1);
    assert_int_equal(slots_give(&p), 2);
    slots_done(&p);
}

static void a_call_that_leaves_takes_nothing_along(void **state)
{
    struct slots p;
    (void)state;
    slots_init(&p, 1, 3, 2);
    assert_true(slots_try(&p));
    slots_show(&p, 1, 1000);
    assert_int_equal(slots_join(&p), SLOTS_WAIT);
    slots_leave(&p);
    slots_show(&p, 1, 0);
    assert_int_equal(slots_give(&p), SLOTS_NOBODY);
    assert_state(&p, 0, 0);
    /* It has found a free one after it had said that it waits. */
    slots_show(&p, 1, 1000);
    assert_int_equal(slots_join(&p), SLOTS_TAKEN);
    assert_state(&p, 1, 0);
    slots_done(&p);
}

static void pressed_by_others_only(void **state)
{
    static const char one[] = "one", other[] = "other";
    struct slots p;
    (void)state;
    slots_init(&p, 1, 10, 3);
    assert_false(slots_is_pressed(&p, one));
    slots_press(&p, 1, one);
    assert_false(slots_is_pressed(&p, one));
    assert_true(slots_is_pressed(&p, other));
    slots_press(&p, 2, other);
    assert_true(slots_is_pressed(&p, one));
    slots_press(&p, 1, NULL);
    assert_true(slots_is_pressed(&p, one));
    assert_false(slots_is_pressed(&p, other));
    slots_press(&p, 2, NULL);
    assert_false(slots_is_pressed(&p, one));
    slots_done(&p);
}

static void kept_while_that_is_fair(void **state)
{
    struct slots p;
    (void)state;
    slots_init(&p, 1, 3, 3);
    assert_false(slots_due_elsewhere(&p, 0, 1000, 2000));
    slots_show(&p, 0, 1000);
    assert_false(slots_due_elsewhere(&p, 0, 1000, 2000)); /* its own */
    slots_show(&p, 1, 700);
    assert_false(slots_due_elsewhere(&p, 0, 1000, 2000));
    slots_show(&p, 2, 600);
    assert_true(slots_due_elsewhere(&p, 0, 1000, 2000));
    slots_done(&p);
}

/* Threads that take, wait for, leave and give slots: never more than there are, and none lost. */

#define WORKERS 4
#define ROUNDS 20000
#define MAX 3

struct shared {
    struct slots slots;
    atomic_uint inside, most;
};

struct worker {
    struct shared *shared;
    size_t index;
    unsigned got;
};

/* Nobody sleeps here, so nobody must be woken. */
static void give(struct slots *p)
{
    size_t to = slots_give(p);
    assert_true(to == SLOTS_NOBODY || to < WORKERS);
}

static void use(struct shared *s)
{
    unsigned now = atomic_fetch_add(&s->inside, 1) + 1;
    unsigned most = atomic_load(&s->most);
    while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
        continue;
    atomic_fetch_sub(&s->inside, 1);
    give(&s->slots);
}

static void pass_on(struct worker *w)
{
    for (unsigned n = slots_pick_up(&w->shared->slots, w->index); n > 0; n--)
        give(&w->shared->slots);
}

/* Waits until it is given one, or leaves after some looks. */
static bool wait_for_one(struct worker *w, unsigned looks)
{
    struct slots *p = &w->shared->slots;
    unsigned given = 0;
    while (given == 0 && looks-- > 0) {
        given = slots_pick_up(p, w->index);
        sched_yield();
    }
    slots_leave(p);
    slots_show(p, w->index, 0);
    for (; given > 1; given--)
        give(p);
    return given == 1;
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct slots *p = &w->shared->slots;
    for (unsigned i = 0; i < ROUNDS; i++) {
        bool has = slots_try(p);
        if (!has) {
            slots_show(p, w->index, clock_now_us());
            enum slots_answer answer = slots_join(p);
            has = answer == SLOTS_TAKEN;
            if (answer == SLOTS_WAIT)
                has = wait_for_one(w, i % 7 == 0 ? 3 : 1000000);
            else
                slots_show(p, w->index, 0);
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
    slots_init(&shared.slots, MAX, 2, WORKERS);
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
    assert_state(&shared.slots, 0, 0);
    slots_done(&shared.slots);
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
