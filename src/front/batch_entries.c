/* SPDX-License-Identifier: Apache-2.0 */
#include "front/batch_inside.h"

#include "base/alloc.h"
#include "codec/json/pointer.h"
#include "work/metrics.h"

#include <stdlib.h>

/* So many calls are read before others get their turn. */
#define READ_MAX 1024

static struct budget *budget_of(const struct batch *b)
{
    return &b->request->share->budget;
}

enum memory_answer entries_open(struct batch *b)
{
    size_t max = (size_t)b->request->upstream->multicall_max;
    size_t count = batch_reader_count(b->reader);
    size_t cap = count < max ? count : max;
    size_t bytes = cap * sizeof *b->entries;
    b->memory.held = b->request->body.cap;
    enum memory_answer room = memory_ask(&b->memory, bytes);
    if (room != MEMORY_GO)
        return room;
    if (!budget_take(budget_of(b), bytes))
        return memory_wait(&b->memory, bytes) ? MEMORY_WAIT : MEMORY_NONE;
    memory_leave(&b->memory); /* what follows asks for itself */
    b->entries = xcalloc(cap, sizeof *b->entries);
    b->cap = cap;
    b->at_end = count == 0;
    return MEMORY_GO;
}

static void forget(struct entry *e)
{
    if (e->call != NULL) {
        call_drop(e->call);
        client_give_call(e->batch->request->front->client, TAKE(e->call));
    }
    chain_done(&e->text);
    free(TAKE(e->method_copy));
}

void entries_close(struct batch *b)
{
    entries_forget(b);
    free(TAKE(b->entries));
    budget_give(budget_of(b), b->cap * sizeof *b->entries);
    b->cap = 0;
}

struct entry *entry_at(const struct batch *b, size_t i)
{
    size_t at = b->first + i;
    return &b->entries[at < b->cap ? at : at - b->cap];
}

struct entry *entries_first_ready(struct batch *b)
{
    while (b->ready_from < b->n && entry_at(b, b->ready_from)->state != ENTRY_READY)
        b->ready_from++;
    return b->ready_from < b->n ? entry_at(b, b->ready_from) : NULL;
}

struct entry *entries_next_kept(struct batch *b, size_t *at)
{
    for (; *at < b->n; ++*at) {
        struct entry *e = entry_at(b, *at);
        if (e->is_kept && e->state == ENTRY_READY)
            return e;
    }
    return NULL;
}

void entries_take_back(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (entry_at(b, i)->state == ENTRY_RUNNING)
            entry_at(b, i)->state = ENTRY_READY;
    b->ready_from = 0;
}

/* ---- Problems ------------------------------------------------------------------------------- */

void entry_count(const struct entry *e)
{
    struct request *r = e->batch->request;
    r->n_failed += e->failed;
    metrics_count_outcome(request_record(r), r->front->work->index, e->method,
                          e->failed ? 1 + (size_t)e->problem : 0);
}

/* The first problem of ours with 5xx is told in the log: a fault is what the upstream has to say,
 * and what callers get wrong is told to them. */
static void tell_problem(struct request *r, const struct error *err)
{
    if (err->type == PROBLEM_FAULT || err->status < 500 || r->problem != NULL)
        return;
    r->problem = problem_info(err->type)->name;
    r->error = *err;
}

/* A text that is too long to be a method's name is not repeated in the problem that says so. */
static struct str told_method(const struct entry *e)
{
    bool is_name = e->method.len <= sizeof e->batch->request->target.method;
    return is_name ? e->method : (struct str){ NULL, 0 };
}

void entry_write_problem(struct entry *e, const struct error *err, const struct verdict *verdict,
                         struct chain *to)
{
    struct request *r = e->batch->request;
    struct problem problem = {
        .error = err,
        .upstream = str_of(r->upstream->name),
        .method = told_method(e),
        .fault = verdict != NULL ? verdict->fault : NULL,
        .protocol = verdict != NULL ? verdict->protocol : NULL,
    };
    e->failed = true;
    e->problem = err->type;
    if (batch_reader_is_list(e->batch->reader))
        tell_problem(r, err);
    if (e->silent)
        return;
    if (err->retry_after > r->sums.retry_after)
        r->sums.retry_after = err->retry_after;
    request_write_problem(r, &problem, e->batch->form, e->id, to);
}

void entry_fail(struct entry *e, const struct error *err, const struct verdict *verdict)
{
    chain_done(&e->text);
    entry_write_problem(e, err, verdict, &e->text);
    e->state = ENTRY_DONE;
    entry_count(e);
    if (!batch_reader_is_list(e->batch->reader)) {
        e->batch->request->problem = problem_info(err->type)->name;
        e->batch->request->error = *err;
    }
}

void entry_fail_call(struct entry *e, const struct verdict *verdict)
{
    struct error err = *verdict->error;
    if (err.has_pointer || err.type == PROBLEM_INVALID_JSON)
        entry_point_at_params(e, &err);
    entry_fail(e, &err, verdict);
}

static void point_at(const struct entry *e, const char *member, const char *further,
                     struct error *err)
{
    struct buf pointer;
    buf_init(&pointer, 2 * ERROR_POINTER_MAX, NULL);
    if (batch_reader_is_list(e->batch->reader))
        json_pointer_add_index(&pointer, e->index);
    json_pointer_add_name(&pointer, str_of(member));
    buf_append_c(&pointer, further);
    error_at(err, buf_str(&pointer));
    buf_done(&pointer);
}

void entry_point_at_params(const struct entry *e, struct error *err)
{
    char further[ERROR_POINTER_MAX] = "";
    if (err->has_pointer)
        memcpy(further, err->pointer, sizeof further);
    point_at(e, "params", further, err);
}

/* ---- Reading -------------------------------------------------------------------------------- */

void entry_fill_text(struct entry *e, struct document_call *ret)
{
    *ret = (struct document_call){
        .method = e->method,
        .params = e->params,
        .within = buf_str(&e->batch->request->body),
        .place = &e->batch->place,
    };
}

const struct inject *entry_inject(const struct entry *e)
{
    const struct request *r = e->batch->request;
    return site_inject(r->site, r->upstream, e->method);
}

/* A name without escapes is in the body, which stays. */
static void keep_method(struct entry *e, struct str method)
{
    const struct buf *body = &e->batch->request->body;
    e->method = method;
    if (method.len == 0 || (method.data >= body->data && method.data < body->data + body->len))
        return;
    e->method_copy = xmemdup0(method.data, method.len);
    e->method.data = e->method_copy;
}

/* The only call's method is the request's. */
static void tell_method(struct request *r, struct str method)
{
    if (method.len > 0 && method.len <= sizeof r->target.method)
        target_set_method(&r->target, method);
}

static bool check(const struct entry *e, struct error *err)
{
    if (path_check_method_name(e->method, err) &&
        request_may_call_with(e->batch->request, e->method, e->params, err))
        return true;
    point_at(e, e->batch->form->is_xml ? "methodName" : "method", "", err);
    return false;
}

static void add(struct batch *b, const struct batch_item *item, struct error *err)
{
    struct entry *e = entry_at(b, b->n++);
    *e = (struct entry){
        .batch = b,
        .index = item->index,
        .params = item->params,
        .id = item->id,
        .silent = item->notification,
    };
    chain_init(&e->text, SIZE_MAX, budget_of(b));
    if (!item->failed)
        keep_method(e, item->method);
    if (!batch_reader_is_list(b->reader))
        tell_method(b->request, e->method);
    if (item->failed || !check(e, err))
        entry_fail(e, err, NULL);
    else if (UNLIKELY(b->keeps))
        e->is_kept = method_rule_find(b->request->upstream, e->method).cache != NULL;
}

void entries_read(struct batch *b)
{
    struct batch_item item;
    struct error err;
    for (size_t n = 0; n < READ_MAX && !entries_full(b); n++) {
        switch (batch_reader_next(b->reader, BATCH_STEP, &item, &err)) {
        case BATCH_MORE:
            return;
        case BATCH_ITEM:
            add(b, &item, &err);
            b->at_end = item.index + 1 == batch_reader_count(b->reader);
            break;
        case BATCH_END:
            return;
        }
    }
}

/* ---- Answers -------------------------------------------------------------------------------- */

void entry_separate(const struct entry *e)
{
    struct batch *b = e->batch;
    if (b->wrote)
        chain_append_byte(&b->request->reply, ',');
    b->wrote = true;
}

static void forget_first(struct batch *b)
{
    forget(entry_at(b, 0));
    b->first = b->first + 1 < b->cap ? b->first + 1 : 0;
    b->n--;
    b->ready_from -= b->ready_from > 0;
}

void entries_emit(struct batch *b)
{
    while (b->n > 0 && b->entries[b->first].state == ENTRY_DONE) {
        struct entry *e = entry_at(b, 0);
        if (chain_len(&e->text) > 0) {
            entry_separate(e);
            chain_append_range(&b->request->reply, &e->text, 0, chain_len(&e->text));
        }
        if (chain_state(&e->text) != CHAIN_OK) /* the reply must not be without it */
            b->request->reply.state = CHAIN_NO_MEMORY;
        forget_first(b);
    }
}

void entries_forget(struct batch *b)
{
    while (b->n > 0 && entry_at(b, 0)->state != ENTRY_READY)
        forget_first(b);
    b->first = b->n > 0 ? b->first : 0;
}
