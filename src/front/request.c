/* SPDX-License-Identifier: Apache-2.0 */
#include "front/request.h"

#include "base/clock.h"
#include "front/access_log.h"
#include "front/form.h"
#include "front/task.h"
#include "rules/media.h"
#include "work/memory.h"

#include <assert.h>

/* How much of an oversize chunked body is read for the sake of a proper answer. [bytes] */
#define OVERSIZE_MAX ((uint64_t)1024 * 1024)

/* What must be free in a caller's share for work to begin. [bytes] */
#define BEGIN_BYTES ((size_t)4 * 1024)

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
    list_add_last(&r->front->requests_in[next], &r->in_state);
}

static void set_no_room(struct request *r)
{
    error_limit(&r->error, PROBLEM_OVERLOADED, "limits.memory",
                "The request does not fit into limits.memory now. Try again later, or raise that "
                "limit.");
    r->error.retry_after = MEMORY_RETRY_AFTER;
}

/* What is still sent of its body is thrown away, so that the answer, r->error, can go out behind
 * it. */
static void cut_off_body(struct request *r)
{
    r->failed = true;
    buf_done(&r->body);
    memory_release(&r->hold);
    if (memory_waits(&r->memory))
        http_resume(r->exchange);
    memory_leave(&r->memory);
}

/* The caller has the status line already: only the log can tell why the reply ends. */
static void cut_off_reply(struct request *r)
{
    error_limit(&r->error, PROBLEM_OVERLOADED, "limits.memory",
                "This reply was not read to its end, its caller held most of limits.memory, and "
                "others waited for room in it.");
    r->problem = problem_info(r->error.type)->name;
    r->is_cut_off = true;
    http_cut_off(r->exchange);
}

static void give_way(struct memory_hold *hold)
{
    struct request *r = CONTAINER_OF(hold, struct request, hold);
    if (r->state == REQUEST_REPLYING) {
        cut_off_reply(r);
        return;
    }
    set_no_room(r);
    cut_off_body(r);
}

static void begin_work(struct request *r);

/* Its body can be taken again, or it is all there and may begin. */
static void on_room(struct memory_wait *wait)
{
    struct request *r = CONTAINER_OF(wait, struct request, memory);
    if (r->is_whole)
        begin_work(r);
    else
        http_resume(r->exchange);
}

/* What it takes counts for its caller. Who that is is known behind the head. */
static void set_share(struct request *r, struct memory_share *share)
{
    const char *setting;
    r->share = share;
    buf_init(&r->body, request_body_max(r, &setting), &share->budget);
    chain_init(&r->reply, SIZE_MAX, &share->budget);
    memory_wait_init(&r->memory, r->front->work, share, r);
    r->memory.kind = MEMORY_BODY;
    r->memory.on_room = on_room;
    r->hold.give_way = give_way;
    r->memory.patience_ms = r->upstream != NULL ? r->upstream->pool.queue_timeout : 0;
}

static struct request *request_begin(struct endpoint *endpoint, struct http_exchange *x)
{
    struct front *front = endpoint->front;
    struct request *r = front_take_request(front);
    r->front = front;
    r->site = site_hold(front->client->site);
    r->endpoint = endpoint;
    r->exchange = x;
    r->state = REQUEST_READING;
    r->began_us = clock_now_us();
    list_init(&r->in_state);
    list_add_last(&front->requests_in[REQUEST_READING], &r->in_state);
    set_share(r, &front->work->commons->own);
    buf_init(&r->tracestate, (size_t)r->site->config->limits.headers, NULL);
    atomic_fetch_add_explicit(&front->running, 1, memory_order_relaxed);
    http_set_user(x, r);
    return r;
}

/* A body that is not as long as it may be takes no memory beyond its end. */
static void expect_body(struct request *r)
{
    uint64_t announced;
    if (head_content_length(http_head(r->exchange), &announced) && announced < r->body.max)
        r->body.max = (size_t)announced;
}

static void on_head(void *context, struct http_exchange *x)
{
    struct request *r = request_begin(context, x);
    if (!request_admit(r)) {
        request_fail(r);
        return;
    }
    if (r->caller_name != NULL)
        set_share(r, request_share(r));
    expect_body(r);
}

static void fail_body(struct request *r)
{
    const char *setting;
    size_t max = request_body_max(r, &setting);
    if (r->body.state == BUF_FULL)
        error_limit(&r->error, PROBLEM_BODY_TOO_LARGE, setting,
                    "The body is over %s (%zu bytes). Send less, or raise that limit.", setting,
                    max);
    else
        set_no_room(r);
    cut_off_body(r);
}

/* What was only to be refused if there is a body. */
static void check_late_type(struct request *r)
{
    if (r->failed || !r->type_is_wrong)
        return;
    r->failed = !request_check_type(r, &r->error);
}

/* Else what comes of it is thrown away. */
static bool takes_body(const struct request *r)
{
    return !r->failed && r->target.row->takes_body;
}

/* Memory is taken as the bytes come: what is only announced takes nothing. */
static enum memory_answer take_body(struct request *r, struct str bytes)
{
    enum memory_answer room = MEMORY_GO;
    size_t growth = buf_growth(&r->body, bytes.len);
    r->memory.held = r->body.cap;
    if (growth > 0)
        room = memory_ask(&r->memory, growth);
    if (room != MEMORY_GO)
        return room;
    buf_append(&r->body, bytes);
    memory_hold(&r->hold, r->front->work, r->share, r->body.cap);
    if (r->body.state != BUF_NO_MEMORY)
        return buf_ok(&r->body) ? MEMORY_GO : MEMORY_NONE;
    r->body.state = BUF_OK;
    return memory_wait(&r->memory, growth) ? MEMORY_WAIT : MEMORY_NONE;
}

/* The body stays within its limit, or the request has failed and it is thrown away. */
static bool on_body(void *context, struct http_exchange *x, struct str bytes)
{
    struct request *r = http_user(x);
    (void)context;
    check_late_type(r);
    if (takes_body(r)) {
        enum memory_answer room = take_body(r, bytes);
        if (room == MEMORY_WAIT)
            return false;
        if (room == MEMORY_NONE)
            fail_body(r);
    }
    r->body_bytes += bytes.len;
    if (!takes_body(r) && r->body_bytes > (uint64_t)r->body.max + OVERSIZE_MAX)
        http_abort(x);
    return true;
}

static void begin_task(struct request *r)
{
    if (r->upstream != NULL && !head_timeout(http_head(r->exchange), &r->timeout_ms, &r->error)) {
        request_fail(r);
        return;
    }
    r->task = r->target.row->task;
    r->task->begin(r);
}

static void drop_task(struct request *r)
{
    const struct task *task = TAKE(r->task);
    if (task != NULL && task->drop != NULL)
        task->drop(r);
}

/* Whoever has taken its share begins nothing more at an upstream. Health checks, which ask for no
 * caller, are always answered. */
static enum memory_answer may_begin(struct request *r)
{
    r->memory.held = r->body.cap;
    if (r->upstream != NULL)
        return memory_ask(&r->memory, BEGIN_BYTES);
    return r->caller_name == NULL || memory_may_answer(&r->memory) ? MEMORY_GO : MEMORY_NONE;
}

static void begin_work(struct request *r)
{
    enum memory_answer room = may_begin(r);
    if (room == MEMORY_WAIT)
        return;
    memory_leave(&r->memory); /* what is begun asks for itself */
    if (room == MEMORY_GO && !r->caller_gone) {
        begin_task(r);
        return;
    }
    if (r->caller_gone)
        error_set(&r->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
    else
        set_no_room(r);
    request_fail(r);
}

static void on_complete(void *context, struct http_exchange *x)
{
    struct request *r = http_user(x);
    (void)context;
    if (r->failed) {
        request_fail(r);
        return;
    }
    memory_leave(&r->memory); /* of the body, */
    memory_release(&r->hold); /* which its work needs now */
    r->memory.kind = MEMORY_DOCUMENT;
    r->is_whole = true;
    begin_work(r);
}

static void on_gone(void *context, struct http_exchange *x)
{
    struct request *r = http_user(x);
    (void)context;
    r->caller_gone = true;
    if (r->state == REQUEST_WORKING && r->task->gone != NULL)
        r->task->gone(r);
}

struct upstream_record *request_record(const struct request *r)
{
    return r->upstream != NULL ? site_record(r->site, r->upstream) : r->front->shared->no_upstream;
}

/* What becomes of calls is counted for each by itself. */
static void count(const struct request *r)
{
    struct upstream_record *record = request_record(r);
    size_t worker = r->front->work->index;
    struct str method = r->upstream != NULL ? target_method(&r->target) : STR("");
    if (r->failed && r->sums.n_calls == 0)
        metrics_count_outcome(record, worker, method, 1 + (size_t)r->error.type);
    if (r->upstream != NULL)
        metrics_count_request(record, worker, r->target.row->form->face,
                              clock_now_us() - r->began_us);
}

static void on_closed(void *context, struct http_exchange *x, bool sent)
{
    struct request *r = http_user(x);
    (void)context;
    if (r == NULL)
        return;
    struct front *front = r->front;
    drop_task(r);
    request_leave_flight(r);
    request_log(r, sent && !r->caller_gone);
    count(r);
    list_remove(&r->in_state);
    memory_release(&r->hold);
    memory_leave(&r->memory);
    memory_share_leave(r->share, r);
    buf_done(&r->body);
    buf_done(&r->tracestate);
    chain_done(&r->reply);
    http_set_user(x, NULL);
    site_release(r->site);
    front_give_request(front, r);
    atomic_fetch_sub_explicit(&front->running, 1, memory_order_relaxed);
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
    memory_leave(&r->memory);
    memory_release(&r->hold);
    r->failed = true;
    r->problem = problem_info(r->error.type)->name;
    request_enter(r, REQUEST_REPLYING);
    request_reply(r);
}

void request_fail_with(struct request *r, const struct verdict *verdict)
{
    r->error = *verdict->error;
    r->fault = verdict->fault;
    r->protocol = verdict->protocol;
    request_fail(r);
    r->fault = NULL;
    r->protocol = NULL;
}

bool request_has_room(struct request *r, size_t bytes)
{
    switch (memory_ask(&r->memory, bytes)) {
    case MEMORY_GO:
        return true;
    case MEMORY_WAIT:
        return false;
    case MEMORY_NONE:
        break;
    }
    error_limit(&r->error, PROBLEM_OVERLOADED, "limits.memory",
                "The answer does not fit into limits.memory now. Try again later, or raise that "
                "limit.");
    r->error.retry_after = MEMORY_RETRY_AFTER;
    request_fail(r);
    return false;
}

void request_send(struct request *r)
{
    if (chain_state(&r->reply) != CHAIN_OK) {
        error_limit(&r->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                    "The answer does not fit into limits.memory now. Ask for less, or raise "
                    "that limit.");
        request_fail(r);
        return;
    }
    request_enter(r, REQUEST_REPLYING);
    request_reply(r);
}

void request_succeed(struct request *r, int status)
{
    const struct form *form = r->target.row->form;
    r->status = status;
    if (form->arrange != NULL && chain_state(&r->reply) == CHAIN_OK)
        form->arrange(r);
    else
        request_send(r);
}

void request_cut_off(struct request *r)
{
    if (r->state == REQUEST_READING && !r->is_whole) {
        if (!r->failed)
            call_error_draining(&r->error);
        cut_off_body(r);
        return;
    }
    if (r->task != NULL && r->task->cut_off != NULL) {
        r->task->cut_off(r);
        return;
    }
    drop_task(r);
    call_error_draining(&r->error);
    request_fail(r);
}
