/* SPDX-License-Identifier: Apache-2.0 */
#include "client/exchange.h"

#include "base/clock.h"
#include "client/attempt.h"
#include "client/client.h"
#include "client/inject.h"
#include "client/pool.h"
#include "client/session_store.h"
#include "client/verbose.h"

/* JSON is hardly longer than the XML it comes from; chains take their memory in blocks. [bytes] */
#define GROWTH 2
#define ROOM_SPARE ((size_t)128 * 1024)
#define ROOM_LEAST ((size_t)4 * 1024)

/* How much of an answer is arranged before others get their turn. [bytes] */
#define ARRANGE_STEP ((size_t)256 * 1024)

static struct pool *pool_of(const struct call *c)
{
    return c->site->pools[c->upstream->index];
}

/* ---- While it runs -------------------------------------------------------------------------- */

static void await(struct call *c)
{
    memory_leave(&c->memory);
    c->memory.kind = MEMORY_REPLY;
    c->memory.patience_ms = c->upstream->pool.queue_timeout; /* anew: the document's is not its */
    answer_await(&c->answer, &(struct answer_way){
                                 .upstream = c->upstream,
                                 .target = c->target,
                                 .method = c->text.method,
                                 .members = c->answers,
                                 .as_it_is = c->as_it_is,
                                 .watch = c->watch,
                                 .part = c->part,
                                 .keeps_advice = c->look != NULL,
                                 .empty_is_null = c->rule.empty_is_null,
                                 .any_body = c->own == CALL_OWN_FORM,
                                 .decoding = &c->decoding,
                                 .reply = c->reply,
                                 .reply_begin = c->reply_begin,
                                 .error = &c->error,
                             });
}

static void on_head(struct upstream_call *call, int http_status, struct str content_type)
{
    struct call *c = call->user;
    c->http_status = http_status;
    if (c->decoder == NULL)
        c->decoder = work_take_decoder(call_work(c));
    answer_begin(&c->answer, c->decoder, content_type);
}

/* What has waited in vain is refused: the decoder finds no room in its output. */
static bool has_room(struct upstream_call *call, size_t bytes)
{
    struct call *c = call->user;
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

static bool on_data(struct upstream_call *call, struct str bytes)
{
    struct call *c = call->user;
    verbose_body(c->verbose, bytes);
    return answer_take(&c->answer, bytes);
}

static bool is_whole(const struct upstream_call *call)
{
    const struct call *c = call->user;
    return answer_has_document(&c->answer);
}

static void on_trace(struct upstream_call *call, bool sent, struct str bytes)
{
    struct call *c = call->user;
    verbose_head(c->verbose, sent, bytes);
}

static void on_done(struct upstream_call *call, const struct upstream_result *result);

static const struct upstream_added *added_of(const struct call *c)
{
    if (UNLIKELY(c->added != NULL))
        return c->added;
    return inject_kind(c->inject) != 0 ? &c->inject->added : NULL;
}

bool exchange_submit(struct call *c, int64_t now_ms)
{
    size_t target = upstream_state_target(pool_of(c)->shared, now_ms, c->targets_tried);
    if (target == UPSTREAM_NO_TARGET)
        return false;
    c->targets_tried |= UINT64_C(1) << target;
    c->target = target;
    await(c);
    verbose_end(TAKE(c->verbose), c);
    c->verbose = verbose_new(c);
    c->exchange = (struct upstream_call){
        .body = &c->document.text,
        .packed = &c->document.packed,
        .content_type = c->own == CALL_OWN_FORM ? "application/x-www-form-urlencoded" : "text/xml",
        .deadline_ms = c->deadline_ms,
        .target = target,
        .traceparent = c->origin.traceparent,
        .tracestate = c->origin.tracestate,
        .added = added_of(c),
        .on_cookie = c->on_cookie,
        .on_head = on_head,
        .has_room = has_room,
        .on_data = on_data,
        .is_whole = is_whole,
        .on_trace = c->verbose != NULL ? on_trace : NULL,
        .on_done = on_done,
        .extra = c->look != NULL ? c->look->extra : NULL,
        .user = c,
    };
    transport_submit(pool_of(c)->remote, &c->exchange);
    return true;
}

static void on_done(struct upstream_call *call, const struct upstream_result *result)
{
    struct call *c = call->user;
    struct upstream_result whole;
    if (answer_is_whole(&c->answer, result, &whole))
        result = &whole;
    bool connected =
        result->status != UPSTREAM_CONNECT_FAILED && result->status != UPSTREAM_TLS_FAILED;
    bool is_known = result->status != UPSTREAM_TIMEOUT && result->status != UPSTREAM_FAILED;
    int64_t now_ms = clock_now_ms();
    memory_leave(&c->memory);
    pool_unstall(pool_of(c), c);
    c->upstream_us += result->duration_us;
    if (is_known)
        upstream_state_connected(pool_of(c)->shared, c->target, now_ms, connected);
    if (!connected && exchange_submit(c, now_ms))
        return;
    if (is_known)
        upstream_state_reached(pool_of(c)->shared, now_ms, connected);
    if (UNLIKELY(c->look != NULL))
        c->look->ended(c, result);
    attempt_done(c, result);
}

/* ---- What it means -------------------------------------------------------------------------- */

/* True: it goes on, or is at its end already. */
static bool renew(struct call *c, struct answer_end *end)
{
    if (c->session == NULL || c->maybe_executed || !session_renew(c))
        return false;
    answer_end_done(end);
    return true;
}

static void finish(struct call *c, struct answer_end *end)
{
    const struct verdict *verdict = &end->verdict;
    c->repaired += end->repaired;
    if (verdict->fault != NULL) {
        c->has_fault_code = true;
        c->fault_code = verdict->fault->code;
    }
    if (UNLIKELY(verdict->expired) && renew(c, end))
        return;
    if (UNLIKELY(c->keeps_text) && c->owner->text_used != NULL)
        c->owner->text_used(c);
    call_end(c, verdict);
    answer_end_done(end);
}

static void arrange(struct turn *turn)
{
    struct call *c = CONTAINER_OF(turn, struct call, turn);
    struct answer_end end;
    if (answer_arrange(&c->answer, ARRANGE_STEP, &end) == CODEC_MORE)
        turn_ask(call_work(c), turn);
    else
        finish(c, &end);
}

void exchange_judge(struct call *c, const struct upstream_result *result)
{
    struct answer_end end;
    answer_finish(&c->answer, result, &end);
    if (LIKELY(!end.unarranged)) {
        finish(c, &end);
        return;
    }
    c->repaired += end.repaired;
    call_enter(c, CALL_ARRANGING);
    c->turn.take = arrange;
    turn_ask(call_work(c), &c->turn);
}
