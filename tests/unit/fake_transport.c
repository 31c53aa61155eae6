/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_transport.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t now_ns; /* 0: the clock runs by itself */

/* The program's own takes the place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (now_ns == 0 || clock != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec = (time_t)(now_ns / 1000000000);
    now->tv_nsec = (long)(now_ns % 1000000000);
    return 0;
}

void fake_clock_start(void)
{
    now_ns = INT64_C(1000) * 1000000000;
}

void fake_clock_add_ms(int64_t ms)
{
    now_ns += ms * 1000000;
}

struct fake_remote {
    struct remote remote;
    const struct upstream_config *config;
    size_t n; /* calls under way */
};

struct fake_exchange {
    struct list member;
    struct fake_remote *to;
    struct upstream_call *call;
    int64_t began_us;
};

static struct fake *fake_of(const struct transport *t)
{
    return CONTAINER_OF((struct transport *)(uintptr_t)t, struct fake, transport);
}

static struct fake_remote *remote_of(struct remote *remote)
{
    return CONTAINER_OF(remote, struct fake_remote, remote);
}

static struct remote *open_remote(struct transport *t, const struct upstream_config *config,
                                  struct upstream_shared *shared)
{
    struct fake_remote *r = xcalloc(1, sizeof *r);
    (void)shared;
    r->remote.transport = t;
    r->config = config;
    fake_of(t)->n_open++;
    return &r->remote;
}

static void close_remote(struct remote *remote)
{
    assert_int_equal(remote_of(remote)->n, 0);
    fake_of(remote->transport)->n_open--;
    free(remote_of(remote));
}

static void submit(struct remote *remote, struct upstream_call *call)
{
    struct fake *f = fake_of(remote->transport);
    struct fake_exchange *x = xcalloc(1, sizeof *x);
    assert_null(call->handle);
    assert_in_range(call->target, 0, remote_of(remote)->config->n_targets - 1);
    x->to = remote_of(remote);
    x->call = call;
    x->began_us = clock_now_us();
    x->to->n++;
    call->handle = x;
    list_add_last(&f->exchanges, &x->member);
    f->n_submitted++;
    f->last = x->to->config;
}

static void leave(struct fake_exchange *x)
{
    x->call->handle = NULL;
    x->to->n--;
    list_remove(&x->member);
    free(x);
}

static void go_on(struct remote *remote, struct upstream_call *call)
{
    assert_non_null(call->handle);
    fake_of(remote->transport)->n_gone_on++;
}

static void cancel(struct remote *remote, struct upstream_call *call)
{
    assert_non_null(call->handle);
    fake_of(remote->transport)->n_cancelled++;
    leave(call->handle);
}

static void drop(struct remote *remote)
{
    fake_of(remote->transport)->n_dropped++;
}

static void run(struct transport *t)
{
    (void)t;
}

static int64_t deadline_ms(const struct transport *t)
{
    (void)t;
    return CLOCK_NEVER;
}

static void done(struct transport *t)
{
    assert_int_equal(fake_n(fake_of(t)), 0);
    assert_int_equal(fake_of(t)->n_open, 0);
}

struct transport *fake_init(struct fake *f)
{
    static const struct transport_row row = {
        .open = open_remote,
        .close = close_remote,
        .submit = submit,
        .go_on = go_on,
        .cancel = cancel,
        .drop = drop,
        .run = run,
        .deadline_ms = deadline_ms,
        .done = done,
    };
    *f = (struct fake){ .transport = { .row = &row } };
    list_init(&f->exchanges);
    return &f->transport;
}

size_t fake_n(const struct fake *f)
{
    size_t n = 0;
    for (const struct list *at = f->exchanges.next; at != &f->exchanges; at = at->next)
        n++;
    return n;
}

static struct fake_exchange *exchange_at(const struct fake *f, size_t i)
{
    struct list *at = f->exchanges.next;
    assert_in_range(i, 0, fake_n(f) - 1);
    while (i-- > 0)
        at = at->next;
    return CONTAINER_OF(at, struct fake_exchange, member);
}

struct upstream_call *fake_call(const struct fake *f, size_t i)
{
    return exchange_at(f, i)->call;
}

char *fake_document(const struct fake *f, size_t i)
{
    return chain_dup(fake_call(f, i)->body);
}

void fake_head(struct fake *f, size_t i, int status, const char *content_type)
{
    struct upstream_call *call = fake_call(f, i);
    call->on_head(call, status, str_of(content_type));
}

bool fake_data(struct fake *f, size_t i, const char *bytes)
{
    struct upstream_call *call = fake_call(f, i);
    return call->on_data(call, str_of(bytes));
}

void fake_end(struct fake *f, size_t i, const struct upstream_result *result)
{
    struct fake_exchange *x = exchange_at(f, i);
    struct upstream_call *call = x->call;
    struct upstream_result told = *result;
    told.duration_us = clock_now_us() - x->began_us;
    leave(x);
    call->on_done(call, &told);
}

void fake_answer(struct fake *f, size_t i, int status, const char *body)
{
    struct upstream_result result = { .status = UPSTREAM_OK,
                                      .reached = true,
                                      .http_status = status };
    fake_head(f, i, status, "text/xml");
    if (body[0] != '\0' && !fake_data(f, i, body))
        result.status = UPSTREAM_STOPPED;
    fake_end(f, i, &result);
}

void fake_fail(struct fake *f, size_t i, enum upstream_status status, bool reached)
{
    struct upstream_result result = { .status = status, .reached = reached };
    snprintf(result.detail, sizeof result.detail, "it failed");
    fake_end(f, i, &result);
}
