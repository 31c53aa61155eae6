/* SPDX-License-Identifier: Apache-2.0 */
/* Joined calls on their way: the document that they are written into, and its answer. What the
 * decoder writes counts when the whole answer is known to be good, and may be changed until then:
 * so it stays in one place, each result with an end, and is given to the calls after that. */
#include "client/join_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/pool.h"
#include "client/session_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Behind each result. In JSON it is always escaped. */
#define END_OF_RESULT '\x1e'

/* How much of an answer is told before others get their turn. [bytes] */
#define TELL_STEP ((size_t)256 * 1024)

static struct work *work_of(const struct carrier *k)
{
    return k->join->pool->client->work;
}

static void free_carrier(struct carrier *k)
{
    list_remove(&k->turn.in_turns);
    chain_done(&k->reply);
    free(k->name);
    free(k);
}

/* ---- The calls in it ------------------------------------------------------------------------ */

/* The call is by itself again, with what has come of it so far. */
static struct call *take_call(struct seat *seat)
{
    const struct carrier *k = seat->carrier;
    struct call *c = TAKE(seat->call);
    c->seat = NULL;
    c->attempts += k->call.attempts;
    c->maybe_executed |= k->call.maybe_executed;
    c->upstream_us += k->call.upstream_us;
    c->queue_us += k->call.queue_us;
    c->http_status = k->call.http_status;
    c->repaired += seat->repaired;
    seat->carrier->n_left--;
    return c;
}

/* What is borrowed from the call of the seat that is just written, or read. */
static void let_go(struct carrier *k, const struct seat *seat)
{
    if (seat != &k->seats[k->at])
        return;
    call_write_again(&k->call);
    k->call.answer.member = STR("");
}

void seat_leave(struct seat *seat)
{
    struct carrier *k = seat->carrier;
    (void)take_call(seat);
    let_go(k, seat);
    if (k->n_left > 0)
        return;
    if (call_runs(&k->call))
        call_abandon(&k->call);
    else if (!k->is_busy)
        free_carrier(k);
}

void seat_abandon(struct seat *seat)
{
    struct carrier *k = seat->carrier;
    for (size_t i = 0; i < k->n; i++)
        if (k->seats[i].call != NULL && !k->seats[i].call->unwanted)
            return;
    if (call_runs(&k->call))
        call_abandon(&k->call);
}

/* What a failed attempt has brought says more than that there was no time for another. */
void seat_error_late(struct seat *seat)
{
    struct call *c = seat->call;
    const struct call *whole = &seat->carrier->call;
    if (whole->state == CALL_SESSION) {
        session_error_late(c);
    } else if (whole->attempts == 0) {
        attempt_error_late(c);
    } else if (whole->state == CALL_CALLING || whole->state == CALL_ARRANGING ||
               !call_runs(whole)) {
        attempt_error_timeout(c);
        c->error.executed = EXECUTED_UNKNOWN;
    } else {
        c->error = whole->error;
    }
}

/* ---- The document --------------------------------------------------------------------------- */

static void on_begin(void *context)
{
    struct carrier *k = context;
    k->at = 0;
    k->n_written = 0;
    k->n_repaired = 0;
    for (size_t i = 0; i < k->n; i++)
        k->seats[i].is_written = false;
}

/* Values are written as for the call itself. */
static bool on_next(void *context, struct document_call *ret)
{
    struct carrier *k = context;
    for (; k->at < k->n; k->at++) {
        struct call *c = k->seats[k->at].call;
        if (c == NULL)
            continue;
        if (c->unwanted) {
            attempt_error_unwanted(c);
            continue;
        }
        *ret = c->text;
        k->call.encoding = c->encoding;
        if (c->inject == NULL || call_member_around(&k->call, c->inject, &ret->around))
            return true;
        c->error = k->call.error;
    }
    return false;
}

/* Only now its params are known to be JSON, by which their rules can judge. */
static bool on_end(void *context, struct error *err)
{
    struct carrier *k = context;
    struct seat *seat = &k->seats[k->at++];
    struct call *c = seat->call;
    size_t repaired = k->call.document.repaired - k->n_repaired;
    if (err != NULL) {
        c->error = *err;
        return true;
    }
    if (c->owner->translated != NULL && !c->owner->translated(c))
        return false;
    k->n_repaired += repaired;
    seat->repaired = repaired;
    seat->is_written = true;
    k->n_written++;
    return true;
}

/* ---- The answer ----------------------------------------------------------------------------- */

static struct seat *next_written(struct carrier *k)
{
    while (!k->seats[k->at].is_written)
        k->at++;
    return &k->seats[k->at];
}

static void forget_answer(struct carrier *k)
{
    k->at = 0;
    for (size_t i = 0; i < k->n; i++) {
        k->seats[i].is_value = false;
        k->seats[i].is_expired = false;
        k->seats[i].has_fault = false;
    }
}

/* Values are read as for the call itself. Nobody sees that of one that has ended. */
static struct str on_member_begin(void *context, size_t index)
{
    struct carrier *k = context;
    if (index == 0)
        forget_answer(k);
    const struct call *c = next_written(k)->call;
    k->item_begin = chain_len(&k->reply);
    if (c == NULL)
        return STR("");
    k->call.decoding.types = c->decoding.types;
    k->call.decoding.integers = c->decoding.integers;
    return c->text.method;
}

static struct verdict_part on_member_part(void *context)
{
    struct carrier *k = context;
    const struct call *c = next_written(k)->call;
    return c != NULL ? c->part : (struct verdict_part){ .watch = NULL };
}

static void keep_fault(struct carrier *k, struct seat *seat, const struct fault *fault)
{
    seat->has_fault = true;
    seat->fault = *fault;
    chain_append(&k->reply, fault->code_text);
    chain_append(&k->reply, fault->string);
}

static void on_member_end(void *context, const struct verdict *verdict)
{
    struct carrier *k = context;
    struct seat *seat = next_written(k);
    struct call *c = seat->call;
    if (verdict->error != NULL || c == NULL)
        chain_truncate(&k->reply, k->item_begin);
    if (c != NULL && verdict->error != NULL) {
        c->error = *verdict->error;
        seat->is_expired = verdict->expired && !c->was_refused && session_lost_by(&k->call);
        if (verdict->fault != NULL)
            keep_fault(k, seat, verdict->fault);
    }
    seat->is_value = verdict->error == NULL;
    chain_append_byte(&k->reply, END_OF_RESULT);
    k->at++;
}

/* ---- What the calls are told ---------------------------------------------------------------- */

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
    struct call *c = take_call(seat);
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
        tell_value(take_call(seat));
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
        turn_ask(work_of(k), &k->turn);
    else
        free_carrier(k);
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
    struct call *c = take_call(seat);
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

static void fail_all(struct carrier *k, const struct verdict *verdict)
{
    if (is_of_all(verdict))
        join_rest(k->join);
    if (verdict->error->no_method)
        multicall_doubt(k->join->pool->shared);
    for (size_t i = 0; i < k->n; i++)
        if (k->seats[i].call != NULL)
            fail_one(k, &k->seats[i], verdict);
    free_carrier(k);
}

/* Which of the results it was that the text policy has changed is not known. */
static void tell_repaired(struct call *c, struct error *err)
{
    error_set(err, PROBLEM_BAD_RESPONSE,
              "The upstream %s has answered several calls at once with text that XML cannot carry, "
              "which `text` has repaired.",
              c->upstream->name);
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct carrier *k = c->user;
    struct error err;
    memory_share_leave(c->share, k);
    k->is_busy = true;
    if (verdict->error != NULL) {
        fail_all(k, verdict);
    } else if (c->repaired > k->repaired_before) {
        tell_repaired(c, &err);
        fail_all(k, &(struct verdict){ .error = &err });
    } else {
        k->at = 0;
        k->block = k->reply.first;
        k->block_at = 0;
        tell_some(&k->turn);
    }
}

/* ---- The call ------------------------------------------------------------------------------- */

/* The conversation is logged once, under the name of one of them. */
static void log_names(const struct carrier *k)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct call *c = k->seats[i].call;
        if (c != NULL && c->origin.request_id != NULL && strcmp(c->origin.request_id, k->name) != 0)
            LOG_EVENT(LOG_LEVEL_INFO, "verbose", LOG_TEXT("request_id", c->origin.request_id),
                      LOG_TEXT("upstream", c->upstream->name), LOG_TEXT("part", "joined"),
                      LOG_TEXT("text", k->name));
    }
}

/* Those that could not be written end now; without any other there is nothing to send. */
static bool on_translated(struct call *c)
{
    struct carrier *k = c->user;
    for (size_t i = 0; i < k->n; i++)
        if (k->seats[i].call != NULL && !k->seats[i].is_written)
            call_fail(take_call(&k->seats[i]));
    k->answers.n = k->n_written;
    k->repaired_before = c->repaired;
    if (k->n_left == 0)
        return false;
    if (k->name != NULL)
        log_names(k);
    atomic_fetch_add_explicit(&k->join->pool->shared->joins, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&k->join->pool->shared->joined_calls, k->n_written,
                              memory_order_relaxed);
    return true;
}

static const struct call_owner owner = { .translated = on_translated, .ended = on_ended };

/* All have the greatest of their times. */
static struct method_rule rule_of(const struct carrier *k)
{
    struct method_rule rule = { .safe = true };
    for (size_t i = 0; i < k->n; i++) {
        const struct method_rule *one = &k->seats[i].call->rule;
        if (one->timeout_ms <= rule.timeout_ms)
            continue;
        rule.timeout_ms = one->timeout_ms;
        rule.timeout_setting = one->timeout_setting;
    }
    return rule;
}

static void fill_call(struct carrier *k)
{
    static const struct query plain = { .has_types = true, .has_integers = true };
    const struct call *first = k->seats[0].call;
    struct method_rule rule = rule_of(k);
    k->call = (struct call){
        .site = first->site,
        .upstream = first->upstream,
        .owner = &owner,
        .user = k,
        .text = { .method = STR("system.multicall") },
        .members = &k->members,
        .answers = &k->answers,
        .inject = first->inject,
        .needs_session = first->needs_session,
        .is_carrier = true,
        .share = &work_of(k)->commons->own,
        .request = k,
        .query = &plain,
        .rule = rule,
        .limit_ms = rule.timeout_ms,
        .deadline_ms = clock_now_ms() + rule.timeout_ms,
        .origin.request_id = k->name,
        .reply = &k->reply,
    };
}

static void take_seats(struct carrier *k, struct list *calls)
{
    for (size_t i = 0; i < k->n; i++) {
        struct call *c = LIST_FIRST(calls, struct call, in_queue);
        list_remove(&c->in_queue);
        k->seats[i] = (struct seat){ .carrier = k, .call = c };
        c->seat = &k->seats[i];
        if (k->name == NULL && c->upstream->verbose && c->origin.request_id != NULL)
            k->name = xstrdup(c->origin.request_id);
    }
}

void carrier_begin(struct join *j, struct list *calls, size_t n)
{
    struct carrier *k = xcalloc(1, sizeof *k + n * sizeof *k->seats);
    bool bare = multicall_look(j->pool->shared) == MULTICALL_BARE;
    k->join = j;
    k->n = n;
    k->n_left = n;
    k->turn.take = tell_some;
    list_init(&k->turn.in_turns);
    chain_init(&k->reply, SIZE_MAX, &work_of(k)->commons->own.budget);
    take_seats(k, calls);
    k->members = (struct document_members){
        .context = k, .begin = on_begin, .next = on_next, .end = on_end
    };
    k->answers = (struct answer_members){
        .shape = bare ? ITEMS_BARE : ITEMS_WRAPPED,
        .context = k,
        .begin = on_member_begin,
        .part = on_member_part,
        .end = on_member_end,
    };
    fill_call(k);
    call_begin(&k->call);
}
