/* SPDX-License-Identifier: Apache-2.0 */
#include "client/attempt.h"

#include "base/clock.h"
#include "client/client.h"
#include "client/exchange.h"
#include "client/pool.h"
#include "client/result.h"

#include <assert.h>
#include <inttypes.h>

/* When a full queue may have room again. [s] */
#define QUEUE_RETRY_AFTER 1

/* What must be free in a caller's share for a call to be sent. [bytes] */
#define SEND_BYTES ((size_t)4 * 1024)

static struct pool *pool_of(const struct call *c)
{
    return c->site->pools[c->upstream->index];
}

static struct upstream_state *shared_of(const struct call *c)
{
    return pool_of(c)->shared;
}

/* After a failed attempt that failure is the answer: it says more than that there was no room for
 * another one. */
static void refuse_open(struct call *c, int64_t wait_ms)
{
    if (c->attempts == 0) {
        error_limit(&c->error, PROBLEM_CIRCUIT_OPEN, "breaker.failures",
                    "The upstream %s has failed %" PRId64 " times in a row and gets no calls for "
                    "breaker.open (%" PRId64 " ms). Try again later.",
                    c->upstream->name, c->upstream->breaker.failures, c->upstream->breaker.open);
        c->error.retry_after = (unsigned)((wait_ms + 999) / 1000);
    }
    call_fail(c);
}

static void refuse_full(struct call *c)
{
    if (c->attempts == 0) {
        error_limit(&c->error, PROBLEM_OVERLOADED, "pool.max_queue",
                    "%" PRId64 " calls wait for the upstream %s already (pool.max_queue). Try "
                    "again later, or raise that limit or pool.max_connections.",
                    c->upstream->pool.max_queue, c->upstream->name);
        c->error.retry_after = QUEUE_RETRY_AFTER;
    }
    call_fail(c);
}

void attempt_error_late(struct call *c)
{
    const char *setting = "pool.queue_timeout", *limit = setting;
    if (clock_now_ms() >= c->deadline_ms) {
        setting = c->is_short ? "pool.max_connections" : c->rule.timeout_setting;
        limit = c->is_short ? "X-Rpcgate-Timeout" : setting;
    }
    error_limit(&c->error, PROBLEM_OVERLOADED, setting,
                "The call waited for its turn at the upstream %s until its time was over (%s). Try "
                "again later, or raise pool.max_connections.",
                c->upstream->name, limit);
    c->error.retry_after = QUEUE_RETRY_AFTER;
}

void attempt_error_unwanted(struct call *c)
{
    error_set(&c->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
}

static void refuse_waiting(struct call *c)
{
    if (c->attempts == 0 && c->unwanted)
        attempt_error_unwanted(c);
    else if (c->attempts == 0)
        attempt_error_late(c);
    call_fail(c);
}

static void on_wait_over(struct timer *timer)
{
    struct call *c = CONTAINER_OF(timer, struct call, wait);
    if (c->state == CALL_QUEUED)
        attempt_give_up(c);
    else
        attempt_start(c);
}

static void wait_until(struct call *c, enum call_state state, int64_t until_ms)
{
    call_enter(c, state);
    c->wait.fire = on_wait_over;
    timer_set(call_work(c), &c->wait, clock_min(until_ms, c->deadline_ms));
}

static void refuse_memory(struct call *c)
{
    if (c->attempts == 0)
        call_error_memory(&c->error);
    call_fail(c);
}

/* The caller's share is asked for before the slot: who has replies that wait for memory would
 * only wait with that, too. False: the call waits for it, or has ended. */
static bool has_share(struct call *c)
{
    struct memory_wait *m = &c->memory;
    size_t len = chain_len(&c->document.text);
    m->kind = MEMORY_SLOT;
    m->held = c->params_held + len + len / 64;
    m->patience_ms = clock_min(m->patience_ms, c->deadline_ms - clock_now_ms());
    switch (memory_ask(m, SEND_BYTES)) {
    case MEMORY_GO:
        memory_leave(m); /* it takes nothing before its reply comes */
        return true;
    case MEMORY_WAIT:
        call_enter(c, CALL_HELD);
        return false;
    case MEMORY_NONE:
        break;
    }
    refuse_memory(c);
    return false;
}

void attempt_start(struct call *c)
{
    int64_t wait_ms = 0;
    if (c->unwanted && (c->attempts > 0 || c->state == CALL_HELD)) {
        refuse_waiting(c);
        return;
    }
    if (UNLIKELY(breaker_refuses(&shared_of(c)->breaker, clock_now_ms(), &wait_ms))) {
        refuse_open(c, wait_ms);
        return;
    }
    if (!has_share(c))
        return;
    switch (pool_enter(pool_of(c), c)) {
    case SLOTS_TAKEN:
        attempt_run(c);
        break;
    case SLOTS_WAIT:
        wait_until(c, CALL_QUEUED, clock_now_ms() + c->upstream->pool.queue_timeout);
        break;
    case SLOTS_FULL:
        refuse_full(c);
        break;
    }
}

void attempt_give_up(struct call *c)
{
    pool_leave(pool_of(c), c);
    refuse_waiting(c);
}

void attempt_stall(struct call *c)
{
    pool_stall(pool_of(c), c);
}

void attempt_go_on(struct call *c)
{
    pool_unstall(pool_of(c), c);
    transport_go_on(pool_of(c)->remote, &c->exchange);
}

static void give_slot(struct call *c, bool reported)
{
    pool_unstall(pool_of(c), c);
    c->has_slot = false;
    pool_give(pool_of(c), reported);
}

static void tell_breaker(struct call *c, enum breaker_result result)
{
    bool probe = c->is_probe;
    c->is_probe = false;
    upstream_state_tell(shared_of(c), clock_now_ms(), result, probe);
}

/* While it was in the queue its caller's memory may have become short. */
static bool is_held_back(struct call *c)
{
    struct pool *pool = pool_of(c);
    if (c->state != CALL_QUEUED || c->unwanted || clock_now_ms() >= c->deadline_ms ||
        phase_of(call_work(c)->commons) == PHASE_STOPPING || has_share(c))
        return false;
    pool_give(pool, false);
    return true;
}

void attempt_run(struct call *c)
{
    int64_t wait_ms = 0;
    if (is_held_back(c))
        return;
    int64_t now_ms = clock_now_ms();
    enum breaker_answer answer = breaker_ask(&shared_of(c)->breaker, now_ms, &wait_ms);
    bool is_late = c->state == CALL_QUEUED && (c->unwanted || now_ms >= c->deadline_ms);
    /* Another worker that is cut off already has given its slot to this one. */
    bool is_over = phase_of(call_work(c)->commons) == PHASE_STOPPING && !c->outlives;
    c->has_slot = true;
    c->is_probe = answer == BREAKER_PROBE;
    if (answer == BREAKER_REFUSED || is_late || is_over) {
        if (c->is_probe)
            tell_breaker(c, BREAKER_NOTHING);
        give_slot(c, false);
        if (is_over)
            call_fail_draining(c);
        else if (is_late)
            refuse_waiting(c);
        else
            refuse_open(c, wait_ms);
        return;
    }
    c->attempts++;
    c->targets_tried = 0;
    call_enter(c, CALL_CALLING);
    bool submitted = exchange_submit(c, now_ms);
    assert(submitted);
    (void)submitted;
}

/* Too little time is the caller's fault if X-Rpcgate-Timeout asked for it, and ours if most of it
 * went by in the queue. */
static bool is_own_timeout(const struct call *c, const struct upstream_result *result)
{
    return !c->is_short && result->duration_us / 1000 >= c->rule.timeout_ms / 2;
}

/* A call that is made again is one failure: it may be what the upstream breaks off at. */
static enum breaker_result once(const struct call *c)
{
    return c->maybe_executed ? BREAKER_NOTHING : BREAKER_BAD;
}

static enum breaker_result result_of(const struct call *c, const struct upstream_result *result)
{
    switch (result->status) {
    case UPSTREAM_OK:
    case UPSTREAM_STOPPED:
    case UPSTREAM_BAD_RESPONSE:
        return BREAKER_GOOD;
    case UPSTREAM_CONNECT_FAILED:
    case UPSTREAM_TLS_FAILED:
        return BREAKER_BAD;
    case UPSTREAM_LOST:
        return once(c);
    case UPSTREAM_TIMEOUT:
        return is_own_timeout(c, result) ? once(c) : BREAKER_NOTHING;
    case UPSTREAM_FAILED:
        break;
    }
    return BREAKER_NOTHING;
}

/* Any 32 bits: the worker's numbers walk by an odd step, and the product mixes them. */
static uint32_t some_number(struct work *w)
{
    return (uint32_t)((work_next_number(w) * UINT64_C(0xD1342543DE82EF95)) >> 32);
}

/* Will it be sent again? Not where a certificate was refused: nothing has changed since. */
static bool pause_for_next(struct call *c, bool certificate)
{
    const struct retry_config *retry = &c->upstream->retry;
    if (c->attempts >= retry->attempts || c->unwanted || certificate ||
        !retry_allowed(c->error.type, c->error.executed, c->rule.safe))
        return false;
    int64_t pause = retry_pause_ms(retry->backoff, c->attempts, some_number(call_work(c)));
    int64_t until = clock_now_ms() + pause;
    if (until >= c->deadline_ms)
        return false;
    c->maybe_executed |= c->error.executed != EXECUTED_NO;
    wait_until(c, CALL_BACKOFF, until);
    return true;
}

/* Whose limit it was: the caller's own, or a setting. */
void attempt_error_timeout(struct call *c)
{
    enum executed executed = c->error.executed;
    result_timeout(&c->error, c->upstream,
                   c->is_short ? "X-Rpcgate-Timeout" : c->rule.timeout_setting,
                   c->is_short ? c->limit_ms : c->rule.timeout_ms);
    c->error.setting = c->rule.timeout_setting;
    c->error.executed = executed;
}

void attempt_done(struct call *c, const struct upstream_result *result)
{
    bool stopped = result->status == UPSTREAM_STOPPED && c->answer.undecodable;
    tell_breaker(c, result_of(c, result));
    give_slot(c, true);
    if (result->status == UPSTREAM_OK || stopped) {
        exchange_judge(c, result);
        return;
    }
    result_error(result, c->upstream, &c->error);
    if (c->error.type == PROBLEM_TIMEOUT)
        attempt_error_timeout(c);
    if (!pause_for_next(c, result->certificate))
        call_fail(c);
}

void attempt_drop(struct call *c)
{
    if (c->state == CALL_QUEUED)
        pool_leave(pool_of(c), c);
    if (c->exchange.handle != NULL)
        transport_cancel(pool_of(c)->remote, &c->exchange);
    if (c->is_probe)
        tell_breaker(c, BREAKER_NOTHING);
    if (c->has_slot)
        give_slot(c, false);
}
