/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by themselves: in parallel, for an upstream without system.multicall, or the single one of
 * JSON-RPC, a plain call whose value goes straight into the reply. */
#include "front/batch_inside.h"

/* One batch does not take more than there is: the others wait in it, not in the queue. */
size_t parallel_max(const struct batch *b)
{
    return (size_t)b->request->upstream->pool.max_connections;
}

static void on_parallel_ended(struct call *c, const struct verdict *verdict)
{
    struct entry *e = c->user;
    struct batch *b = e->batch;
    request_add_call(b->request, c);
    b->n_running--;
    if (verdict->error != NULL) {
        entry_fail_call(e, verdict);
    } else {
        if (e->silent)
            chain_done(&e->text);
        else
            b->form->close_result(e->id, &e->text);
        e->state = ENTRY_DONE;
        entry_count(e);
    }
    client_give_call(b->request->front->client, TAKE(e->call));
    batch_go_on(b);
}

static const struct call_owner parallel_owner = { .ended = on_parallel_ended };

void parallel_begin(struct entry *e)
{
    struct batch *b = e->batch;
    struct request *r = b->request;
    struct method_rule rule = method_rule_find(r->upstream, e->method);
    struct call *c = client_take_call(r->front->client);
    e->state = ENTRY_RUNNING;
    e->call = c;
    b->n_running++;
    batch_fill_call(b, c, &rule);
    c->owner = &parallel_owner;
    c->user = e;
    entry_fill_text(e, &c->text);
    c->reply = &e->text;
    b->form->open_result(&e->text);
    call_begin(c);
}

static void on_single_ended(struct call *c, const struct verdict *verdict)
{
    struct entry *e = c->user;
    struct batch *b = e->batch;
    struct request *r = b->request;
    request_add_call(r, c);
    b->n_running--;
    if (verdict->error != NULL || e->silent)
        chain_recover(&r->reply, 0);
    else
        b->form->close_result(e->id, &r->reply);
    b->wrote = chain_len(&r->reply) > 0;
    if (verdict->error != NULL) {
        entry_fail_call(e, verdict);
    } else {
        e->state = ENTRY_DONE;
        entry_count(e);
    }
    batch_go_on(b);
}

static const struct call_owner single_owner = { .ended = on_single_ended };

void single_begin(struct entry *e)
{
    struct batch *b = e->batch;
    struct request *r = b->request;
    struct method_rule rule = method_rule_find(r->upstream, e->method);
    e->state = ENTRY_RUNNING;
    batch_fill_call(b, &r->call, &rule);
    r->call.owner = &single_owner;
    r->call.user = e;
    entry_fill_text(e, &r->call.text);
    b->form->open_result(&r->reply);
    b->n_running++;
    call_begin(&r->call);
}
