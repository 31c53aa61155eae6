/* SPDX-License-Identifier: Apache-2.0 */
#include "front/batch_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/pool.h"
#include "codec/interop.h"
#include "front/task.h"
#include "settings/method_rule.h"

#include <stdlib.h>

/* So many calls whose results may be there already begin before others get their turn. */
#define KEPT_AT_ONCE 64

enum next { NEXT_AGAIN, NEXT_REST, NEXT_END };

struct upstream_state *batch_shared(const struct batch *b)
{
    const struct request *r = b->request;
    return r->site->pools[r->upstream->index]->shared;
}

void batch_limit_call(struct batch *b, struct call *c, const struct method_rule *rule)
{
    const struct request *r = b->request;
    if (rule->timeout_ms > b->timeout_ms)
        b->timeout_ms = rule->timeout_ms;
    request_limit_call(r, c, rule);
    c->deadline_ms =
        clock_min(c->deadline_ms, b->began_ms + clock_min(b->timeout_ms, r->timeout_ms));
}

void batch_fill_call(struct batch *b, struct call *c, const struct method_rule *rule)
{
    request_fill_call(b->request, c, rule);
    batch_limit_call(b, c, rule);
    c->params_held = b->request->body.cap;
}

void batch_ask_turn(struct batch *b, enum batch_phase phase)
{
    b->phase = phase;
    if (list_empty(&b->turn.in_turns))
        turn_ask(b->request->front->work, &b->turn);
}

/* ---- The end -------------------------------------------------------------------------------- */

static void let_go(struct batch *b)
{
    struct request *r = b->request;
    list_remove(&b->turn.in_turns);
    memory_leave(&b->memory);
    plan_drop(b);
    entries_close(b);
    work_give_reader(r->front->work, b->reader);
    free(b);
    r->batch = NULL;
    buf_done(&r->body);
}

/* Answers the whole request with a problem. A form that tells of it in its own words has no id. */
static void refuse(struct batch *b, struct error *err)
{
    struct request *r = b->request;
    struct entry whole = { .batch = b };
    if (!b->form->wraps_problems) {
        r->error = *err;
        let_go(b);
        request_fail(r);
        return;
    }
    r->problem = problem_info(err->type)->name;
    chain_done(&r->reply);
    chain_init(&r->reply, SIZE_MAX, NULL); /* a problem is small and not counted */
    entry_write_problem(&whole, err, NULL, &r->reply);
    r->error = *err;
    if (chain_state(&r->reply) != CHAIN_OK)
        die_without_memory();
    entry_count(&whole);
    let_go(b);
    request_succeed(r, 200);
}

static void refuse_memory(struct batch *b)
{
    struct error err;
    error_limit(&err, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                "The answers do not fit into limits.memory now. Send fewer calls at once, or raise "
                "that limit.");
    refuse(b, &err);
}

static void finish(struct batch *b)
{
    struct request *r = b->request;
    bool silent = b->form->has_silent_calls && !b->wrote;
    if (batch_reader_is_list(b->reader))
        b->form->close_list(&r->reply);
    if (chain_state(&r->reply) != CHAIN_OK) {
        refuse_memory(b);
        return;
    }
    let_go(b);
    if (silent)
        chain_done(&r->reply);
    request_succeed(r, silent ? 204 : 200);
}

/* ---- What is to be done next ---------------------------------------------------------------- */

static void fail_ready(struct batch *b)
{
    struct entry *e;
    while ((e = entries_first_ready(b)) != NULL) {
        struct error err = b->over;
        entry_fail(e, &err, NULL);
    }
}

static enum next begin_parallel(struct batch *b)
{
    struct entry *e;
    while (b->n_running < parallel_max(b) && (e = entries_first_ready(b)) != NULL)
        parallel_begin(e);
    return entry_at(b, 0)->state == ENTRY_DONE ? NEXT_AGAIN : NEXT_REST;
}

/* Those of which results are kept go by themselves, so that they share them and what is under way
 * with all others. False: some are left for another turn. */
static bool begin_kept(struct batch *b)
{
    struct entry *e;
    size_t at = b->ready_from;
    for (size_t n = 0; b->n_running < parallel_max(b); n++) {
        if ((e = entries_next_kept(b, &at)) == NULL)
            return true;
        if (n == KEPT_AT_ONCE) {
            batch_ask_turn(b, BATCH_READING);
            return false;
        }
        parallel_begin(e);
    }
    return entries_next_kept(b, &at) == NULL;
}

/* A round trip begins when they have ended: its answers come in order. */
static bool waits_for_kept(const struct batch *b)
{
    return b->n_running > 0 && !(b->has_plan && b->plan == MULTICALL_PARALLEL);
}

/* Some of those at hand are READY. */
static enum next send_some(struct batch *b)
{
    if (!batch_reader_is_list(b->reader)) {
        single_begin(entry_at(b, 0));
        return NEXT_AGAIN;
    }
    if (UNLIKELY(b->keeps)) {
        if (!begin_kept(b))
            return NEXT_REST;
        if (entries_first_ready(b) == NULL || waits_for_kept(b))
            return entry_at(b, 0)->state == ENTRY_DONE ? NEXT_AGAIN : NEXT_REST;
    }
    if (!b->has_plan) {
        plan_find(b);
        return NEXT_AGAIN;
    }
    if (b->plan == MULTICALL_PARALLEL)
        return begin_parallel(b);
    if (!b->at_end && !entries_full(b))
        return NEXT_REST;
    round_trip_begin(b);
    return NEXT_AGAIN;
}

/* The reply has no room for more: there will be none. */
static bool is_full(const struct batch *b)
{
    return chain_state(&b->request->reply) != CHAIN_OK;
}

static enum next do_next(struct batch *b)
{
    enum next next = NEXT_REST;
    if (b->busy)
        return NEXT_REST;
    if (b->is_over)
        fail_ready(b);
    entries_emit(b);
    if (is_full(b)) /* what is begun already goes on to its end */
        return b->n_running > 0 ? NEXT_REST : NEXT_END;
    if (b->at_end && b->n == 0)
        return NEXT_END;
    if (entries_first_ready(b) != NULL)
        next = send_some(b);
    if (next == NEXT_REST && !b->at_end && !entries_full(b))
        batch_ask_turn(b, BATCH_READING);
    return next;
}

/* What is begun may end at once, and comes here again. */
void batch_go_on(struct batch *b)
{
    enum next next;
    if (b->going_on)
        return;
    b->going_on = true;
    do
        next = do_next(b);
    while (next == NEXT_AGAIN);
    b->going_on = false;
    if (next == NEXT_END)
        finish(b);
}

/* ---- The text ------------------------------------------------------------------------------- */

/* A problem is much longer than what may cause it: there is one for all. */
static bool check_count(struct batch *b, struct error *err)
{
    size_t n = batch_reader_count(b->reader);
    size_t max = (size_t)b->request->site->config->limits.batch;
    if (n <= max)
        return true;
    error_limit(err, PROBLEM_INVALID_REQUEST, "limits.batch",
                "These are %zu calls, and limits.batch is %zu: send fewer in one batch, or raise "
                "that limit.",
                n, max);
    err->fault_code = INTEROP_BAD_PARAMS;
    return false;
}

/* Each call counts. What is no list is answered with its id, or not at all. */
static bool check_rate(struct batch *b, struct error *err)
{
    size_t n = batch_reader_count(b->reader);
    if (n == 0 || request_take_calls(b->request, n, err))
        return true;
    if (batch_reader_is_list(b->reader))
        return false;
    b->is_over = true;
    b->over = *err;
    return true;
}

static bool check_batch(struct batch *b, struct error *err)
{
    if (b->form->no_calls != NULL && batch_reader_count(b->reader) == 0)
        return error_set(err, PROBLEM_INVALID_REQUEST, "%s", b->form->no_calls);
    return check_count(b, err) && check_rate(b, err);
}

static void begin_entries(struct batch *b)
{
    struct request *r = b->request;
    if (batch_reader_is_list(b->reader)) {
        r->is_batch = true;
        r->n_items = batch_reader_count(b->reader);
        b->form->open_list(&r->reply);
        if (chain_state(&r->reply) != CHAIN_OK) {
            refuse_memory(b);
            return;
        }
    }
    b->phase = BATCH_READING;
    entries_read(b);
    batch_go_on(b);
}

static void refuse_entries(struct batch *b)
{
    struct error err;
    error_limit(&err, PROBLEM_OVERLOADED, "limits.memory",
                "There was no room in limits.memory for so many calls while they waited for it "
                "(pool.queue_timeout). Try again later, send fewer at once, or raise that limit.");
    err.retry_after = MEMORY_RETRY_AFTER;
    refuse(b, &err);
}

/* What was checked, and has counted for the caller's rate, is neither of it again. */
static void open_entries(struct batch *b)
{
    switch (entries_open(b)) {
    case MEMORY_GO:
        begin_entries(b);
        break;
    case MEMORY_WAIT:
        break;
    case MEMORY_NONE:
        refuse_entries(b);
        break;
    }
}

/* The text is valid. */
static void begin_opening(struct batch *b)
{
    struct error err;
    if (!check_batch(b, &err)) {
        refuse(b, &err);
        return;
    }
    b->phase = BATCH_OPENING;
    open_entries(b);
}

static void check(struct batch *b)
{
    struct error err;
    switch (batch_reader_check(b->reader, BATCH_STEP, &err)) {
    case CODEC_MORE:
        batch_ask_turn(b, BATCH_CHECKING);
        break;
    case CODEC_FAILED:
        batch_reader_begin(b->reader, b->form->dialect, buf_str(&b->request->body));
        if (err.type != PROBLEM_OVERLOADED || !memory_wait(&b->memory, BATCH_STEP))
            refuse(b, &err);
        break;
    case CODEC_DONE:
        begin_opening(b);
        break;
    }
}

static void take_turn(struct turn *turn)
{
    struct batch *b = CONTAINER_OF(turn, struct batch, turn);
    switch (b->phase) {
    case BATCH_CHECKING:
        check(b);
        break;
    case BATCH_OPENING:
        open_entries(b);
        break;
    case BATCH_READING:
        entries_read(b);
        batch_go_on(b);
        break;
    }
}

static void on_room(struct memory_wait *wait)
{
    struct batch *b = CONTAINER_OF(wait, struct batch, memory);
    batch_ask_turn(b, b->phase);
}

static struct batch *new_batch(struct request *r)
{
    struct batch *b = xcalloc(1, sizeof *b);
    b->request = r;
    b->form = r->target.row->form;
    b->reader = work_take_reader(r->front->work);
    b->began_ms = clock_now_ms();
    b->keeps = method_rules_keep(r->upstream);
    b->turn.take = take_turn;
    memory_wait_init(&b->memory, r->front->work, r->share, r);
    b->memory.kind = MEMORY_DOCUMENT;
    b->memory.held = r->body.cap;
    b->memory.patience_ms = r->upstream->pool.queue_timeout;
    b->memory.on_room = on_room;
    list_init(&b->turn.in_turns);
    return b;
}

static void begin(struct request *r)
{
    r->batch = new_batch(r);
    request_enter(r, REQUEST_WORKING);
    batch_reader_begin(r->batch->reader, r->batch->form->dialect, buf_str(&r->body));
    check(r->batch);
}

/* ---- When it ends before its time ----------------------------------------------------------- */

/* What was sent goes on to its end, nothing more is sent. */
static void gone(struct request *r)
{
    struct batch *b = r->batch;
    call_abandon(&r->call);
    for (size_t i = 0; i < b->n; i++)
        if (entry_at(b, i)->call != NULL)
            call_abandon(entry_at(b, i)->call);
    b->is_over = true;
    error_set(&b->over, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
}

/* Those that have begun since the others were. */
static void cut_off_calls(struct batch *b)
{
    b->going_on = true;
    if (call_runs(&b->request->call))
        call_cut_off(&b->request->call);
    for (size_t i = 0; i < b->n; i++)
        if (entry_at(b, i)->call != NULL)
            call_cut_off(entry_at(b, i)->call);
    b->going_on = false;
}

/* What has not begun gets `draining`. Nothing of it waits for an upstream any more: each step
 * brings it nearer to its end. */
static void cut_off(struct request *r)
{
    struct batch *b = r->batch;
    b->is_over = true;
    call_error_draining(&b->over);
    list_remove(&b->turn.in_turns);
    memory_leave(&b->memory);
    if (b->phase == BATCH_CHECKING || b->phase == BATCH_OPENING) {
        refuse(b, &b->over);
        return;
    }
    cut_off_calls(b);
    plan_drop(b);
    entries_take_back(b);
    b->busy = false;
    while (r->batch != NULL) {
        entries_read(b);
        batch_go_on(b);
    }
}

static void drop(struct request *r)
{
    if (r->batch == NULL) /* it has ended */
        return;
    call_drop(&r->call);
    let_go(r->batch);
}

const struct task task_batch = {
    .begin = begin,
    .gone = gone,
    .cut_off = cut_off,
    .drop = drop,
    .takes_calls = true,
};
