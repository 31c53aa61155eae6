/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/request.h"

#include "base/clock.h"
#include "gateway/attempt.h"
#include "gateway/memory.h"

#include <assert.h>

/* How much of an oversize chunked body is read for the sake of a proper answer. [bytes] */
#define OVERSIZE_MAX ((uint64_t)1024 * 1024)

static_assert(REQUEST_STATES == WORKER_REQUEST_STATES, "the worker keeps a list for each state");

/* READING may end at once: a refusal, an answer of our own, a caller that left. */
static const unsigned char may_follow[REQUEST_STATES] = {
    [REQUEST_READING] = 1 << REQUEST_TRANSLATING | 1 << REQUEST_REPLYING,
    [REQUEST_TRANSLATING] = 1 << REQUEST_QUEUED | 1 << REQUEST_CALLING | 1 << REQUEST_REPLYING,
    [REQUEST_QUEUED] = 1 << REQUEST_CALLING | 1 << REQUEST_REPLYING,
    [REQUEST_CALLING] = 1 << REQUEST_BACKOFF | 1 << REQUEST_REPLYING,
    [REQUEST_BACKOFF] = 1 << REQUEST_QUEUED | 1 << REQUEST_CALLING | 1 << REQUEST_REPLYING,
    [REQUEST_REPLYING] = 0,
};

void request_enter(struct request *r, enum request_state next)
{
    assert(may_follow[r->state] & 1 << next);
    r->state = next;
    list_remove(&r->in_state);
    list_add_last(&r->worker->in_state[next], &r->in_state);
}

static struct request *request_begin(struct door *door, struct http_exchange *x)
{
    struct worker *w = door->worker;
    struct request *r = worker_take_request(w);
    r->worker = w;
    r->view = view_hold(w->view);
    r->door = door;
    r->exchange = x;
    r->state = REQUEST_READING;
    r->began_us = clock_now_us();
    list_init(&r->in_state);
    list_init(&r->in_starved);
    list_init(&r->in_queue);
    list_add_last(&w->in_state[REQUEST_READING], &r->in_state);
    buf_init(&r->body, (size_t)r->view->config->limits.body, &w->gateway->memory);
    chain_init(&r->reply, SIZE_MAX, &w->gateway->memory);
    chain_init(&r->document, SIZE_MAX, &w->gateway->memory);
    atomic_fetch_add_explicit(&w->running, 1, memory_order_relaxed);
    http_set_user(x, r);
    return r;
}

static void on_head(void *context, struct http_exchange *x)
{
    struct request *r = request_begin(context, x);
    if (!request_admit(r))
        request_fail(r);
}

static void fail_body(struct request *r)
{
    if (r->body.state == BUF_FULL)
        error_limit(&r->error, PROBLEM_BODY_TOO_LARGE, "limits.body",
                    "The body is over limits.body (%zu bytes). Send less, or raise that limit.",
                    r->view->config->limits.body);
    else
        error_limit(&r->error, PROBLEM_OVERLOADED, "limits.memory",
                    "The body does not fit into limits.memory now. Try again later, or raise that "
                    "limit.");
    r->error.retry_after = r->error.type == PROBLEM_OVERLOADED;
    r->failed = true;
    buf_done(&r->body);
}

/* The body stays within its limit, or the request has failed and it is thrown away. */
static bool on_body(void *context, struct http_exchange *x, struct str bytes)
{
    struct request *r = http_user(x);
    uint64_t announced;
    size_t need = bytes.len;
    (void)context;
    if (!r->failed) {
        if (r->body.data == NULL && head_content_length(http_head(x), &announced))
            need = (size_t)announced;
        if (memory_has_room(r, need) && buf_reserve(&r->body, need))
            buf_append(&r->body, bytes);
        else if (r->body.state != BUF_FULL && memory_wait(r, need))
            return false;
        else
            fail_body(r);
    }
    r->body_bytes += bytes.len;
    if (r->failed && r->body_bytes > (uint64_t)r->body.max + OVERSIZE_MAX)
        http_abort(x);
    return true;
}

static void on_complete(void *context, struct http_exchange *x)
{
    struct request *r = http_user(x);
    (void)context;
    if (r->failed)
        request_fail(r);
    else if (r->route.kind == ROUTE_METHOD)
        request_call(r);
    else
        request_local(r);
}

/* A call that was sent goes on to its end: an upstream that reads half a request may act on it, and
 * one that has read the whole acts on it anyway. One that waits is not sent any more. */
static void on_gone(void *context, struct http_exchange *x)
{
    struct request *r = http_user(x);
    (void)context;
    r->caller_gone = true;
    if (r->state == REQUEST_QUEUED || r->state == REQUEST_BACKOFF)
        r->wait_until_ms = r->worker->wait_due_ms = 0;
}

static void on_closed(void *context, struct http_exchange *x, bool sent)
{
    struct request *r = http_user(x);
    (void)context;
    if (r == NULL)
        return;
    struct worker *w = r->worker;
    attempt_drop(r);
    request_log(r, sent && !r->caller_gone);
    metrics_count(w->gateway->metrics[w->index], r);
    request_call_done(r);
    list_remove(&r->in_state);
    list_remove(&r->in_starved);
    buf_done(&r->body);
    chain_done(&r->document);
    chain_done(&r->reply);
    http_set_user(x, NULL);
    view_release(r->view);
    worker_give_request(w, r);
    atomic_fetch_sub_explicit(&w->running, 1, memory_order_relaxed);
}

const struct http_handler request_handler = {
    .head = on_head,
    .body = on_body,
    .complete = on_complete,
    .gone = on_gone,
    .closed = on_closed,
};

void request_fail(struct request *r)
{
    if (r->maybe_executed && r->error.executed == EXECUTED_NO)
        r->error.executed = EXECUTED_UNKNOWN;
    r->failed = true;
    request_enter(r, REQUEST_REPLYING);
    request_reply(r);
}

void request_succeed(struct request *r, int status)
{
    r->status = status;
    request_enter(r, REQUEST_REPLYING);
    request_reply(r);
}

void request_set_draining(struct request *r)
{
    error_limit(&r->error, PROBLEM_DRAINING, "limits.drain",
                "rpcgate is shutting down, and this call had not ended in time (limits.drain).");
    if (r->attempts > 0)
        r->error.executed = EXECUTED_UNKNOWN;
}

void request_cut_off(struct request *r)
{
    if (memory_waits(r) && r->state == REQUEST_READING) {
        http_resume(r->exchange); /* its body is thrown away */
        r->failed = true;
    }
    list_remove(&r->in_starved);
    if (r->state == REQUEST_REPLYING || r->state == REQUEST_READING)
        return;
    attempt_drop(r);
    request_set_draining(r);
    request_fail(r);
}
