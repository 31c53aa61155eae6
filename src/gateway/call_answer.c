/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back to a call, and how that ends it. */
#include "gateway/call.h"

#include "gateway/verbose.h"

/* JSON is hardly longer than the XML it comes from; chains take their memory in blocks. [bytes] */
#define GROWTH 2
#define ROOM_SPARE ((size_t)128 * 1024)

/* How much of an answer is arranged before others get their turn. [bytes] */
#define ARRANGE_STEP ((size_t)256 * 1024)

void call_answer_forget(struct call *c)
{
    memory_leave(&c->memory);
    c->memory.is_reply = true;
    c->memory.until_ms = 0; /* what the document has waited does not count */
    response_await(&c->response, &(struct response_way){
                                     .config = c->view->config,
                                     .upstream = c->upstream,
                                     .target = c->target,
                                     .decoder = c->decoder,
                                     .decoding = &c->decoding,
                                     .reply = c->reply,
                                     .reply_begin = c->reply_begin,
                                     .empty_is_null = c->rule.empty_is_null,
                                     .keeps_array = c->items != NULL,
                                     .error = &c->error,
                                 });
}

void call_answer_begins(struct call *c, struct str content_type)
{
    response_begin(&c->response, content_type);
}

/* Others may give memory back. Who holds all that is taken waits for nothing. */
bool call_answer_has_room(struct call *c, size_t bytes)
{
    size_t wanted = bytes * GROWTH + ROOM_SPARE;
    size_t len = chain_len(c->reply) + chain_len(&c->document);
    c->memory.held = len + len / 64 + ROOM_SPARE;
    return memory_fits(&c->memory, wanted) || !memory_wait(&c->memory, wanted);
}

bool call_answer_goes_on(struct call *c, struct str bytes)
{
    verbose_body(c->verbose, bytes);
    return response_take(&c->response, bytes);
}

static void finish(struct call *c, struct response_end *end)
{
    c->repaired += end->repaired;
    if (end->fault != NULL) {
        c->has_fault_code = true;
        c->fault_code = end->fault_code;
    }
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
        turn_ask(c->view->worker, turn);
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
    turn_ask(c->view->worker, &c->turn);
}
