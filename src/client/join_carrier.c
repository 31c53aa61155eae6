/* SPDX-License-Identifier: Apache-2.0 */
/* Joined calls on their way: the document that they are written into, and its answer. What the
 * decoder writes counts when the whole answer is known to be good, and may be changed until then:
 * so it stays in one place, each result with an end, until join_told.c gives it to the calls. */
#include "client/join_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/attempt.h"
#include "client/inject.h"
#include "client/session_store.h"

#include <stdlib.h>
#include <string.h>

void carrier_free(struct carrier *k)
{
    list_remove(&k->turn.in_turns);
    chain_done(&k->reply);
    free(k->name);
    free(k);
}

/* ---- The calls in it ------------------------------------------------------------------------ */

struct call *seat_take_call(struct seat *seat)
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
    seat_take_call(seat);
    let_go(k, seat);
    if (k->n_left > 0)
        return;
    if (call_runs(&k->call))
        call_abandon(&k->call);
    else if (!k->is_busy)
        carrier_free(k);
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

/* ---- The end -------------------------------------------------------------------------------- */

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
        carrier_fail(k, verdict);
    } else if (c->repaired > k->repaired_before) {
        tell_repaired(c, &err);
        carrier_fail(k, &(struct verdict){ .error = &err });
    } else {
        carrier_tell(k);
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
            call_fail(seat_take_call(&k->seats[i]));
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
        .was_refused = first->was_refused,
        .is_carrier = true,
        .share = &carrier_work(k)->commons->own,
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
    list_init(&k->turn.in_turns);
    chain_init(&k->reply, SIZE_MAX, &carrier_work(k)->commons->own.budget);
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
