/* SPDX-License-Identifier: Apache-2.0 */
#include "client/call.h"

#include "base/clock.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/join.h"
#include "client/keep.h"
#include "client/session_store.h"
#include "client/span.h"
#include "client/verbose.h"
#include "codec/xml/encode.h"
#include "work/metrics.h"

#include <assert.h>

/* Room that a document is given at once. [bytes] */
#define TRANSLATE_STEP ((size_t)256 * 1024)

/* Larger params have a turn of their own: many calls may begin in one of their batch. [bytes] */
#define AT_ONCE ((size_t)4 * 1024)

/* What the smallest call takes, with its reply. [bytes] */
#define SMALL ((size_t)4 * 1024)

/* What may take a slot: it is held until its caller's replies have gone on, waits in the queue,
 * or has one. */
#define SENDING (1 << CALL_HELD | 1 << CALL_QUEUED | 1 << CALL_CALLING)

static const uint16_t may_follow[CALL_STATES] = {
    [CALL_ENDED] = 1 << CALL_TRANSLATING | 1 << CALL_SESSION | 1 << CALL_JOINED | SENDING,
    [CALL_JOINED] = 1 << CALL_TRANSLATING | 1 << CALL_SESSION | 1 << CALL_ENDED,
    [CALL_TRANSLATING] = SENDING | 1 << CALL_AWAITING | 1 << CALL_ENDED,
    [CALL_AWAITING] = 1 << CALL_ENDED,
    [CALL_HELD] = SENDING | 1 << CALL_ENDED,
    [CALL_QUEUED] = 1 << CALL_HELD | 1 << CALL_CALLING | 1 << CALL_ENDED,
    [CALL_CALLING] = 1 << CALL_BACKOFF | 1 << CALL_ARRANGING | 1 << CALL_SESSION | 1 << CALL_ENDED,
    [CALL_SESSION] = 1 << CALL_TRANSLATING | 1 << CALL_ENDED,
    [CALL_ARRANGING] = 1 << CALL_ENDED,
    [CALL_BACKOFF] = SENDING | 1 << CALL_ENDED,
};

void call_enter(struct call *c, enum call_state next)
{
    struct client *client = c->site->client;
    enum call_state before = c->state;
    assert(may_follow[before] & 1 << next);
    c->state = next;
    timer_stop(client->work, &c->wait);
    list_remove(&c->in_state);
    if (before != CALL_ENDED)
        client_show_calls(client, before, -1);
    if (next == CALL_ENDED)
        return;
    list_add_last(&client->calls_in[next], &c->in_state);
    client_show_calls(client, next, 1);
}

static void choose_options(struct call *c)
{
    const struct upstream_config *u = c->upstream;
    c->encoding = document_options(c->site->config, u);
    if (c->is_typed) {
        c->encoding.as_decoded = true;
        c->encoding.depth = CODEC_DEPTH_TYPED;
    }
    c->decoding = (struct decode_options){
        .is_secret = c->own != CALL_CALLERS,
        .types = c->query->has_types ? c->query->types : u->types,
        .integers = c->query->has_integers ? c->query->integers : u->integers,
        .text = u->text,
        .depth = (unsigned)u->limits.depth,
        .document_max = u->limits.response,
        .fault_max = c->site->config->limits.fault_text,
        .encoding_forced = u->response_encoding,
    };
}

static void end_session(struct call *c)
{
    c->attempts += c->session->attempts_before;
    session_leave(c);
}

/* What it has borrowed from the worker, but for the decoder. */
static void give_back(struct call *c)
{
    if (c->encoder != NULL)
        work_give_encoder(call_work(c), TAKE(c->encoder));
    list_remove(&c->turn.in_turns);
    memory_leave(&c->memory);
    verbose_end(TAKE(c->verbose), c);
    if (UNLIKELY(c->session != NULL))
        end_session(c);
    if (UNLIKELY(c->injected != NULL))
        call_forget_inject(c);
    if (UNLIKELY(c->keep != NULL))
        keep_free(TAKE(c->keep));
    document_done(&c->document);
    if (c->state != CALL_ENDED)
        call_enter(c, CALL_ENDED);
}

void call_end(struct call *c, const struct verdict *verdict)
{
    struct site *site = c->site;
    struct work *work = call_work(c);
    struct decoder *decoder = TAKE(c->decoder); /* a fault's texts are in it */
    if (verdict->error != NULL && c->maybe_executed && c->error.executed == EXECUTED_NO)
        c->error.executed = EXECUTED_UNKNOWN;
    struct keep *keep = TAKE(c->keep);          /* and here, where it was one for several */
    struct verbose *verbose = TAKE(c->verbose); /* what a login gives is known at its end */
    verbose_close(verbose, c);
    if (UNLIKELY(keep != NULL))
        keep_leave(keep);
    give_back(c);
    if (LIKELY(keep == NULL && !c->is_carrier))
        metrics_count_call(site_record(site, c->upstream), work->index,
                           &(struct call_times){ c->attempts, c->upstream_us, c->queue_us });
    if (UNLIKELY(c->span != NULL))
        span_end(c, verdict);
    c->owner->ended(c, verdict);
    keep_free(keep);
    verbose_write(verbose);
    if (decoder != NULL)
        work_give_decoder(work, decoder);
    site_release(site);
}

void call_fail(struct call *c)
{
    call_end(c, &(struct verdict){ .error = &c->error });
}

static void begin_translation(struct call *c)
{
    if (LIKELY(c->members == NULL))
        document_begin(&c->document, c->encoder, &c->encoding, &c->text);
    else
        document_begin_members(&c->document, c->encoder, &c->encoding, c->members);
}

void call_write_again(struct call *c)
{
    if (c->state == CALL_TRANSLATING && c->encoder != NULL)
        begin_translation(c);
}

void call_error_memory(struct error *err)
{
    error_limit(err, PROBLEM_OVERLOADED, "limits.memory",
                "There was no room in limits.memory for this call while it waited for it "
                "(pool.queue_timeout). Try again later, or raise that limit.");
    err->retry_after = MEMORY_RETRY_AFTER;
}

/* Who sends several at once may send fewer. */
static bool fail_memory(struct call *c)
{
    call_error_memory(&c->error);
    if (c->members != NULL) {
        error_limit(&c->error, PROBLEM_OVERLOADED, "limits.memory",
                    "There was no room in limits.memory for this call while it waited for it "
                    "(pool.queue_timeout). Try again later, send fewer at once, or raise that "
                    "limit.");
        c->error.retry_after = MEMORY_RETRY_AFTER;
    }
    return false;
}

/* May it write on? */
static enum memory_answer ask_for_room(struct call *c)
{
    size_t len = chain_len(c->reply) + chain_len(&c->document.text);
    size_t text = c->text.params.len, wanted = text < TRANSLATE_STEP ? text : TRANSLATE_STEP;
    c->memory.held = c->params_held + len + len / 64;
    return memory_ask(&c->memory, len + wanted < SMALL ? SMALL : wanted);
}

/* Without room for the document the translation begins anew, once there is some. */
static bool wait_for_room(struct call *c)
{
    size_t wanted = chain_len(&c->document.text) + TRANSLATE_STEP;
    if (c->error.type != PROBLEM_OVERLOADED)
        return false;
    begin_translation(c);
    c->memory.held = c->params_held;
    return memory_wait(&c->memory, wanted) || fail_memory(c);
}

static void on_room(struct memory_wait *wait)
{
    struct call *c = CONTAINER_OF(wait, struct call, memory);
    if (c->state == CALL_CALLING)
        attempt_go_on(c);
    else if (c->state == CALL_HELD)
        attempt_start(c);
    else if (c->state == CALL_AWAITING)
        keep_go_on(c);
    else
        turn_ask(call_work(c), &c->turn);
}

void call_text_used(struct call *c)
{
    if (c->owner->text_used != NULL && !c->keeps_text)
        c->owner->text_used(c);
}

/* The document is there. */
static void send(struct call *c)
{
    const struct call_owner *owner = c->owner;
    c->repaired += c->document.repaired;
    work_give_encoder(call_work(c), TAKE(c->encoder));
    if (owner->translated != NULL && !owner->translated(c)) {
        call_fail(c);
        return;
    }
    if (UNLIKELY(c->keep != NULL)) {
        keep_begin(c);
        return;
    }
    call_text_used(c);
    attempt_start(c);
}

static void translate(struct turn *turn)
{
    struct call *c = CONTAINER_OF(turn, struct call, turn);
    enum memory_answer room = ask_for_room(c);
    if (room == MEMORY_WAIT)
        return;
    if (room == MEMORY_NONE) {
        fail_memory(c);
        call_fail(c);
        return;
    }
    switch (document_step(&c->document, &c->error)) {
    case CODEC_MORE:
        turn_ask(call_work(c), &c->turn);
        return;
    case CODEC_FAILED:
        if (!wait_for_room(c))
            call_fail(c);
        return;
    case CODEC_DONE:
        send(c);
        return;
    }
}

/* What the upstream's configuration adds. */
static void add_ours(struct call *c)
{
    if (LIKELY(c->upstream->n_inject == 0) || c->members != NULL || c->as_it_is ||
        c->own != CALL_CALLERS)
        return;
    c->inject = site_inject(c->site, c->upstream, c->text.method);
    if (c->inject != NULL)
        c->text.around = c->inject->rule->around;
}

static void init_memory(struct call *c)
{
    c->memory.kind = MEMORY_DOCUMENT;
    c->memory.patience_ms = c->upstream->pool.queue_timeout;
}

static void init(struct call *c)
{
    assert(c->state == CALL_ENDED);
    site_hold(c->site);
    list_init(&c->in_state);
    list_init(&c->in_queue);
    list_init(&c->in_stalled);
    list_init(&c->turn.in_turns);
    document_init(&c->document, &c->share->budget);
    memory_wait_init(&c->memory, call_work(c), c->share, c->request);
    c->memory.on_room = on_room;
    init_memory(c);
    c->reply_begin = chain_len(c->reply);
    c->began_ms = clock_now_ms();
    if (UNLIKELY(c->origin.trace != NULL))
        span_begin(c);
    choose_options(c);
    if (LIKELY(c->rule.cache == NULL) || !keep_applies(c))
        add_ours(c);
}

void call_translate(struct call *c)
{
    c->encoder = work_take_encoder(call_work(c));
    c->turn.take = translate;
    call_enter(c, CALL_TRANSLATING);
    if (UNLIKELY(c->needs_session) && !call_make_inject(c)) {
        call_fail(c);
        return;
    }
    begin_translation(c);
    if (LIKELY(c->text.params.len <= AT_ONCE))
        translate(&c->turn);
    else
        turn_ask(call_work(c), &c->turn);
}

static void begin_document(struct call *c)
{
    if (UNLIKELY(c->needs_session)) {
        call_enter(c, CALL_SESSION);
        session_begin(c);
    } else {
        call_translate(c);
    }
}

void call_go_alone(struct call *c)
{
    assert(c->state == CALL_JOINED);
    c->repaired = 0; /* its params may have been written before */
    begin_document(c);
}

/* A form is sent as it is. */
static void begin_form(struct call *c)
{
    chain_append(&c->document.text, c->text.params);
    attempt_start(c);
}

void call_begin(struct call *c)
{
    init(c);
    if (UNLIKELY(c->inject != NULL))
        c->needs_session |= c->inject->rule->needs_session;
    if (UNLIKELY(c->own == CALL_OWN_FORM))
        begin_form(c);
    else if (LIKELY(!join_takes(c)))
        begin_document(c);
    else
        join_enter(c);
}

void call_begin_again(struct call *c)
{
    chain_recover(c->reply, c->reply_begin);
    document_done(&c->document);
    document_init(&c->document, &c->share->budget);
    if (c->injected != NULL)
        call_forget_inject(c);
    c->text.around = NULL;
    c->attempts = 0;
    c->repaired = 0;
    c->has_fault_code = false;
    c->keeps_text = false;
    init_memory(c);
    call_enter(c, CALL_SESSION);
}

void call_abandon(struct call *c)
{
    c->unwanted = true;
    if (c->state == CALL_QUEUED || c->state == CALL_BACKOFF)
        timer_set(call_work(c), &c->wait, 0);
    else if (c->state == CALL_HELD)
        memory_hurry(&c->memory);
    else if (c->state == CALL_SESSION)
        session_hurry(c);
    else if (c->state == CALL_AWAITING)
        keep_hurry(c);
    else if (c->state == CALL_JOINED)
        join_abandon(c);
}

static void take_back(struct call *c)
{
    if (c->state == CALL_JOINED)
        join_leave(c);
    attempt_drop(c);
}

void call_drop(struct call *c)
{
    if (c->state == CALL_ENDED)
        return;
    take_back(c);
    give_back(c);
    if (c->span != NULL)
        span_drop(c);
    if (c->decoder != NULL)
        work_give_decoder(call_work(c), TAKE(c->decoder));
    site_release(c->site);
}

void call_error_draining(struct error *err)
{
    error_limit(err, PROBLEM_DRAINING, "limits.drain",
                "rpcgate is shutting down, and this call had not ended in time (limits.drain).");
}

void call_fail_draining(struct call *c)
{
    call_error_draining(&c->error);
    if (c->attempts > 0 || c->state == CALL_AWAITING)
        c->error.executed = EXECUTED_UNKNOWN;
    call_fail(c);
}

void call_cut_off(struct call *c)
{
    take_back(c);
    call_fail_draining(c);
}
