/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is one call. The reply is `{"result": value}`. */
#include "front/request.h"

#include "base/clock.h"
#include "front/form.h"
#include "front/task.h"
#include "rules/caching.h"
#include "rules/media.h"
#include "work/metrics.h"

/* Several lines of it are one list, in their order (Trace Context, 3.3). */
static struct str tracestate(struct request *r, const struct request_head *head)
{
    struct buf *joined = &r->tracestate;
    size_t n = head_count(head, HEADER_TRACESTATE);
    if (n <= 1)
        return n == 1 ? head_find(head, HEADER_TRACESTATE)->value : (struct str){ NULL, 0 };
    if (joined->len > 0) /* for another call of the batch */
        return buf_str(joined);
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *h = &head->headers[i];
        if (h->is != HEADER_TRACESTATE || h->value.len == 0)
            continue;
        if (joined->len > 0)
            buf_append(joined, STR(","));
        buf_append(joined, h->value);
    }
    return buf_str(joined);
}

/* The trace of all its calls: that of its caller, or one of ours. NULL: the caller's is not
 * sampled, and goes on as it is. */
static const struct trace *trace_of(struct request *r, struct str traceparent)
{
    struct trace *t = &r->trace;
    struct work *work = r->front->work;
    uint64_t threshold = r->site->config->traces.threshold;
    if (!t->begun && traceparent.data != NULL)
        trace_continue(t, traceparent);
    else if (!t->begun)
        trace_begin(t, work_next_number(work), work_next_number(work), threshold);
    return t->has_parent && !trace_is_sampled(t) ? NULL : t;
}

void request_limit_call(const struct request *r, struct call *c, const struct method_rule *rule)
{
    c->rule = *rule;
    c->is_short = r->timeout_ms < rule->timeout_ms;
    c->limit_ms = r->timeout_ms;
    c->deadline_ms = clock_now_ms() + clock_min(rule->timeout_ms, r->timeout_ms);
}

/* Anonymous callers are one. */
static void let_keep(const struct request *r, struct call *c)
{
    struct caching_wish wish = caching_wish(http_head(r->exchange));
    c->apart = r->caller_name != NULL ? str_of(r->caller_name) : STR("");
    c->asks_anew = wish.no_cache || wish.no_store;
    c->is_not_kept = wish.no_store;
}

void request_fill_call(struct request *r, struct call *c, const struct method_rule *rule)
{
    const struct request_head *head = http_head(r->exchange);
    call_clear(c);
    c->site = r->site;
    c->upstream = r->upstream;
    c->origin.request_id = r->id;
    c->origin.traceparent = head_traceparent(head);
    c->query = &r->query;
    c->share = r->share;
    c->request = r;
    c->is_typed = r->target.row->form->is_xml;
    c->reply = &r->reply;
    c->user = r;
    request_limit_call(r, c, rule);
    if (UNLIKELY(r->site->config->traces.present))
        c->origin.trace = trace_of(r, c->origin.traceparent);
    if (UNLIKELY(rule->cache != NULL))
        let_keep(r, c);
    if (c->origin.traceparent.data != NULL)
        c->origin.tracestate = tracestate(r, head);
}

void request_add_call(struct request *r, const struct call *c)
{
    struct request_sums *sums = &r->sums;
    sums->n_calls++;
    if (c->attempts > sums->attempts)
        sums->attempts = c->attempts;
    sums->upstream_us += c->upstream_us;
    sums->queue_us += c->queue_us;
    sums->repaired += c->repaired;
    sums->has_fault_code = c->has_fault_code;
    sums->fault_code = c->fault_code;
    sums->upstream_status = c->http_status;
    if (UNLIKELY(c->kept.is_known) && !r->is_batch)
        r->kept = c->kept;
}

void request_count_call(struct request *r, const struct call *c, const struct verdict *verdict)
{
    size_t outcome = verdict->error != NULL ? 1 + (size_t)verdict->error->type : 0;
    request_add_call(r, c);
    metrics_count_outcome(request_record(r), r->front->work->index, c->text.method, outcome);
}

/* Rules about params are judged here, where they are known to be valid JSON. */
static bool on_translated(struct call *c)
{
    return request_may_call_with(c->user, c->text.method, c->text.params, &c->error);
}

static void on_text_used(struct call *c)
{
    struct request *r = c->user;
    buf_done(&r->body);
    c->params_held = 0;
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct request *r = c->user;
    request_count_call(r, c, verdict);
    if (verdict->error != NULL) {
        request_fail_with(r, verdict);
        return;
    }
    r->target.row->form->close_result((struct str){ NULL, 0 }, &r->reply);
    request_succeed(r, 200);
}

static const struct call_owner owner = {
    .translated = on_translated,
    .text_used = on_text_used,
    .ended = on_ended,
};

static void begin(struct request *r)
{
    struct call *c = &r->call;
    struct method_rule rule = method_rule_find(r->upstream, target_method(&r->target));
    request_fill_call(r, c, &rule);
    c->owner = &owner;
    c->text.method = target_method(&r->target);
    c->text.params = buf_str(&r->body);
    c->params_held = r->body.cap;
    r->target.row->form->open_result(&r->reply);
    request_enter(r, REQUEST_WORKING);
    call_begin(c);
}

static void gone(struct request *r)
{
    call_abandon(&r->call);
}

static void drop(struct request *r)
{
    call_drop(&r->call);
}

const struct task task_call = { .begin = begin, .gone = gone, .drop = drop };
