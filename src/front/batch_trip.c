/* SPDX-License-Identifier: Apache-2.0 */
/* The document of one round trip of system.multicall. */
#include "front/batch_inside.h"

/* So many parts are written before others get their turn. */
#define PARTS_MAX 1024

static void begin_part(struct batch *b, enum encode_kind part)
{
    struct trip *t = &b->trip;
    struct encode_input input = { .kind = part, .options = &t->encoding };
    if (part == ENCODE_MULTICALL_ITEM) {
        struct entry *e = entry_at(b, t->at);
        input.method = e->method;
        input.json = e->params;
        input.within = buf_str(&b->request->body);
        input.place = &b->place;
    }
    t->part = part;
    t->part_begin = chain_len(&t->document);
    encoder_begin(t->encoder, &input, &t->document);
}

/* Begins anew, with all that are READY. */
static void begin_document(struct batch *b)
{
    struct trip *t = &b->trip;
    chain_done(&t->document);
    entries_take_back(b);
    t->at = 0;
    t->n_sent = 0;
    t->repaired = 0;
    t->rule = (struct method_rule){ .safe = true };
    begin_part(b, ENCODE_MULTICALL_BEGIN);
}

/* False: there is no further part. */
static bool next_part(struct batch *b)
{
    struct trip *t = &b->trip;
    if (t->part == ENCODE_MULTICALL_END)
        return false;
    if (t->part == ENCODE_MULTICALL_ITEM)
        t->at++;
    while (t->at < b->n && entry_at(b, t->at)->state != ENTRY_READY)
        t->at++;
    begin_part(b, t->at < b->n ? ENCODE_MULTICALL_ITEM : ENCODE_MULTICALL_END);
    return true;
}

/* All have the greatest of their times, and are safe if each is. */
static void add_rule(struct trip *t, struct method_rule rule)
{
    bool safe = t->rule.safe && rule.safe;
    if (rule.timeout_ms > t->rule.timeout_ms)
        t->rule = rule;
    t->rule.safe = safe;
}

static void end_part(struct batch *b)
{
    struct trip *t = &b->trip;
    t->repaired += encoder_repaired(t->encoder);
    if (t->part != ENCODE_MULTICALL_ITEM)
        return;
    struct entry *e = entry_at(b, t->at);
    e->state = ENTRY_RUNNING;
    t->n_sent++;
    add_rule(t, method_rule_find(b->request->upstream, e->method));
}

/* One call that cannot be written fails alone. */
static void fail_part(struct batch *b, struct error *err)
{
    struct trip *t = &b->trip;
    struct entry *e = entry_at(b, t->at);
    chain_recover(&t->document, t->part_begin);
    entry_point_at_params(e, err);
    entry_fail(e, err, NULL);
}

static void fail_all(struct batch *b, struct error *err)
{
    struct entry *e;
    while ((e = entries_first_ready(b)) != NULL)
        entry_fail(e, err, NULL);
}

static void leave(struct batch *b)
{
    trip_drop(b);
    b->busy = false;
    batch_go_on(b);
}

static void fail_memory(struct batch *b)
{
    struct error err;
    error_limit(&err, PROBLEM_OVERLOADED, "limits.memory",
                "There was no room in limits.memory for this call while it waited for it "
                "(pool.queue_timeout). Try again later, send fewer at once, or raise that limit.");
    err.retry_after = MEMORY_RETRY_AFTER;
    fail_all(b, &err);
    leave(b);
}

/* May it write on? */
static enum memory_answer ask_for_room(struct batch *b)
{
    const struct request *r = b->request;
    size_t len = chain_len(&r->reply) + chain_len(&b->trip.document);
    b->memory.held = r->body.cap + b->cap * sizeof *b->entries + len + len / 64;
    return memory_ask(&b->memory, r->body.len < BATCH_STEP ? r->body.len : BATCH_STEP);
}

/* Without room for the document it is begun anew, once there is some. */
static void wait_for_room(struct batch *b)
{
    size_t wanted = chain_len(&b->trip.document) + BATCH_STEP;
    begin_document(b);
    if (!memory_wait(&b->memory, wanted))
        fail_memory(b);
}

static void finish(struct batch *b)
{
    if (b->trip.n_sent == 0) {
        leave(b);
        return;
    }
    work_give_encoder(b->request->front->work, TAKE(b->trip.encoder));
    memory_leave(&b->memory); /* the answer asks for itself */
    trip_send(b);
}

static void step(struct batch *b)
{
    struct trip *t = &b->trip;
    struct error err;
    size_t begin = chain_len(&t->document);
    for (size_t n = 0; n < PARTS_MAX && chain_len(&t->document) < begin + BATCH_STEP; n++) {
        switch (encoder_step(t->encoder, BATCH_STEP, &err)) {
        case CODEC_MORE:
            continue;
        case CODEC_DONE:
            end_part(b);
            break;
        case CODEC_FAILED:
            if (err.type == PROBLEM_OVERLOADED || t->part != ENCODE_MULTICALL_ITEM) {
                wait_for_room(b);
                return;
            }
            fail_part(b, &err);
            break;
        }
        if (!next_part(b)) {
            finish(b);
            return;
        }
    }
    batch_ask_turn(b, BATCH_ENCODING);
}

void trip_step(struct batch *b)
{
    switch (ask_for_room(b)) {
    case MEMORY_GO:
        step(b);
        break;
    case MEMORY_WAIT:
        break;
    case MEMORY_NONE:
        fail_memory(b);
        break;
    }
}

void trip_begin(struct batch *b)
{
    struct request *r = b->request;
    b->phase = BATCH_ENCODING;
    b->busy = true;
    b->trip.encoding = call_encoding(r->site, r->upstream);
    b->trip.encoder = work_take_encoder(r->front->work);
    chain_init(&b->trip.document, SIZE_MAX, &r->share->budget);
    begin_document(b);
    trip_step(b);
}

void trip_drop(struct batch *b)
{
    if (b->trip.encoder != NULL)
        work_give_encoder(b->request->front->work, TAKE(b->trip.encoder));
    chain_done(&b->trip.document);
}
