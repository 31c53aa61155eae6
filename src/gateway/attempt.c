/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/attempt.h"

#include "base/clock.h"
#include "gateway/outcome.h"
#include "gateway/pool.h"
#include "gateway/verbose.h"
#include "rules/media.h"

#include <assert.h>
#include <inttypes.h>

/* When a full queue may have room again. [s] */
#define QUEUE_RETRY_AFTER 1

static struct pool *pool_of(const struct request *r)
{
    return r->view->pools[r->upstream->index];
}

static struct upstream_state *shared_of(const struct request *r)
{
    return pool_of(r)->shared;
}

static int64_t now_of(const struct request *r)
{
    return loop_now_ms(r->worker->loop);
}

/* After a failed attempt that failure is the answer: it says more than that there was no room for
 * another one. */
static void end_with_error(struct request *r)
{
    request_fail(r);
    request_call_done(r);
}

static void refuse_open(struct request *r, int64_t wait_ms)
{
    if (r->attempts == 0) {
        error_limit(&r->error, PROBLEM_CIRCUIT_OPEN, "breaker.failures",
                    "The upstream %s has failed %" PRId64 " times in a row and gets no calls for "
                    "breaker.open (%" PRId64 " ms). Try again later.",
                    r->upstream->name, r->upstream->breaker.failures, r->upstream->breaker.open);
        r->error.retry_after = (unsigned)((wait_ms + 999) / 1000);
    }
    end_with_error(r);
}

static void refuse_full(struct request *r)
{
    if (r->attempts == 0) {
        error_limit(&r->error, PROBLEM_OVERLOADED, "pool.max_queue",
                    "%" PRId64 " calls wait for the upstream %s already (pool.max_queue). Try "
                    "again later, or raise that limit or pool.max_connections.",
                    r->upstream->pool.max_queue, r->upstream->name);
        r->error.retry_after = QUEUE_RETRY_AFTER;
    }
    end_with_error(r);
}

static void tell_late(struct request *r)
{
    const char *setting = "pool.queue_timeout", *limit = setting;
    if (clock_now_ms() >= r->deadline_ms) {
        setting = r->is_short ? "pool.max_connections" : r->rule.timeout_setting;
        limit = r->is_short ? "X-Rpcgate-Timeout" : setting;
    }
    error_limit(&r->error, PROBLEM_OVERLOADED, setting,
                "The call waited for its turn at the upstream %s until its time was over (%s). Try "
                "again later, or raise pool.max_connections.",
                r->upstream->name, limit);
    r->error.retry_after = QUEUE_RETRY_AFTER;
}

static void refuse_waiting(struct request *r)
{
    if (r->attempts == 0 && r->caller_gone)
        error_set(&r->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
    else if (r->attempts == 0)
        tell_late(r);
    end_with_error(r);
}

static void refuse_at_the_end(struct request *r)
{
    request_set_draining(r);
    end_with_error(r);
}

static void wait_until(struct request *r, enum request_state state, int64_t until_ms)
{
    r->wait_until_ms = clock_min(until_ms, r->deadline_ms);
    r->worker->wait_due_ms = clock_min(r->worker->wait_due_ms, r->wait_until_ms);
    request_enter(r, state);
}

void attempt_start(struct request *r)
{
    int64_t wait_ms = 0;
    if (r->caller_gone && r->attempts > 0) {
        end_with_error(r);
        return;
    }
    if (UNLIKELY(breaker_refuses(&shared_of(r)->breaker, now_of(r), &wait_ms))) {
        refuse_open(r, wait_ms);
        return;
    }
    switch (pool_enter(pool_of(r), r)) {
    case PERMITS_TAKEN:
        attempt_run(r);
        break;
    case PERMITS_WAIT:
        wait_until(r, REQUEST_QUEUED, clock_now_ms() + r->upstream->pool.queue_timeout);
        break;
    case PERMITS_FULL:
        refuse_full(r);
        break;
    }
}

void attempt_give_up(struct request *r)
{
    pool_leave(pool_of(r), r);
    refuse_waiting(r);
}

static void give_permit(struct request *r, bool reported)
{
    r->has_permit = false;
    pool_give(pool_of(r), reported);
}

static void tell_breaker(struct request *r, enum breaker_result result)
{
    bool probe = r->is_probe;
    r->is_probe = false;
    upstream_state_tell(shared_of(r), now_of(r), result, probe);
}

static void on_head(struct upstream_call *call, int http_status, struct str content_type)
{
    (void)http_status;
    request_answer_begins(call->user, content_type);
}

static bool on_data(struct upstream_call *call, struct str bytes)
{
    return request_answer_goes_on(call->user, bytes);
}

static void on_trace(struct upstream_call *call, bool sent, struct str bytes)
{
    struct request *r = call->user;
    verbose_head(r->verbose, sent, bytes);
}

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome);

/* Sends it to one of the upstream's addresses. False: all were tried. */
static bool submit(struct request *r)
{
    const struct request_head *head = http_head(r->exchange);
    size_t target = upstream_state_target(shared_of(r), now_of(r), r->targets_tried);
    if (target == UPSTREAM_NO_TARGET)
        return false;
    r->targets_tried |= UINT64_C(1) << target;
    r->target = target;
    request_answer_forget(r);
    verbose_end(TAKE(r->verbose), r, &r->document);
    r->verbose = verbose_new(r);
    r->call = (struct upstream_call){
        .body = &r->document,
        .content_type = "text/xml",
        .deadline_ms = r->deadline_ms,
        .target = target,
        .traceparent = head_traceparent(head),
        .on_head = on_head,
        .on_data = on_data,
        .on_trace = r->verbose != NULL ? on_trace : NULL,
        .on_done = on_done,
        .user = r,
    };
    if (r->call.traceparent.data != NULL) {
        const struct header *state = head_find(head, STR("tracestate"));
        if (state != NULL)
            r->call.tracestate = state->value;
    }
    upstream_submit(pool_of(r)->client, &r->call);
    return true;
}

void attempt_run(struct request *r)
{
    int64_t wait_ms = 0;
    enum breaker_answer answer = breaker_ask(&shared_of(r)->breaker, now_of(r), &wait_ms);
    bool is_late =
        r->state == REQUEST_QUEUED && (r->caller_gone || clock_now_ms() >= r->deadline_ms);
    /* Another worker that is cut off already has given its permit to this one. */
    bool is_over = gateway_phase(r->worker->gateway) == GATEWAY_STOPPING;
    r->has_permit = true;
    r->is_probe = answer == BREAKER_PROBE;
    if (answer == BREAKER_REFUSED || is_late || is_over) {
        if (r->is_probe)
            tell_breaker(r, BREAKER_NOTHING);
        if (is_over)
            refuse_at_the_end(r);
        else if (is_late)
            refuse_waiting(r);
        else
            refuse_open(r, wait_ms);
        give_permit(r, false);
        return;
    }
    r->attempts++;
    r->targets_tried = 0;
    if (r->decoder == NULL)
        r->decoder = worker_take_decoder(r->worker);
    request_enter(r, REQUEST_CALLING);
    bool submitted = submit(r);
    assert(submitted);
    (void)submitted;
}

/* Too little time is the caller's fault if X-Rpcgate-Timeout asked for it, and ours if most of it
 * went by in the queue. */
static bool is_own_timeout(const struct request *r, const struct upstream_outcome *outcome)
{
    return !r->is_short && outcome->duration_us / 1000 >= r->rule.timeout_ms / 2;
}

static enum breaker_result result_of(const struct request *r,
                                     const struct upstream_outcome *outcome)
{
    switch (outcome->status) {
    case UPSTREAM_OK:
    case UPSTREAM_STOPPED:
    case UPSTREAM_BAD_RESPONSE:
        return BREAKER_GOOD;
    case UPSTREAM_CONNECT_FAILED:
    case UPSTREAM_TLS_FAILED:
    case UPSTREAM_LOST:
        return BREAKER_BAD;
    case UPSTREAM_TIMEOUT:
        return is_own_timeout(r, outcome) ? BREAKER_BAD : BREAKER_NOTHING;
    case UPSTREAM_FAILED:
        break;
    }
    return BREAKER_NOTHING;
}

/* Any 32 bits: the worker's numbers walk by an odd step, and the product mixes them. */
static uint32_t some_number(struct worker *w)
{
    w->next_id += UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)((w->next_id * UINT64_C(0xD1342543DE82EF95)) >> 32);
}

/* Will it be sent again? */
static bool pause_for_next(struct request *r)
{
    const struct retry_config *retry = &r->upstream->retry;
    if (r->attempts >= retry->attempts || r->caller_gone ||
        !retry_allowed(r->error.type, r->error.executed, r->rule.safe))
        return false;
    int64_t pause = retry_pause_ms(retry->backoff, r->attempts, some_number(r->worker));
    int64_t until = clock_now_ms() + pause;
    if (until >= r->deadline_ms)
        return false;
    r->maybe_executed |= r->error.executed != EXECUTED_NO;
    wait_until(r, REQUEST_BACKOFF, until);
    return true;
}

static void finish(struct request *r, const struct upstream_outcome *outcome)
{
    bool stopped = outcome->status == UPSTREAM_STOPPED && r->undecodable;
    if (outcome->status == UPSTREAM_OK || stopped) {
        request_answered(r, outcome);
        request_call_done(r);
        return;
    }
    outcome_error(outcome, r->upstream, &r->error);
    if (r->error.type == PROBLEM_TIMEOUT)
        r->error.setting = r->rule.timeout_setting;
    if (!pause_for_next(r))
        end_with_error(r);
}

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome)
{
    struct request *r = call->user;
    bool connected =
        outcome->status != UPSTREAM_CONNECT_FAILED && outcome->status != UPSTREAM_TLS_FAILED;
    bool is_known = outcome->status != UPSTREAM_TIMEOUT && outcome->status != UPSTREAM_FAILED;
    r->upstream_us += outcome->duration_us;
    if (is_known)
        upstream_state_connected(shared_of(r), r->target, now_of(r), connected);
    if (!connected && submit(r))
        return;
    if (is_known)
        upstream_state_reached(shared_of(r), now_of(r), connected);
    tell_breaker(r, result_of(r, outcome));
    finish(r, outcome);
    give_permit(r, true);
}

void attempt_drop(struct request *r)
{
    if (r->state == REQUEST_QUEUED)
        pool_leave(pool_of(r), r);
    if (r->call.handle != NULL)
        upstream_cancel(&r->call);
    if (r->is_probe)
        tell_breaker(r, BREAKER_NOTHING);
    if (r->has_permit)
        give_permit(r, false);
}
