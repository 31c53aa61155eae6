/* SPDX-License-Identifier: Apache-2.0 */
/* Has the upstream a system.multicall, and what shape have its results? */
#include "front/batch_inside.h"

#include "base/clock.h"

/* Those at hand cannot be sent; the next ones may. */
static void fail_ready(struct batch *b, const struct verdict *verdict)
{
    struct entry *e;
    while ((e = entries_first_ready(b)) != NULL) {
        struct error err = *verdict->error;
        err.executed = EXECUTED_NO; /* only the question was asked */
        entry_fail(e, &err, verdict);
    }
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct batch *b = c->user;
    enum multicall_known known = multicall_judge(verdict, &b->known);
    request_add_call(b->request, c);
    b->request->sums.has_fault_code = false;
    chain_done(&b->known);
    b->asks = false;
    b->busy = false;
    multicall_learn(batch_shared(b), known);
    if (known == MULTICALL_UNKNOWN)
        fail_ready(b, verdict);
    batch_go_on(b);
}

static const struct call_owner owner = { .ended = on_ended };

/* The question is harmless: it may be asked twice. */
static void ask(struct batch *b)
{
    struct request *r = b->request;
    struct method_rule rule = method_rule_find(r->upstream, STR("system.listMethods"));
    rule.safe = true;
    batch_fill_call(b, &r->call, &rule);
    r->call.owner = &owner;
    r->call.user = b;
    r->call.text.method = STR("system.multicall");
    r->call.text.params = STR(MULTICALL_QUESTION);
    r->call.as_it_is = true;
    r->call.inject = site_inject(r->site, r->upstream, STR("system.listMethods"));
    r->call.reply = &b->known;
    chain_init(&b->known, SIZE_MAX, &r->share->budget);
    b->asks = true;
    b->busy = true;
    call_begin(&r->call);
}

static void on_known(struct once_wait *wait, bool in_time)
{
    struct batch *b = CONTAINER_OF(wait, struct batch, wait);
    b->busy = false;
    if (!in_time && !b->is_over) {
        b->is_over = true;
        error_limit(&b->over, PROBLEM_OVERLOADED, "timeouts.total",
                    "The time was over before the upstream %s had told how it answers "
                    "system.multicall. Try again later.",
                    b->request->upstream->name);
    }
    batch_go_on(b);
}

static void wait_for_others(struct batch *b)
{
    struct method_rule rule = method_rule_find(b->request->upstream, STR("system.multicall"));
    b->busy = true;
    b->wait.go_on = on_known;
    multicall_wait(batch_shared(b), &b->wait, b->request->front->work,
                   b->began_ms + clock_min(rule.timeout_ms, b->request->timeout_ms));
}

void plan_find(struct batch *b)
{
    b->plan = multicall_plan(batch_shared(b));
    switch (b->plan) {
    case MULTICALL_ASK:
        ask(b);
        return;
    case MULTICALL_WAIT:
        wait_for_others(b);
        return;
    case MULTICALL_WRAPPED:
    case MULTICALL_BARE:
    case MULTICALL_PARALLEL:
        break;
    }
    b->has_plan = true;
}

void plan_drop(struct batch *b)
{
    once_leave(&b->wait);
    if (b->asks)
        multicall_learn(batch_shared(b), MULTICALL_UNKNOWN);
    b->asks = false;
    chain_done(&b->known);
}
