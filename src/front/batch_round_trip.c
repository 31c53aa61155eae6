/* SPDX-License-Identifier: Apache-2.0 */
/* One round trip of system.multicall: of all calls that are READY when it is written. Their results
 * go into the reply while they are read; until the answer is known to be complete they may be taken
 * back. */
#include "front/batch_inside.h"

#include "client/inject.h"
#include "client/session_store.h"

/* ---- The document --------------------------------------------------------------------------- */

/* What a document before this one was answered is not in the reply any more. */
static void on_begin(void *context)
{
    struct batch *b = context;
    entries_take_back(b);
    if (b->round_trip.is_sent)
        b->wrote = b->round_trip.reply_began;
    b->round_trip.at = 0;
    b->round_trip.n_sent = 0;
    b->round_trip.is_sent = false;
    b->round_trip.rule = (struct method_rule){ .safe = true };
}

/* All of one document have one request; who needs another one begins the next document, so that
 * answers come in order. None is sent a third time because its session has expired. */
static bool may_join(struct batch *b, const struct entry *e)
{
    struct round_trip *t = &b->round_trip;
    t->inject = entry_inject(e);
    if (t->n_sent == 0) {
        b->request->call.inject = t->inject;
        t->is_renewed = e->renewed;
        if (UNLIKELY(e->renewed))
            session_renew_no_more(&b->request->call);
    }
    return e->renewed == t->is_renewed &&
           inject_kind(t->inject) == inject_kind(b->request->call.inject);
}

/* One whose additions cannot be made fails alone. */
static bool add_inject(struct batch *b, struct entry *e, struct document_call *ret)
{
    struct call *c = &b->request->call;
    if (LIKELY(b->round_trip.inject == NULL) ||
        call_member_around(c, b->round_trip.inject, &ret->around))
        return true;
    entry_fail(e, &c->error, NULL);
    return false;
}

static bool on_next(void *context, struct document_call *ret)
{
    struct batch *b = context;
    struct round_trip *t = &b->round_trip;
    for (; t->at < b->n; t->at++) {
        struct entry *e = entry_at(b, t->at);
        if (e->state != ENTRY_READY)
            continue;
        if (!may_join(b, e))
            return false;
        entry_fill_text(e, ret);
        if (add_inject(b, e, ret))
            return true;
    }
    return false;
}

/* Those of another kind, which go out later, may be among them. */
static bool needs_session(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct entry *e = entry_at(b, i);
        const struct inject *inject = e->state == ENTRY_READY ? entry_inject(e) : NULL;
        if (inject != NULL && inject->rule->needs_session)
            return true;
    }
    return false;
}

/* All have the greatest of their times, and are safe if each is. */
static void add_rule(struct round_trip *t, struct method_rule rule)
{
    bool safe = t->rule.safe && rule.safe;
    if (rule.timeout_ms > t->rule.timeout_ms)
        t->rule = rule;
    t->rule.safe = safe;
}

static bool on_end(void *context, struct error *err)
{
    struct batch *b = context;
    struct entry *e = entry_at(b, b->round_trip.at);
    if (err != NULL) {
        entry_point_at_params(e, err);
        entry_fail(e, err, NULL);
        return true;
    }
    e->state = ENTRY_RUNNING;
    b->round_trip.n_sent++;
    add_rule(&b->round_trip, method_rule_find(b->request->upstream, e->method));
    return true;
}

/* ---- The answer ----------------------------------------------------------------------------- */

static bool is_held(const struct round_trip *t)
{
    return t->answer_at >= t->held_from;
}

/* Those up to the next result have their answers already. */
static void write_until_running(struct batch *b)
{
    struct round_trip *t = &b->round_trip;
    for (; t->answer_at < b->n; t->answer_at++) {
        struct entry *e = entry_at(b, t->answer_at);
        if (e->state != ENTRY_DONE)
            return;
        if (e->silent || is_held(t))
            continue;
        entry_separate(e);
        chain_append_range(&b->request->reply, &e->text, 0, chain_len(&e->text));
    }
}

/* An answer that came before this one was void. */
static void forget_held(struct batch *b)
{
    b->round_trip.held_from = SIZE_MAX;
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = entry_at(b, i);
        if (e->state == ENTRY_RUNNING)
            chain_done(&e->text);
        e->again = false;
    }
}

static struct str on_member_begin(void *context, size_t index)
{
    struct batch *b = context;
    struct chain *reply = &b->request->reply;
    if (index == 0) {
        forget_held(b);
        b->round_trip.answer_at = 0;
        b->wrote = b->round_trip.reply_began;
        write_until_running(b);
    }
    struct entry *e = entry_at(b, b->round_trip.answer_at);
    e->failed = false;
    b->round_trip.item_at = chain_len(reply);
    if (!e->silent && !is_held(&b->round_trip))
        entry_separate(e);
    b->round_trip.item_begin = chain_len(reply);
    if (!e->silent)
        b->form->open_result(reply);
    return e->method;
}

/* Only what the rules call expired is sent again: those that ran are not. */
static void send_again(struct entry *e)
{
    struct round_trip *t = &e->batch->round_trip;
    if (e->renewed || !session_lost_by(&e->batch->request->call))
        return;
    e->again = true;
    if (t->held_from == SIZE_MAX)
        t->held_from = t->answer_at;
}

/* Its answer is kept until those before it are there. */
static void hold(struct entry *e)
{
    struct round_trip *t = &e->batch->round_trip;
    struct chain *reply = &e->batch->request->reply;
    chain_append_range(&e->text, reply, t->item_begin, chain_len(reply) - t->item_begin);
    chain_truncate(reply, t->item_at);
    e->batch->wrote = t->item_at > t->reply_begin || t->reply_began;
}

static void on_member_end(void *context, const struct verdict *verdict)
{
    struct batch *b = context;
    struct chain *reply = &b->request->reply;
    struct entry *e = entry_at(b, b->round_trip.answer_at);
    if (verdict->error != NULL || e->silent)
        chain_truncate(reply, b->round_trip.item_begin);
    else
        b->form->close_result(e->id, reply);
    if (UNLIKELY(verdict->expired))
        send_again(e);
    if (verdict->error != NULL)
        entry_write_problem(e, verdict->error, verdict, reply);
    if (UNLIKELY(is_held(&b->round_trip)))
        hold(e);
    b->round_trip.answer_at++;
    write_until_running(b);
}

static void take_result(struct entry *e)
{
    if (!e->again) {
        entry_count(e);
        e->state = ENTRY_DONE;
        return;
    }
    chain_done(&e->text);
    e->again = false;
    e->renewed = true;
    e->failed = false;
    e->state = ENTRY_READY;
}

static void take_results(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (entry_at(b, i)->state == ENTRY_RUNNING)
            take_result(entry_at(b, i));
    b->ready_from = 0;
    entries_forget(b);
}

/* What is known of each call when one fault answers for all n. That there is no such method may be
 * said of one of them, by a system.multicall that ran those before it. */
static enum executed executed_of(const struct error *err, size_t n)
{
    bool ran_some = err->no_method && n > 1;
    return ran_some || err->executed == EXECUTED_YES ? EXECUTED_UNKNOWN : err->executed;
}

/* Those that could not be written any more have failed with the others. */
static void fail_all(struct batch *b, const struct verdict *verdict)
{
    if (verdict->error->no_method)
        multicall_doubt(batch_shared(b));
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = entry_at(b, i);
        if (e->state == ENTRY_DONE)
            continue;
        struct error err = *verdict->error;
        err.executed = executed_of(&err, b->round_trip.n_sent);
        entry_fail(e, &err, verdict);
    }
}

static void take_back(struct batch *b)
{
    struct round_trip *t = &b->round_trip;
    if (t->reply_whole)
        chain_recover(&b->request->reply, t->reply_begin);
    b->wrote = t->reply_began;
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct batch *b = c->user;
    b->busy = false;
    if (b->round_trip.is_sent)
        request_add_call(b->request, c);
    if (verdict->error != NULL && b->round_trip.is_sent)
        take_back(b);
    if (verdict->error != NULL)
        fail_all(b, verdict);
    else
        take_results(b);
    batch_go_on(b);
}

/* ---- The call ------------------------------------------------------------------------------- */

static void expect_results(struct batch *b)
{
    struct request *r = b->request;
    struct round_trip *t = &b->round_trip;
    t->reply_begin = chain_len(&r->reply);
    t->reply_began = b->wrote;
    t->reply_whole = chain_state(&r->reply) == CHAIN_OK;
    t->is_sent = true;
    t->held_from = SIZE_MAX;
    t->answers = (struct answer_members){
        .shape = b->plan == MULTICALL_BARE ? ITEMS_BARE : ITEMS_WRAPPED,
        .n = t->n_sent,
        .context = b,
        .begin = on_member_begin,
        .end = on_member_end,
    };
}

/* Without any call in it there is nothing to send. */
static bool on_translated(struct call *c)
{
    struct batch *b = c->user;
    if (b->round_trip.n_sent == 0)
        return false;
    batch_limit_call(b, c, &b->round_trip.rule);
    expect_results(b);
    return true;
}

static const struct call_owner owner = { .translated = on_translated, .ended = on_ended };

void round_trip_begin(struct batch *b)
{
    struct request *r = b->request;
    struct round_trip *t = &b->round_trip;
    struct method_rule rule = method_rule_find(r->upstream, STR("system.multicall"));
    t->members = (struct document_members){
        .context = b,
        .begin = on_begin,
        .next = on_next,
        .end = on_end,
    };
    t->is_sent = false;
    b->busy = true;
    request_fill_call(r, &r->call, &rule);
    r->call.owner = &owner;
    r->call.user = b;
    r->call.text =
        (struct document_call){ .method = STR("system.multicall"), .params = buf_str(&r->body) };
    r->call.members = &t->members;
    r->call.answers = &t->answers;
    r->call.params_held = r->body.cap + b->cap * sizeof *b->entries;
    if (UNLIKELY(r->upstream->n_inject > 0))
        r->call.needs_session = needs_session(b);
    call_begin(&r->call);
}
