/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC's single call is a plain one, whose value goes straight into the reply. */
#include "front/batch_inside.h"

static void on_ended(struct call *c, const struct call_end *end)
{
    struct entry *e = c->user;
    struct batch *b = e->batch;
    struct request *r = b->request;
    request_add_call(r, c);
    b->n_running--;
    if (end->error != NULL || e->silent)
        chain_recover(&r->reply, 0);
    else
        b->form->close_result(e->id, &r->reply);
    b->wrote = chain_len(&r->reply) > 0;
    if (end->error != NULL) {
        entry_fail_call(e, end);
    } else {
        e->state = ENTRY_DONE;
        entry_count(e);
    }
    batch_go_on(b);
}

static const struct call_owner owner = { .ended = on_ended };

void alone_begin(struct entry *e)
{
    struct batch *b = e->batch;
    struct request *r = b->request;
    struct method_rule rule = method_rule_find(r->upstream, e->method);
    e->state = ENTRY_RUNNING;
    batch_fill_call(b, &r->call, &rule);
    r->call.owner = &owner;
    r->call.user = e;
    entry_fill_text(e, &r->call.text);
    b->form->open_result(&r->reply);
    b->n_running++;
    call_begin(&r->call);
}
