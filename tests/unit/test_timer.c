/* SPDX-License-Identifier: Apache-2.0 */
/* Timers against a plain list of what should fire, and waits for what another one makes. */
#include "base/clock.h"
#include "base/macros.h"
#include "work/once.h"
#include "work/timer.h"
#include "work/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIMERS 300

struct fixture {
    struct commons commons;
    struct work work[2];
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){ .commons = { .main_fd = -1 } };
    commons_init(&f.commons, ARRAY_LEN(f.work));
    for (size_t i = 0; i < ARRAY_LEN(f.work); i++)
        assert_true(work_init(&f.work[i], &f.commons, i));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(f->work); i++)
        work_done(&f->work[i]);
    commons_done(&f->commons);
    return 0;
}

/* ---- Timers --------------------------------------------------------------------------------- */

struct probe {
    struct timer timer;
    struct work *work;
    size_t stops; /* another probe, which it stops when it fires; its own number: none */
    bool again;   /* is set anew, for a time that is over */
    bool expected;
    unsigned fired;
};

static struct probe probes[TIMERS];
static int64_t last_ms;

static void fire(struct timer *timer)
{
    struct probe *p = CONTAINER_OF(timer, struct probe, timer);
    assert_false(timer->is_set);
    assert_true(p->expected);
    assert_true(timer->due_ms >= last_ms);
    last_ms = timer->due_ms;
    p->fired++;
    p->expected = false;
    timer_stop(p->work, &probes[p->stops].timer);
    probes[p->stops].expected = false;
    if (p->again)
        timer_set(p->work, timer, 0);
}

/* All set at random within the past, some moved, some stopped, some by others. */
static void one_round(struct work *w, unsigned seed)
{
    srandom(seed);
    last_ms = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        probes[i] = (struct probe){ .timer = { .fire = fire }, .work = w, .stops = i };
        if (random() % 8 == 0)
            probes[i].stops = (size_t)random() % TIMERS;
    }
    for (unsigned n = 0; n < 4 * TIMERS; n++) {
        struct probe *p = &probes[random() % TIMERS];
        p->expected = random() % 4 > 0;
        if (p->expected)
            timer_set(w, &p->timer, 1 + random() % 50);
        else
            timer_stop(w, &p->timer);
    }
    int64_t first_ms = CLOCK_NEVER;
    for (size_t i = 0; i < TIMERS; i++)
        if (probes[i].expected)
            first_ms = clock_min(first_ms, probes[i].timer.due_ms);
    assert_true(timers_deadline_ms(w) == first_ms);
    timers_run(w);
    assert_true(timers_deadline_ms(w) == CLOCK_NEVER);
    for (size_t i = 0; i < TIMERS; i++)
        assert_false(probes[i].expected || probes[i].timer.is_set);
}

static void each_fires_once_in_order(void **state)
{
    struct fixture *f = *state;
    loop_wait(f->work[0].loop, 0); /* the time is known */
    for (unsigned seed = 1; seed <= 50; seed++)
        one_round(&f->work[0], seed);
}

static void one_that_is_set_again_does_not_hold_the_turn(void **state)
{
    struct fixture *f = *state;
    struct work *w = &f->work[0];
    loop_wait(w->loop, 0);
    last_ms = 0;
    probes[0] = (struct probe){ .timer = { .fire = fire }, .work = w, .again = true };
    probes[0].expected = true;
    probes[0].stops = 1;
    timer_set(w, &probes[0].timer, 5);
    timers_run(w);
    assert_int_equal(probes[0].fired, 1);
    assert_true(probes[0].timer.is_set && probes[0].timer.due_ms > loop_now_ms(w->loop));
    timer_stop(w, &probes[0].timer);
}

static void one_for_never_is_not_set(void **state)
{
    struct fixture *f = *state;
    struct timer t = { .fire = fire };
    timer_set(&f->work[0], &t, 7);
    timer_set(&f->work[0], &t, CLOCK_NEVER);
    assert_false(t.is_set);
    assert_true(timers_deadline_ms(&f->work[0]) == CLOCK_NEVER);
}

/* ---- Waits ---------------------------------------------------------------------------------- */

struct waiter {
    struct once_wait wait;
    struct waiter *ends; /* another one, which leaves when this goes on; NULL: none */
    unsigned in_time, late;
};

static void go_on(struct once_wait *wait, bool in_time)
{
    struct waiter *waiter = CONTAINER_OF(wait, struct waiter, wait);
    waiter->in_time += in_time;
    waiter->late += !in_time;
    if (waiter->ends != NULL)
        once_leave(&waiter->ends->wait);
}

static void those_who_wait_go_on_in_their_workers(void **state)
{
    struct fixture *f = *state;
    struct once once;
    once_init(&once);
    struct waiter a = { .wait = { .go_on = go_on } }, b = a, gone = a;
    once_wait(&once, &a.wait, &f->work[0], CLOCK_NEVER);
    once_wait(&once, &b.wait, &f->work[1], CLOCK_NEVER);
    once_wait(&once, &gone.wait, &f->work[1], CLOCK_NEVER);
    once_leave(&gone.wait);
    once_feed(&f->work[0]); /* nothing is told yet */
    assert_int_equal(a.in_time, 0);
    once_tell(&once);
    assert_true(work_was_told(&f->work[0], NEWS_MADE) && work_was_told(&f->work[1], NEWS_MADE));
    assert_false(work_was_told(&f->work[0], NEWS_MADE));
    once_feed(&f->work[0]);
    assert_int_equal(a.in_time, 1);
    assert_int_equal(b.in_time, 0);
    once_feed(&f->work[1]);
    once_feed(&f->work[1]);
    assert_int_equal(b.in_time, 1);
    assert_int_equal(gone.in_time + gone.late + a.late + b.late, 0);
    once_done(&once);
}

static void who_goes_on_may_end_others(void **state)
{
    struct fixture *f = *state;
    struct once once;
    once_init(&once);
    struct waiter b = { .wait = { .go_on = go_on } }, a = { .wait = b.wait, .ends = &b };
    once_wait(&once, &a.wait, &f->work[0], CLOCK_NEVER);
    once_wait(&once, &b.wait, &f->work[0], CLOCK_NEVER);
    once_tell(&once);
    once_feed(&f->work[0]);
    assert_int_equal(a.in_time, 1);
    assert_int_equal(b.in_time + b.late, 0);
    once_done(&once);
}

static void no_wait_is_longer_than_its_time(void **state)
{
    struct fixture *f = *state;
    struct once once;
    once_init(&once);
    struct waiter a = { .wait = { .go_on = go_on } };
    loop_wait(f->work[0].loop, 0);
    once_wait(&once, &a.wait, &f->work[0], 1);
    timers_run(&f->work[0]);
    assert_int_equal(a.late, 1);
    once_tell(&once);
    once_feed(&f->work[0]);
    assert_int_equal(a.in_time, 0);
    once_wait(&once, &a.wait, &f->work[0], CLOCK_NEVER); /* again */
    once_hurry(&a.wait);
    once_feed(&f->work[0]);
    assert_int_equal(a.in_time, 1);
    once_done(&once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_fires_once_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_set_again_does_not_hold_the_turn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_for_never_is_not_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_who_wait_go_on_in_their_workers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_goes_on_may_end_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_wait_is_longer_than_its_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
