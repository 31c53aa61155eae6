/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/request.h"

#include "base/clock.h"
#include "gateway/batch.h"
#include "gateway/memory.h"

#include <assert.h>

/* How much of an oversize chunked body is read for the sake of a proper answer. [bytes] */
#define OVERSIZE_MAX ((uint64_t)1024 * 1024)

static_assert(REQUEST_STATES == WORKER_REQUEST_STATES, "the worker keeps a list for each state");

/* READING may end at once: a refusal, an answer of our own, a caller that left. */
static const unsigned char may_follow[REQUEST_STATES] = {
    [REQUEST_READING] = 1 << REQUEST_WORKING | 1 << REQUEST_REPLYING,
    [REQUEST_WORKING] = 1 << REQUEST_REPLYING,
    [REQUEST_REPLYING] = 0,
};

void request_enter(struct request *r, enum request_state next)
{
    assert(may_follow[r->state] & 1 << next);
    r->state = next;
    list_remove(&r->in_state);
    list_add_last(&r->worker->requests_in[next], &r->in_state);
}

bool request_is_post(const struct request *r)
{
    return str_eq(http_head(r->exchange)->method, STR("POST"));
}

/* Its body can be taken again. */
static void on_room(struct memory_wait *wait)
{
    http_resume(CONTAINER_OF(wait, struct request, memory)->exchange);
}

static void init_memory(struct request *r)
{
    list_init(&r->memory.in_starved);
    r->memory.worker = r->worker;
    r->memory.is_body = true;
    r->memory.on_room = on_room;
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
    list_add_last(&w->requests_in[REQUEST_READING], &r->in_state);
    init_memory(r);
    look_init(r);
    buf_init(&r->body, (size_t)r->view->config->limits.body, &w->gateway->memory);
    chain_init(&r->reply, SIZE_MAX, &w->gateway->memory);
    buf_init(&r->tracestate, (size_t)r->view->config->limits.headers, NULL);
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

/* What was only to be refused if there is a body. */
static void check_late_type(struct request *r)
{
    if (r->failed || !r->type_is_wrong)
        return;
    r->failed = !request_check_type(r, &r->error);
}

static bool has_room(struct request *r, size_t bytes)
{
    r->memory.held = r->body.cap;
    return r->body.len + bytes < r->body.cap || memory_has_room(&r->memory, bytes);
}

static bool wait_for_room(struct request *r, size_t bytes)
{
    r->memory.patience_ms = r->upstream != NULL ? r->upstream->pool.queue_timeout : 0;
    if (!memory_wait(&r->memory, bytes))
        return false;
    if (r->body.state == BUF_NO_MEMORY)
        r->body.state = BUF_OK;
    return true;
}

/* The body stays within its limit, or the request has failed and it is thrown away. */
static bool on_body(void *context, struct http_exchange *x, struct str bytes)
{
    struct request *r = http_user(x);
    uint64_t announced;
    size_t need = bytes.len;
    (void)context;
    check_late_type(r);
    if (!r->failed && r->wants_body) {
        if (r->body.data == NULL && head_content_length(http_head(x), &announced))
            need = (size_t)announced;
        if (has_room(r, need) && buf_reserve(&r->body, need))
            buf_append(&r->body, bytes);
        else if (r->body.state != BUF_FULL && wait_for_room(r, need))
            return false;
        else
            fail_body(r);
    }
    r->body_bytes += bytes.len;
    if ((r->failed || !r->wants_body) && r->body_bytes > (uint64_t)r->body.max + OVERSIZE_MAX)
        http_abort(x);
    return true;
}

static void on_complete(void *context, struct http_exchange *x)
{
    struct request *r = http_user(x);
    (void)context;
    if (r->failed)
        request_fail(r);
    else if (r->upstream != NULL && !request_is_post(r))
        look_begin(r);
    else if (r->route.kind == ROUTE_METHOD)
        request_call_one(r);
    else if (r->route.kind == ROUTE_UPSTREAM || r->route.kind == ROUTE_JSONRPC)
        batch_start(r);
    else
        request_local(r);
}

static void on_gone(void *context, struct http_exchange *x)
{
    struct request *r = http_user(x);
    (void)context;
    r->caller_gone = true;
    if (r->batch != NULL)
        batch_abandon(r->batch);
    else if (r->state == REQUEST_WORKING)
        call_abandon(&r->call);
}

static void on_closed(void *context, struct http_exchange *x, bool sent)
{
    struct request *r = http_user(x);
    (void)context;
    if (r == NULL)
        return;
    struct worker *w = r->worker;
    if (r->batch != NULL)
        batch_drop(r->batch);
    else if (r->state == REQUEST_WORKING)
        call_drop(&r->call);
    look_drop(r);
    request_leave_flight(r);
    request_log(r, sent && !r->caller_gone);
    metrics_count_request(r);
    list_remove(&r->in_state);
    list_remove(&r->memory.in_starved);
    buf_done(&r->body);
    buf_done(&r->tracestate);
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
    r->failed = true;
    r->problem = problem_info(r->error.type)->name;
    request_enter(r, REQUEST_REPLYING);
    request_reply(r);
}

void request_fail_with(struct request *r, const struct call_end *end)
{
    r->error = *end->error;
    r->fault = end->fault;
    r->protocol = end->protocol;
    request_fail(r);
    r->fault = NULL;
    r->protocol = NULL;
}

void request_succeed(struct request *r, int status)
{
    if (chain_state(&r->reply) != CHAIN_OK) {
        error_limit(&r->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                    "The answer does not fit into limits.memory now. Ask for less, or raise "
                    "that limit.");
        request_fail(r);
        return;
    }
    r->status = status;
    request_enter(r, REQUEST_REPLYING);
    request_reply(r);
}

void request_cut_off(struct request *r)
{
    if (r->state == REQUEST_READING) {
        if (memory_waits(&r->memory)) {
            http_resume(r->exchange); /* its body is thrown away */
            r->failed = true;
        }
        list_remove(&r->memory.in_starved);
        return;
    }
    if (r->batch != NULL) {
        batch_cut_off(r->batch);
        return;
    }
    call_drop(&r->call);
    look_drop(r);
    call_error_draining(&r->error);
    request_fail(r);
}
