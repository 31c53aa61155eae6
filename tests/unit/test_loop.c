/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct counter {
    struct loop_source source;
    struct loop *loop;
    struct counter *victim; /* removed when this one is ready */
    int n;
    uint32_t events;
};

static void count(struct loop_source *source, uint32_t events)
{
    struct counter *c = CONTAINER_OF(source, struct counter, source);
    c->n++;
    c->events = events;
    if (c->victim != NULL)
        loop_remove(c->loop, &c->victim->source);
}

static void counter_init(struct counter *c, struct loop *loop, unsigned value)
{
    *c = (struct counter){ .loop = loop };
    c->source.fd = eventfd(value, EFD_NONBLOCK | EFD_CLOEXEC);
    c->source.ready = count;
}

static void test_deadline(void **state UNUSED)
{
    struct loop *loop = loop_new();
    int64_t begin_ms = clock_now_ms();
    loop_wait(loop, begin_ms + 50);
    assert_in_range(clock_now_ms() - begin_ms, 49, 5000);
    assert_in_range(loop_now_ms(loop), begin_ms + 49, clock_now_ms());
    loop_wait(loop, begin_ms); /* in the past */
    loop_free(loop);
    loop_free(NULL);
}

static void test_changes(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct counter c;
    counter_init(&c, loop, 1);
    assert_true(loop_add(loop, &c.source, EPOLLIN));
    assert_false(loop_add(loop, &c.source, EPOLLIN));
    loop_wait(loop, CLOCK_NEVER);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.events, EPOLLIN);
    assert_true(loop_change(loop, &c.source, EPOLLOUT));
    loop_wait(loop, CLOCK_NEVER);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.events, EPOLLOUT);
    loop_remove(loop, &c.source);
    loop_wait(loop, 0);
    assert_int_equal(c.n, 2);
    assert_false(loop_change(loop, &c.source, EPOLLIN));
    close(c.source.fd);
    loop_free(loop);
}

/* Whichever of the two comes first in the batch removes the other. */
static void test_removed_in_the_batch(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct counter a, b;
    counter_init(&a, loop, 1);
    counter_init(&b, loop, 1);
    a.victim = &b;
    b.victim = &a;
    assert_true(loop_add(loop, &a.source, EPOLLIN));
    assert_true(loop_add(loop, &b.source, EPOLLIN));
    loop_wait(loop, CLOCK_NEVER);
    assert_int_equal(a.n + b.n, 1);
    close(a.source.fd);
    close(b.source.fd);
    loop_free(loop);
}

static void test_more_than_a_batch(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct counter all[200];
    int ready;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        counter_init(&all[i], loop, 1);
        assert_true(loop_add(loop, &all[i].source, EPOLLIN));
    }
    for (int turns = 0; turns < 4; turns++)
        loop_wait(loop, CLOCK_NEVER);
    ready = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        ready += all[i].n > 0;
        loop_remove(loop, &all[i].source);
        close(all[i].source.fd);
    }
    assert_int_equal(ready, ARRAY_LEN(all));
    loop_free(loop);
}

static void *wake(void *loop)
{
    loop_wake(loop);
    return NULL;
}

static void test_wake(void **state UNUSED)
{
    struct loop *loop = loop_new();
    pthread_t thread;
    loop_wake(loop);
    loop_wake(loop);
    loop_wait(loop, CLOCK_NEVER);
    assert_int_equal(pthread_create(&thread, NULL, wake, loop), 0);
    loop_wait(loop, CLOCK_NEVER);
    pthread_join(thread, NULL);
    int64_t begin_ms = clock_now_ms();
    loop_wait(loop, begin_ms + 30); /* nothing is left of the wakes */
    assert_in_range(clock_now_ms() - begin_ms, 29, 5000);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_removed_in_the_batch),
        cmocka_unit_test(test_more_than_a_batch),
        cmocka_unit_test(test_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
