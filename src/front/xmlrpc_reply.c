/* SPDX-License-Identifier: Apache-2.0 */
#include "front/xmlrpc.h"

#include "base/alloc.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"
#include "front/request.h"
#include "front/task.h"

#include <stdlib.h>

/* A document is longer than its JSON: `[1,1]` becomes two elements within two others. */
#define GROWTH 4

#define REPLY_OPTIONS(nil)                                                                         \
    {                                                                                              \
        .extensions = (nil) | EXTENSION_I8 | EXTENSION_BIGINTEGER | EXTENSION_BIGDECIMAL |         \
                      EXTENSION_NONFINITE,                                                         \
        .depth = CODEC_DEPTH_TYPED, .text = TEXT_REPLACE, .as_decoded = true                       \
    }

const struct encode_options xmlrpc_reply_options = REPLY_OPTIONS(EXTENSION_NIL);

/* For upstreams whose clients know nil by Apache's name alone. */
static const struct encode_options with_ex_nil = REPLY_OPTIONS(EXTENSION_EX_NIL);

void xmlrpc_drop(struct request *r)
{
    struct xmlrpc *x = TAKE(r->xmlrpc);
    if (x == NULL)
        return;
    list_remove(&x->turn.in_turns);
    if (x->decoder != NULL)
        work_give_decoder(r->front->work, x->decoder);
    if (x->encoder != NULL)
        work_give_encoder(r->front->work, x->encoder);
    chain_done(&x->chain);
    buf_done(&x->json);
    free(x);
}

static void drop(struct request *r)
{
    memory_leave(&r->memory);
    xmlrpc_drop(r);
}

static void cut_off(struct request *r);

static const struct task task_reply = { .cut_off = cut_off, .drop = drop };

static void fail(struct request *r, const struct error *err)
{
    drop(r);
    error_limit(&r->error, PROBLEM_RESPONSE_TOO_LARGE,
                err->setting != NULL ? err->setting : "limits.memory",
                "The answer cannot be written as XML-RPC: %s", err->detail);
    r->error.executed = EXECUTED_YES;
    request_fail(r);
}

static void fail_memory(struct request *r)
{
    fail(r, &(struct error){ .setting = "limits.memory",
                             .detail = "it does not fit into limits.memory now." });
}

static void finish(struct request *r)
{
    chain_done(&r->reply);
    chain_move(&r->reply, &r->xmlrpc->chain);
    drop(r);
    request_send(r);
}

static void write(struct turn *turn)
{
    struct xmlrpc *x = CONTAINER_OF(turn, struct xmlrpc, turn);
    struct request *r = x->request;
    struct error err;
    size_t step = x->json.len < XMLRPC_STEP ? x->json.len : XMLRPC_STEP;
    r->memory.held = x->json.cap + chain_len(&x->chain);
    enum memory_answer room = memory_ask(&r->memory, GROWTH * step);
    if (room == MEMORY_NONE)
        fail_memory(r); /* not request_has_room(): the call has run */
    if (room != MEMORY_GO)
        return;
    switch (encoder_step(x->encoder, XMLRPC_STEP, &err)) {
    case CODEC_MORE:
        turn_ask(r->front->work, turn);
        break;
    case CODEC_FAILED:
        fail(r, &err);
        break;
    case CODEC_DONE:
        finish(r);
        break;
    }
}

static void on_room(struct memory_wait *wait)
{
    struct request *r = CONTAINER_OF(wait, struct request, memory);
    turn_ask(r->front->work, &r->xmlrpc->turn);
}

/* The answer is there: what is left of its writing waits for nobody. */
static void cut_off(struct request *r)
{
    struct error err;
    enum codec_step step;
    list_remove(&r->xmlrpc->turn.in_turns);
    memory_leave(&r->memory);
    do
        step = encoder_step(r->xmlrpc->encoder, XMLRPC_STEP, &err);
    while (step == CODEC_MORE);
    if (step == CODEC_DONE)
        finish(r);
    else
        fail(r, &err);
}

/* The encoder wants its text in one piece. */
static bool take_json(struct request *r, struct buf *to)
{
    char piece[4096];
    struct chain_cursor cursor = { 0 };
    size_t n;
    if (!buf_reserve(to, chain_len(&r->reply)))
        return false;
    while ((n = chain_read(&r->reply, &cursor, piece, sizeof piece)) > 0)
        buf_append(to, (struct str){ piece, n });
    chain_done(&r->reply);
    chain_init(&r->reply, SIZE_MAX, &r->share->budget);
    return true;
}

static void begin(struct request *r)
{
    struct xmlrpc *x = r->xmlrpc;
    bool is_ex = (r->upstream->extensions & (EXTENSION_NIL | EXTENSION_EX_NIL)) == EXTENSION_EX_NIL;
    x->encoder = work_take_encoder(r->front->work);
    encoder_begin(x->encoder,
                  &(struct encode_input){ .kind = ENCODE_RESPONSE,
                                          .json = buf_str(&x->json),
                                          .options = is_ex ? &with_ex_nil : &xmlrpc_reply_options },
                  &x->chain);
    write(&x->turn);
}

void xmlrpc_arrange_reply(struct request *r)
{
    struct xmlrpc *x = xcalloc(1, sizeof *x);
    x->request = r;
    x->turn.take = write;
    list_init(&x->turn.in_turns);
    buf_init(&x->json, SIZE_MAX / 2, &r->share->budget);
    chain_init(&x->chain, SIZE_MAX, &r->share->budget);
    r->xmlrpc = x;
    if (r->task->drop != NULL)
        r->task->drop(r); /* it has ended */
    r->task = &task_reply;
    r->memory.kind = MEMORY_REPLY;
    r->memory.on_room = on_room;
    if (take_json(r, &x->json)) {
        begin(r);
        return;
    }
    fail_memory(r);
}
