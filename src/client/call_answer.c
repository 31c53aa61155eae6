/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back to a call, and how that ends it. */
#include "client/call.h"

#include "client/attempt.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/session_store.h"
#include "client/verbose.h"
#include "rules/envelope.h"

/* JSON is hardly longer than the XML it comes from; chains take their memory in blocks. [bytes] */
#define GROWTH 2
#define ROOM_SPARE ((size_t)128 * 1024)
#define ROOM_LEAST ((size_t)4 * 1024)

/* How much of an answer is arranged before others get their turn. [bytes] */
#define ARRANGE_STEP ((size_t)256 * 1024)

static struct session_store *call_sessions(const struct call *c)
{
    return c->site->pools[c->upstream->index]->shared->sessions;
}

void call_answer_forget(struct call *c)
{
    memory_leave(&c->memory);
    c->memory.kind = MEMORY_REPLY;
    c->memory.patience_ms = c->upstream->pool.queue_timeout; /* anew: the document's is not its */
    response_await(&c->response, &(struct response_way){
                                     .config = c->site->config,
                                     .upstream = c->upstream,
                                     .target = c->target,
                                     .method = c->text.method,
                                     .watch = c->watch,
                                     .envelope = c->items != NULL || c->watch != NULL || c->as_it_is
                                                     ? NULL
                                                     : envelope_find(c->upstream, c->text.method),
                                     .decoder = c->decoder,
                                     .decoding = &c->decoding,
                                     .reply = c->reply,
                                     .reply_begin = c->reply_begin,
                                     .empty_is_null = c->rule.empty_is_null,
                                     .keeps_array = c->items != NULL,
                                     .any_body = c->own == CALL_OWN_FORM,
                                     .sessions = call_sessions(c),
                                     .error = &c->error,
                                 });
}

void call_answer_begins(struct call *c, struct str content_type)
{
    response_begin(&c->response, content_type);
}

/* What has waited in vain is refused: the decoder finds no room in its output. */
bool call_answer_has_room(struct call *c, size_t bytes)
{
    size_t spare = 2 * chain_len(c->reply) + ROOM_LEAST;
    size_t wanted = bytes * GROWTH + (spare < ROOM_SPARE ? spare : ROOM_SPARE);
    const struct document *d = &c->document;
    size_t len = chain_len(c->reply) + chain_len(&d->text) + chain_len(&d->packed);
    c->memory.held = c->params_held + len + len / 64;
    enum memory_answer room = memory_ask(&c->memory, wanted);
    if (room == MEMORY_NONE)
        chain_fail(c->reply);
    else if (room == MEMORY_WAIT)
        attempt_stall(c);
    return room != MEMORY_WAIT;
}

bool call_answer_goes_on(struct call *c, struct str bytes)
{
    verbose_body(c->verbose, bytes);
    return response_take(&c->response, bytes);
}

/* True: it goes on, or is at its end already. */
static bool expire(struct call *c, struct response_end *end)
{
    c->expired = true;
    if (c->session == NULL || c->maybe_executed || !session_renew(c))
        return false;
    response_end_done(end);
    return true;
}

static void finish(struct call *c, struct response_end *end)
{
    c->repaired += end->repaired;
    if (end->fault != NULL) {
        c->has_fault_code = true;
        c->fault_code = end->fault_code;
    }
    if (UNLIKELY(end->expired) && expire(c, end))
        return;
    if (UNLIKELY(c->keeps_text) && c->owner->text_used != NULL)
        c->owner->text_used(c);
    if (end->good)
        call_succeed(c);
    else
        call_fail_with(c, end->fault, end->protocol);
    response_end_done(end);
}

static void arrange(struct turn *turn)
{
    struct call *c = CONTAINER_OF(turn, struct call, turn);
    struct response_end end;
    if (response_arrange(&c->response, ARRANGE_STEP, &end) == CODEC_MORE)
        turn_ask(call_work(c), turn);
    else
        finish(c, &end);
}

void call_answered(struct call *c, const struct upstream_outcome *outcome)
{
    struct response_end end;
    response_finish(&c->response, outcome, &end);
    if (LIKELY(!end.unarranged)) {
        finish(c, &end);
        return;
    }
    c->repaired += end.repaired;
    call_enter(c, CALL_ARRANGING);
    c->turn.take = arrange;
    turn_ask(call_work(c), &c->turn);
}
