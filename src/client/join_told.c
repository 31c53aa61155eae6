/* SPDX-License-Identifier: Apache-2.0 */
/* The end of joined calls: each is told its part of the answer, in steps, or what came instead. Who
 * is told may begin others, leave, or take the gateway's memory: nothing here counts on more than
 * its own seat. */
#include "client/join_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/pool.h"

#include <assert.h>
#include <string.h>

/* How much of an answer is told before others get their turn. [bytes] */
#define TELL_STEP ((size_t)256 * 1024)

/* ---- Each its part of the answer ------------------------------------------------------------ */

static void end_call(struct call *c, const struct verdict *verdict)
{
    if (c->owner->text_used != NULL)
        c->owner->text_used(c);
    call_end(c, verdict);
}

/* How many bytes of the reply are there in one piece. Each result has an end: there are some. */
static size_t bytes_here(struct carrier *k)
{
    while (k->block_at == k->block->len) {
        k->block = k->block->next;
        k->block_at = 0;
        assert(k->block != NULL);
    }
    return k->block->len - k->block_at;
}

static struct str take_bytes(struct carrier *k, size_t len)
{
    struct str bytes = { k->block->data + k->block_at, len };
    k->block_at += len;
    return bytes;
}

/* The bytes of a result up to its end, at most `*room` of them, which becomes less. False: there
 * are more. `to` NULL: they are passed over. */
static bool take_result(struct carrier *k, struct chain *to, size_t *room)
{
    while (*room > 0) {
        size_t here = bytes_here(k), len = here < *room ? here : *room;
        const char *end = memchr(k->block->data + k->block_at, END_OF_RESULT, len);
        if (end != NULL)
            len = (size_t)(end - (k->block->data + k->block_at));
        if (len > 0) {
            struct str bytes = take_bytes(k, len);
            if (to != NULL)
                chain_append(to, bytes);
        }
        *room -= len;
        if (end != NULL) {
            (void)take_bytes(k, 1);
            return true;
        }
    }
    return false;
}

static void take_text(struct carrier *k, struct str *text, struct buf *to)
{
    size_t begin = to->len, left = text->len;
    while (left > 0) {
        size_t here = bytes_here(k), len = here < left ? here : left;
        buf_append(to, take_bytes(k, len));
        left -= len;
    }
    if (text->data != NULL)
        text->data = to->data + begin;
}

/* Who leaves meanwhile needs no session any more. */
static bool may_go_again(const struct call *c)
{
    return !c->unwanted && clock_now_ms() < c->deadline_ms &&
           phase_of(call_work(c)->commons) != PHASE_STOPPING;
}

static void end_or_again(struct seat *seat, const struct fault *fault)
{
    bool again = seat->is_expired && may_go_again(seat->call);
    struct call *c = seat_take_call(seat);
    if (again) {
        join_again(c);
        return;
    }
    c->has_fault_code = fault != NULL;
    c->fault_code = fault != NULL ? fault->code : 0;
    end_call(c, &(struct verdict){ .error = &c->error, .fault = fault });
}

static void tell_fault(struct carrier *k, struct seat *seat)
{
    CLEANUP(buf_done) struct buf texts;
    struct fault fault = seat->fault;
    size_t room = 1;
    buf_init(&texts, fault.code_text.len + fault.string.len + 1, NULL);
    if (!buf_reserve(&texts, fault.code_text.len + fault.string.len))
        die_without_memory();
    take_text(k, &fault.code_text, &texts);
    take_text(k, &fault.string, &texts);
    bool at_end = take_result(k, NULL, &room);
    assert(at_end);
    (void)at_end;
    if (seat->call != NULL)
        end_or_again(seat, &fault);
}

static void tell_value(struct call *c)
{
    if (chain_state(c->reply) == CHAIN_OK) {
        end_call(c, &(struct verdict){ .error = NULL });
        return;
    }
    error_limit(&c->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                "The answer does not fit into limits.memory now. Ask for less, or raise that "
                "limit.");
    end_call(c, &(struct verdict){ .error = &c->error });
}

/* False: there is more of that result. */
static bool tell(struct carrier *k, struct seat *seat, size_t *room)
{
    if (seat->has_fault) {
        tell_fault(k, seat);
        return true;
    }
    if (!take_result(k, seat->call != NULL && seat->is_value ? seat->call->reply : NULL, room))
        return false;
    if (seat->call != NULL && seat->is_value)
        tell_value(seat_take_call(seat));
    else if (seat->call != NULL)
        end_or_again(seat, NULL);
    return true;
}

static void tell_some(struct turn *turn)
{
    struct carrier *k = CONTAINER_OF(turn, struct carrier, turn);
    size_t room = TELL_STEP;
    k->is_busy = true;
    while (k->n_left > 0 && room > 0) {
        struct seat *seat = &k->seats[k->at];
        if (seat->is_written && !tell(k, seat, &room))
            break;
        k->at++;
    }
    k->is_busy = false;
    if (k->n_left > 0)
        turn_ask(carrier_work(k), &k->turn);
    else
        carrier_free(k);
}

void carrier_tell(struct carrier *k)
{
    k->at = 0;
    k->block = k->reply.first;
    k->block_at = 0;
    k->turn.take = tell_some;
    tell_some(&k->turn);
}

/* ---- What came instead of an answer --------------------------------------------------------- */

/* An answer to all that is none to any of them, and might not be for each by itself. */
static bool is_of_all(const struct verdict *verdict)
{
    int status = verdict->protocol != NULL ? verdict->protocol->status : 0;
    switch (verdict->error->type) {
    case PROBLEM_FAULT:
    case PROBLEM_BAD_RESPONSE:
    case PROBLEM_RESPONSE_TOO_LARGE:
        return !verdict->expired;
    case PROBLEM_PROTOCOL_ERROR:
        return !verdict->expired && (status == 413 || status == 500 || status == 501);
    default:
        return false;
    }
}

/* What is known of each when one answer is for all: that there is no such method may be said of one
 * of them. */
static enum executed executed_of(const struct error *err)
{
    return err->no_method || err->executed == EXECUTED_YES ? EXECUTED_UNKNOWN : err->executed;
}

static void fail_one(struct carrier *k, struct seat *seat, const struct verdict *verdict)
{
    bool again = is_of_all(verdict) && k->call.attempts < seat->call->upstream->retry.attempts;
    struct call *c = seat_take_call(seat);
    c->error = *verdict->error;
    c->error.executed = executed_of(&c->error);
    if (verdict->error->type == PROBLEM_TIMEOUT)
        attempt_error_timeout(c);
    if (again && may_go_again(c)) {
        c->maybe_executed |= c->error.executed != EXECUTED_NO;
        call_go_alone(c);
        return;
    }
    c->has_fault_code = verdict->fault != NULL;
    c->fault_code = verdict->fault != NULL ? verdict->fault->code : 0;
    end_call(c, &(struct verdict){
                    .error = &c->error, .fault = verdict->fault, .protocol = verdict->protocol });
}

void carrier_fail(struct carrier *k, const struct verdict *verdict)
{
    if (is_of_all(verdict))
        join_rest(k->join);
    if (verdict->error->no_method)
        multicall_doubt(k->join->pool->shared);
    for (size_t i = 0; i < k->n; i++)
        if (k->seats[i].call != NULL)
            fail_one(k, &k->seats[i], verdict);
    carrier_free(k);
}
