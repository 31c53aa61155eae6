/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of one round trip of system.multicall: all that are READY when it is written. */
#include "front/batch_inside.h"

static void on_begin(void *context)
{
    struct batch *b = context;
    entries_take_back(b);
    b->trip.at = 0;
    b->trip.n_sent = 0;
    b->trip.is_sent = false;
    b->trip.rule = (struct method_rule){ .safe = true };
}

static bool on_next(void *context, struct document_call *ret)
{
    struct batch *b = context;
    struct trip *t = &b->trip;
    while (t->at < b->n && entry_at(b, t->at)->state != ENTRY_READY)
        t->at++;
    if (t->at == b->n)
        return false;
    entry_fill_text(entry_at(b, t->at), ret);
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

static void on_end(void *context, struct error *err)
{
    struct batch *b = context;
    struct entry *e = entry_at(b, b->trip.at);
    if (err != NULL) {
        entry_point_at_params(e, err);
        entry_fail(e, err, NULL);
        return;
    }
    e->state = ENTRY_RUNNING;
    b->trip.n_sent++;
    add_rule(&b->trip, method_rule_find(b->request->upstream, e->method));
}

/* Without any call in it there is nothing to send. */
static bool on_translated(struct call *c)
{
    struct batch *b = c->user;
    if (b->trip.n_sent == 0)
        return false;
    batch_limit_call(b, c, &b->trip.rule);
    trip_expect(b);
    return true;
}

static const struct call_owner owner = { .translated = on_translated, .ended = trip_ended };

void trip_begin(struct batch *b)
{
    struct request *r = b->request;
    struct trip *t = &b->trip;
    struct method_rule rule = method_rule_find(r->upstream, STR("system.multicall"));
    t->members = (struct document_members){
        .context = b,
        .begin = on_begin,
        .next = on_next,
        .end = on_end,
    };
    b->busy = true;
    request_fill_call(r, &r->call, &rule);
    r->call.owner = &owner;
    r->call.user = b;
    r->call.text =
        (struct document_call){ .method = STR("system.multicall"), .params = buf_str(&r->body) };
    r->call.members = &t->members;
    r->call.items = &t->items;
    r->call.params_held = r->body.cap + b->cap * sizeof *b->entries;
    call_begin(&r->call);
}
