/* SPDX-License-Identifier: Apache-2.0 */
#include "client/flight.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/pool.h"

#include <stdlib.h>

/* What is copied of a failure: a fault's texts are bounded by limits.fault_text. */
#define TEXTS_MAX (SIZE_MAX / 4)

static struct kept_store *store_of(const struct call *c)
{
    return c->site->client->kept;
}

static void free_call(struct flight *f)
{
    if (f->call == NULL)
        return;
    memory_share_leave(f->call->share, f);
    chain_done(&f->reply);
    free(TAKE(f->call));
}

void flight_unref(struct flight *f)
{
    if (f == NULL || atomic_fetch_sub_explicit(&f->making.references, 1, memory_order_acq_rel) > 1)
        return;
    free_call(f);
    once_done(&f->landing);
    kept_unref(f->result);
    buf_done(&f->texts);
    buf_done(&f->text);
    upstream_state_unref(f->state);
    config_unref(f->snapshot);
    free(f);
}

struct flight *flight_ref(struct flight *f)
{
    atomic_fetch_add_explicit(&f->making.references, 1, memory_order_relaxed);
    return f;
}

void flight_wait(struct flight *f, struct once_wait *wait, struct work *w, int64_t until_ms)
{
    once_wait(&f->landing, wait, w, until_ms);
    /* It may have landed before this one stood on the list. */
    if (atomic_load_explicit(&f->landed, memory_order_acquire))
        once_hurry(wait);
}

/* ---- The end -------------------------------------------------------------------------------- */

#define TEXTS (5 + 2 * PROBLEM_HEADERS_MAX)

/* All that the failure borrows from its call. */
static size_t list_texts(struct flight *f, struct str *ret[TEXTS])
{
    struct str *texts[] = { &f->fault.code_text, &f->fault.string, &f->protocol.message,
                            &f->protocol.content_type, &f->protocol.body };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ret[n++] = texts[i];
    for (size_t i = 0; i < f->protocol.n_headers; i++) {
        ret[n++] = &f->headers[i].name;
        ret[n++] = &f->headers[i].value;
    }
    return n;
}

/* They are found when all are there: until then the copy may move. */
static void copy_failure(struct flight *f)
{
    struct str *texts[TEXTS];
    size_t n = list_texts(f, texts), at = 0;
    for (size_t i = 0; i < n; i++)
        buf_append(&f->texts, *texts[i]);
    buf_append_byte(&f->texts, '\0');
    if (!buf_ok(&f->texts))
        die_without_memory();
    for (size_t i = 0; i < n; i++) {
        if (texts[i]->data != NULL)
            texts[i]->data = f->texts.data + at;
        at += texts[i]->len;
    }
}

static void keep_failure(struct flight *f, const struct verdict *verdict)
{
    f->error = *verdict->error;
    f->has_fault = verdict->fault != NULL;
    f->has_protocol = verdict->protocol != NULL;
    if (f->has_fault)
        f->fault = *verdict->fault;
    if (f->has_protocol) {
        f->protocol = *verdict->protocol;
        for (size_t i = 0; i < f->protocol.n_headers; i++)
            f->headers[i] = f->protocol.headers[i];
        f->protocol.headers = f->headers;
    }
    copy_failure(f);
}

/* The value of a call alone begins with the blank that was its array's bracket. */
static struct kept *take_result(struct flight *f)
{
    char first = ' ';
    struct chain_cursor cursor = { 0 };
    size_t n = chain_read(&f->reply, &cursor, &first, 1);
    size_t repaired = f->call->repaired - f->call->document.repaired;
    return kept_new(&f->reply, n > 0 && first == ' ' ? 1 : 0, repaired);
}

static void fail_memory(struct flight *f)
{
    error_limit(&f->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                "The answer does not fit into memory now. Ask for less, or try again later.");
}

static void land(struct flight *f)
{
    int64_t now_ms = clock_now_ms();
    if (f->result != NULL)
        f->result->made_ms = now_ms;
    f->is_kept = kept_made(store_of(f->call), &f->state->kept, &f->making,
                           f->lasts_ms > 0 ? f->result : NULL, now_ms + f->lasts_ms);
    atomic_store_explicit(&f->landed, true, memory_order_release);
    once_tell(&f->landing);
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct flight *f = c->user;
    f->attempts = c->attempts;
    f->upstream_us = c->upstream_us;
    f->queue_us = c->queue_us;
    f->http_status = c->http_status;
    if (verdict->error != NULL)
        keep_failure(f, verdict);
    else
        f->result = take_result(f);
    if (verdict->error == NULL && f->result == NULL)
        fail_memory(f);
    land(f);
    free_call(f);
    flight_unref(f);
}

/* ---- The beginning -------------------------------------------------------------------------- */

/* What a call's texts are, one behind the other. */
static struct str take(const struct flight *f, size_t len, size_t *at)
{
    struct str text = { f->text.data + *at, len };
    *at += len + 1;
    return text;
}

static bool copy_texts(struct flight *f, struct call *to, const struct call *c)
{
    struct str id = str_of(c->origin.request_id);
    const struct str texts[] = { c->text.method, c->text.params, id, c->origin.traceparent,
                                 c->origin.tracestate };
    struct str *copies[] = { &to->text.method, &to->text.params, &id, &to->origin.traceparent,
                             &to->origin.tracestate };
    size_t at = 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf_append(&f->text, texts[i]);
        buf_append_byte(&f->text, '\0');
    }
    for (size_t i = 0; i < ARRAY_LEN(texts) && buf_ok(&f->text); i++)
        *copies[i] =
            texts[i].data != NULL ? take(f, texts[i].len, &at) : (at++, (struct str){ NULL, 0 });
    to->origin.request_id = id.data;
    return buf_ok(&f->text);
}

static const struct call_owner owner = { .ended = on_ended };

static void fill_call(struct flight *f, const struct call *c)
{
    f->call = xcalloc(1, sizeof *f->call);
    *f->call = (struct call){
        .site = c->site,
        .upstream = c->upstream,
        .owner = &owner,
        .user = f,
        .is_typed = c->is_typed,
        .share = c->share,
        .request = f,
        .goes_alone = true,
        .query = &f->query,
        .rule = c->rule,
        .deadline_ms = f->deadline_ms,
        .reply = &f->reply,
    };
    f->call->rule.cache = NULL; /* it is the one that is made */
}

static struct flight *make(struct call *c, const struct digest *key)
{
    struct flight *f = xcalloc(1, sizeof *f);
    f->making.key = *key;
    atomic_init(&f->making.references, 1);
    once_init(&f->landing);
    f->state = upstream_state_ref(c->site->pools[c->upstream->index]->shared);
    f->snapshot = config_ref(c->site->config);
    /* No later than those who wait for as long as it may take, so that they see how it ends. */
    f->deadline_ms = c->is_short ? clock_now_ms() + c->rule.timeout_ms : c->deadline_ms;
    f->query = (struct query){ true, true, c->decoding.types, c->decoding.integers };
    buf_init(&f->texts, TEXTS_MAX, NULL);
    buf_init(&f->text, SIZE_MAX / 4, &c->share->budget);
    chain_init(&f->reply, SIZE_MAX, &c->share->budget);
    fill_call(f, c);
    return f;
}

struct flight *flight_new(struct call *c, const struct digest *key)
{
    struct flight *f = make(c, key);
    if (copy_texts(f, f->call, c)) {
        f->params = f->call->text.params;
        f->call->params_held = f->text.cap;
        return f;
    }
    flight_unref(f);
    call_error_memory(&c->error);
    return NULL;
}

void flight_begin(struct flight *f)
{
    call_begin(f->call);
}
