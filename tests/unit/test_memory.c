/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take how much of limits.memory, who is told when there is some, and who gives way. */
#include "base/clock.h"
#include "base/macros.h"
#include "work/memory.h"
#include "work/work.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KB ((size_t)1024)
#define MB (KB * 1024)
#define MEMORY (32 * MB)

/* Nobody waits for so long in a test; or for so little that it is over soon. [ms] */
#define LONG 3600000
#define SHORT 40

#define HOSTILE 12

enum { INNOCENT, HOG, OTHER_HOG, FIRST_OF_MANY, CALLERS = FIRST_OF_MANY + HOSTILE };

struct holder {
    struct memory_hold hold;
    size_t taken;
    unsigned n_asked;
    bool is_slow; /* gives nothing back before it is told to */
};

struct waiter {
    struct memory_wait wait;
    unsigned n_gone_on;
};

struct fixture {
    struct commons commons;
    struct work work[2];
    struct memory_share shares[CALLERS];
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    commons_init(&f.commons, ARRAY_LEN(f.work));
    for (size_t i = 0; i < ARRAY_LEN(f.work); i++)
        assert_true(work_init(&f.work[i], &f.commons, i));
    for (size_t i = 0; i < CALLERS; i++)
        memory_share_init(&f.shares[i], &f.commons);
    commons_set_memory(&f.commons, MEMORY);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->commons.memory.used, 0);
    assert_int_equal(f->commons.memory.n_waiting, 0);
    assert_null(f->commons.press.whom);
    assert_false(f->commons.press.yields);
    for (size_t i = 0; i < CALLERS; i++)
        memory_share_done(&f->shares[i]);
    for (size_t i = 0; i < ARRAY_LEN(f->work); i++)
        work_done(&f->work[i]);
    commons_done(&f->commons);
    return 0;
}

/* Turns of all workers' loops, until nobody is told anything any more. */
static void run(struct fixture *f)
{
    bool told;
    do {
        told = false;
        for (size_t i = 0; i < ARRAY_LEN(f->work); i++) {
            struct work *w = &f->work[i];
            told |= (w->news & (NEWS_ROOM | NEWS_YIELD)) != 0;
            timers_run(w);
            if (work_was_told(w, NEWS_YIELD))
                memory_yield(w);
            if (work_was_told(w, NEWS_ROOM))
                memory_feed(w);
        }
    } while (told);
}

/* Sleeps as a worker does, and takes a turn. */
static void wait_and_run(struct fixture *f, size_t worker)
{
    loop_wait(f->work[worker].loop, timers_deadline_ms(&f->work[worker]));
    run(f);
}

static void on_room(struct memory_wait *wait)
{
    CONTAINER_OF(wait, struct waiter, wait)->n_gone_on++;
}

struct by {
    size_t worker, caller;
};

static void init(struct waiter *one, struct fixture *f, struct by by, enum memory_kind kind)
{
    struct memory_share *share = &f->shares[by.caller];
    memory_wait_init(&one->wait, &f->work[by.worker], share, share);
    one->wait.kind = kind;
    one->wait.patience_ms = LONG;
    one->wait.on_room = on_room;
    one->n_gone_on = 0;
}

static void begin(struct waiter *one, size_t bytes)
{
    assert_int_equal(memory_ask(&one->wait, bytes), MEMORY_WAIT);
}

/* It was let go, and has taken what it asked for. */
static void take(struct waiter *one, size_t bytes)
{
    assert_int_equal(one->n_gone_on, 1);
    assert_int_equal(memory_ask(&one->wait, bytes), MEMORY_GO);
    assert_true(budget_take(&one->wait.share->budget, bytes));
}

static void give_back(struct holder *h)
{
    budget_give(&h->hold.share->budget, h->taken);
    h->taken = 0;
    memory_release(&h->hold);
}

static void give_way(struct memory_hold *hold)
{
    struct holder *h = CONTAINER_OF(hold, struct holder, hold);
    h->n_asked++;
    if (!h->is_slow)
        give_back(h);
}

static void hold(struct holder *h, struct fixture *f, size_t worker, size_t caller, size_t bytes)
{
    *h = (struct holder){ .hold.give_way = give_way, .taken = bytes };
    assert_true(budget_take(&f->shares[caller].budget, bytes));
    memory_hold(&h->hold, &f->work[worker], &f->shares[caller], bytes);
}

static void test_a_share(void **state)
{
    static const struct {
        enum memory_kind kind;
        size_t bytes;
    } most[] = { { MEMORY_BODY, 4 * MB }, { MEMORY_DOCUMENT, 6 * MB }, { MEMORY_REPLY, 8 * MB } };
    struct fixture *f = *state;
    struct holder other;
    hold(&other, f, 0, OTHER_HOG, MB);
    for (size_t i = 0; i < ARRAY_LEN(most); i++) {
        struct waiter one;
        init(&one, f, (struct by){ 0, HOG }, most[i].kind);
        struct waiter next;
        init(&next, f, (struct by){ 0, HOG }, most[i].kind);
        next.wait.request = "another one";
        assert_int_equal(memory_ask(&one.wait, most[i].bytes), MEMORY_GO);
        assert_null(f->shares[HOG].privileged);
        assert_int_equal(memory_ask(&one.wait, most[i].bytes + 1), MEMORY_GO);
        assert_ptr_equal(f->shares[HOG].privileged, one.wait.request);
        begin(&next, most[i].bytes + 1); /* one alone goes beyond it */
        memory_leave(&one.wait);
        run(f);
        assert_int_equal(next.n_gone_on, 0);
        memory_share_leave(&f->shares[HOG], one.wait.request);
        run(f);
        assert_int_equal(next.n_gone_on, 1);
        memory_leave(&next.wait);
        memory_share_leave(&f->shares[HOG], next.wait.request);
    }
    give_back(&other);
}

/* Whichever worker gives it back. */
static void test_told_of_room(void **state)
{
    struct fixture *f = *state;
    struct holder holders[2];
    for (size_t worker = 0; worker < ARRAY_LEN(f->work); worker++) {
        hold(&holders[0], f, 0, HOG, 15 * MB);
        hold(&holders[1], f, 1, OTHER_HOG, 15 * MB);
        struct waiter one;
        init(&one, f, (struct by){ worker, INNOCENT }, MEMORY_BODY);
        begin(&one, MB);
        run(f);
        assert_int_equal(one.n_gone_on, 0);
        give_back(&holders[0]);
        assert_true((f->work[worker].news & NEWS_ROOM) != 0);
        run(f);
        assert_int_equal(one.n_gone_on, 1);
        assert_int_equal(f->shares[INNOCENT].budget.used, MB); /* kept for it */
        memory_leave(&one.wait);
        give_back(&holders[1]);
    }
}

static void test_told_of_more(void **state)
{
    struct fixture *f = *state;
    struct holder holder;
    hold(&holder, f, 0, HOG, 30 * MB);
    struct waiter one;
    init(&one, f, (struct by){ 1, INNOCENT }, MEMORY_BODY);
    begin(&one, MB);
    run(f);
    assert_int_equal(one.n_gone_on, 0);
    commons_set_memory(&f->commons, 2 * MEMORY);
    run(f);
    assert_int_equal(one.n_gone_on, 1);
    memory_leave(&one.wait);
    give_back(&holder);
}

/* In their order, and a call that would take a slot behind the replies of its caller. */
static void test_told_by_others_of_the_caller(void **state)
{
    struct fixture *f = *state;
    struct holder holder;
    hold(&holder, f, 0, HOG, 8 * MB);
    struct holder other;
    hold(&other, f, 0, OTHER_HOG, 20 * MB);
    struct waiter first;
    init(&first, f, (struct by){ 0, HOG }, MEMORY_REPLY);
    struct waiter second;
    init(&second, f, (struct by){ 1, HOG }, MEMORY_REPLY);
    struct waiter slot;
    init(&slot, f, (struct by){ 1, HOG }, MEMORY_SLOT);
    second.wait.request = slot.wait.request = "another one";
    begin(&first, MB);
    begin(&second, MB);
    begin(&slot, KB);
    run(f);
    give_back(&holder);
    assert_int_equal(first.n_gone_on + second.n_gone_on + slot.n_gone_on, 0);
    memory_feed(&f->work[1]);
    assert_int_equal(second.n_gone_on + slot.n_gone_on, 0);
    run(f);
    assert_int_equal(first.n_gone_on, 1);
    assert_int_equal(second.n_gone_on, 1);
    assert_int_equal(slot.n_gone_on, 1);
    memory_leave(&first.wait);
    memory_leave(&second.wait);
    memory_leave(&slot.wait);
    give_back(&other);
}

static void test_patience_ends(void **state)
{
    struct fixture *f = *state;
    struct holder holder;
    hold(&holder, f, 0, HOG, 30 * MB);
    struct waiter one;
    init(&one, f, (struct by){ 0, INNOCENT }, MEMORY_BODY);
    one.wait.patience_ms = SHORT;
    memory_release(&holder.hold); /* none of it can be given back */
    begin(&one, MB);
    int64_t until_ms = one.wait.until_ms;
    while (one.n_gone_on == 0)
        wait_and_run(f, 0);
    assert_true(clock_now_ms() >= until_ms);
    assert_int_equal(memory_ask(&one.wait, MB), MEMORY_NONE);
    memory_leave(&one.wait);
    give_back(&holder);
}

/* After a quarter of the patience; the next time at once. The largest alone, and of it the largest
 * part. */
static void test_who_holds_most_gives_way(void **state)
{
    struct fixture *f = *state;
    struct holder large, largest, small, other;
    hold(&large, f, 0, HOG, 5 * MB);
    hold(&small, f, 1, HOG, 2 * MB);
    hold(&largest, f, 1, HOG, 13 * MB);
    hold(&other, f, 0, OTHER_HOG, 11 * MB);
    struct waiter one;
    init(&one, f, (struct by){ 0, INNOCENT }, MEMORY_BODY);
    one.wait.patience_ms = 10 * SHORT;
    begin(&one, MB);
    run(f);
    int64_t since_ms = clock_now_ms();
    while (one.n_gone_on == 0)
        wait_and_run(f, 0);
    assert_true(clock_now_ms() >= since_ms + 10 * SHORT / 4 - 1);
    assert_int_equal(largest.n_asked, 1);
    assert_int_equal(large.n_asked + small.n_asked + other.n_asked, 0);
    take(&one, MB);
    hold(&largest, f, 0, HOG, 13 * MB);
    struct waiter next;
    init(&next, f, (struct by){ 1, INNOCENT }, MEMORY_DOCUMENT);
    begin(&next, MB);
    run(f);
    assert_int_equal(next.n_gone_on, 1);
    assert_int_equal(largest.n_asked, 1);
    assert_int_equal(large.n_asked + small.n_asked + other.n_asked, 0);
    memory_leave(&next.wait);
    memory_leave(&one.wait);
    budget_give(&f->shares[INNOCENT].budget, MB);
    give_back(&large);
    give_back(&small);
    give_back(&other);
}

/* One who holds as much as anybody else has nobody give way. */
static void test_the_largest_presses_nobody(void **state)
{
    struct fixture *f = *state;
    struct holder holders[2];
    hold(&holders[0], f, 0, HOG, 16 * MB);
    hold(&holders[1], f, 0, OTHER_HOG, 16 * MB);
    f->commons.press.yielded_ms = clock_now_ms();
    struct waiter one;
    init(&one, f, (struct by){ 0, HOG }, MEMORY_BODY);
    one.wait.patience_ms = SHORT;
    begin(&one, MB);
    while (one.n_gone_on == 0)
        wait_and_run(f, 0);
    assert_int_equal(holders[0].n_asked + holders[1].n_asked, 0);
    assert_int_equal(memory_ask(&one.wait, MB), MEMORY_NONE);
    memory_leave(&one.wait);
    give_back(&holders[0]);
    give_back(&holders[1]);
}

/* One who goes beyond its share takes nothing from those within theirs. */
static void test_beyond_the_share(void **state)
{
    struct fixture *f = *state;
    struct holder holders[4];
    f->commons.press.yielded_ms = clock_now_ms();
    for (size_t i = 0; i < ARRAY_LEN(holders); i++)
        hold(&holders[i], f, 0, FIRST_OF_MANY + i, 7 * MB);
    struct waiter one;
    init(&one, f, (struct by){ 0, HOG }, MEMORY_BODY);
    begin(&one, 5 * MB);
    run(f);
    for (size_t i = 0; i < ARRAY_LEN(holders); i++)
        assert_int_equal(holders[i].n_asked, 0);
    assert_int_equal(one.n_gone_on, 0);
    memory_leave(&one.wait);
    init(&one, f, (struct by){ 0, HOG }, MEMORY_BODY);
    begin(&one, 4 * MB);
    run(f);
    assert_int_equal(one.n_gone_on, 1);
    memory_leave(&one.wait);
    for (size_t i = 0; i < ARRAY_LEN(holders); i++)
        give_back(&holders[i]);
}

/* A part of it after the other, however slowly, and nobody who holds more takes it. */
static void test_what_is_given_back_is_kept(void **state)
{
    struct fixture *f = *state;
    struct holder parts[16];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        hold(&parts[i], f, i % 2, HOG, 2 * MB);
        parts[i].is_slow = true;
    }
    f->commons.press.yielded_ms = clock_now_ms();
    struct waiter hostile;
    init(&hostile, f, (struct by){ 0, HOG }, MEMORY_BODY);
    struct waiter one;
    init(&one, f, (struct by){ 1, INNOCENT }, MEMORY_DOCUMENT);
    begin(&hostile, KB);
    begin(&one, 3 * MB);
    for (size_t n = 0; one.n_gone_on == 0; n++) {
        run(f);
        struct holder *asked = NULL;
        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
            if (parts[i].n_asked > 0 && parts[i].taken > 0) {
                assert_null(asked); /* one at a time */
                asked = &parts[i];
            }
        if (asked == NULL)
            break;
        give_back(asked);
        assert_true(n < ARRAY_LEN(parts));
    }
    assert_int_equal(hostile.n_gone_on, 0);
    assert_int_equal(f->shares[HOG].budget.used, 24 * MB);
    take(&one, 3 * MB);
    memory_leave(&one.wait);
    memory_leave(&hostile.wait);
    budget_give(&f->shares[INNOCENT].budget, 3 * MB);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].taken > 0)
            give_back(&parts[i]);
}

/* Replies that wait for memory, too: they are told that their patience is over. */
static void test_replies_that_wait_give_way(void **state)
{
    struct fixture *f = *state;
    struct holder holder;
    hold(&holder, f, 0, HOG, 28 * MB);
    memory_release(&holder.hold);
    f->commons.press.yielded_ms = clock_now_ms();
    struct waiter reply;
    init(&reply, f, (struct by){ 1, HOG }, MEMORY_REPLY);
    reply.wait.held = 4 * MB;
    begin(&reply, MB);
    struct waiter one;
    init(&one, f, (struct by){ 0, INNOCENT }, MEMORY_BODY);
    begin(&one, MB);
    run(f);
    assert_int_equal(reply.n_gone_on, 1);
    assert_int_equal(memory_ask(&reply.wait, MB), MEMORY_NONE);
    budget_give(&f->shares[HOG].budget, reply.wait.held);
    run(f);
    assert_int_equal(one.n_gone_on, 1);
    memory_leave(&reply.wait);
    memory_leave(&one.wait);
    holder.taken -= reply.wait.held;
    give_back(&holder);
}

/* However many they are, and however they come again. */
static void test_many_together(void **state)
{
    struct fixture *f = *state;
    struct holder holders[HOSTILE];
    size_t each = MEMORY / HOSTILE;
    f->commons.press.yielded_ms = clock_now_ms();
    for (size_t i = 0; i < HOSTILE; i++) {
        hold(&holders[i], f, i % 2, FIRST_OF_MANY + i, each);
    }
    for (size_t n = 0; n < 100; n++) {
        enum memory_kind kind = n % 2 == 0 ? MEMORY_BODY : MEMORY_REPLY;
        struct waiter one;
        init(&one, f, (struct by){ n % 3 % 2, INNOCENT }, kind);
        begin(&one, MB);
        run(f);
        take(&one, MB);
        memory_leave(&one.wait);
        budget_give(&f->shares[INNOCENT].budget, MB);
        for (size_t i = 0; i < HOSTILE; i++)
            if (holders[i].taken == 0)
                hold(&holders[i], f, i % 2, FIRST_OF_MANY + i, each);
    }
    for (size_t i = 0; i < HOSTILE; i++)
        give_back(&holders[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_a_share),
        TEST(test_told_of_room),
        TEST(test_told_of_more),
        TEST(test_told_by_others_of_the_caller),
        TEST(test_patience_ends),
        TEST(test_who_holds_most_gives_way),
        TEST(test_the_largest_presses_nobody),
        TEST(test_beyond_the_share),
        TEST(test_what_is_given_back_is_kept),
        TEST(test_replies_that_wait_give_way),
        TEST(test_many_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
