/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that sends spans: OTLP over HTTP, JSON (opentelemetry.io, "OTLP Specification"). */
#include "client/traces.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "codec/json/scan.h"
#include "io/post.h"
#include "settings/redact.h"
#include "settings/snapshot.h"

#include <stdlib.h>

/* The first pause before what was not taken is sent again; the next ones are twice as long, up to
 * the longest. */
#define PAUSE_MS 500
#define PAUSE_MAX_MS 30000

#define ANSWER_DEPTH 16

struct batch {
    struct span_text *spans; /* owned */
    size_t n;
    size_t bytes;
    struct config *config; /* referenced */
    unsigned n_configs;    /* it is the newest of so many */
    struct buf body;
    int64_t began_ms;
};

/* ---- What is sent --------------------------------------------------------------------------- */

static void add_attribute(struct buf *to, const char *name, const char *value)
{
    buf_printf(to, "{\"key\":\"%s\",\"value\":{\"stringValue\":", name);
    json_quote(str_of(value), to);
    buf_append_c(to, "}}");
}

static void write_body(struct batch *b)
{
    struct buf *to = &b->body;
    buf_append_c(to, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    add_attribute(to, "service.name", b->config->traces.service);
    buf_append_c(to, ",");
    add_attribute(to, "service.version", RPCGATE_VERSION);
    buf_append_c(to, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"rpcgate\",\"version\":");
    json_quote(STR(RPCGATE_VERSION), to);
    buf_append_c(to, "},\"spans\":[");
    for (const struct span_text *s = b->spans; s != NULL; s = s->next) {
        if (s != b->spans)
            buf_append_c(to, ",");
        buf_append(to, (struct str){ s->data, s->len });
    }
    buf_append_c(to, "]}]}]}");
}

static void free_spans(struct batch *b)
{
    for (struct span_text *at = TAKE(b->spans), *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
}

/* ---- What came of it ------------------------------------------------------------------------ */

/* The statuses after which the specification wants it sent again. */
static bool is_for_now(int status)
{
    return status == 0 || status == 429 || (status >= 502 && status <= 504);
}

/* How many spans the collector has taken only to throw them away:
 * `{"partialSuccess": {"rejectedSpans": "3"}}`, the number with quotes or without. */
static uint64_t count_rejected(const struct post_answer *a)
{
    static const struct str path_text = { "/partialSuccess/rejectedSpans", 29 };
    struct str text = { a->body, a->body_len };
    struct json_path path;
    struct error ignored;
    char memory[512];
    uint64_t n = 0;
    if (text.len == 0 || json_path_size(path_text) > sizeof memory ||
        !json_path_read(path_text, memory, &path) || !json_scan_all(text, ANSWER_DEPTH, &ignored))
        return 0;
    struct str value = json_path_find(&path, json_trim(text));
    if (value.len > 2 && value.data[0] == '"')
        value = str_slice(value, 1, value.len - 1);
    return value.data != NULL && str_to_uint(value, UINT32_MAX, &n) ? n : 0;
}

static void tell_failure(struct traces *t, const struct batch *b, const struct post_answer *a)
{
    if (t->is_failing)
        return;
    t->is_failing = true;
    struct buf reason;
    buf_init(&reason, 4 * POST_REASON_MAX, NULL);
    redact(b->config->redactor, str_of(a->reason), &reason);
    LOG_EVENT(LOG_LEVEL_WARN, "the collector does not take spans",
              LOG_TEXT("url", b->config->traces.target.shown), LOG_STR("reason", buf_str(&reason)));
    buf_done(&reason);
}

static void tell_success(struct traces *t, const struct batch *b)
{
    if (!t->is_failing)
        return;
    t->is_failing = false;
    LOG_EVENT(LOG_LEVEL_INFO, "the collector takes spans again",
              LOG_TEXT("url", b->config->traces.target.shown),
              LOG_NUM("dropped", (int64_t)atomic_load(&t->dropped)));
}

static void count_taken(struct traces *t, const struct batch *b, const struct post_answer *a)
{
    uint64_t rejected = count_rejected(a);
    if (rejected > b->n)
        rejected = b->n;
    atomic_fetch_add(&t->exports_good, 1);
    atomic_fetch_add(&t->sent, b->n - rejected);
    atomic_fetch_add(&t->dropped, rejected);
    tell_success(t, b);
}

/* ---- Sending -------------------------------------------------------------------------------- */

static struct timespec timespec_of(int64_t ms)
{
    return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
}

/* With the lock: the settings are not those any more. */
static bool has_changed(const struct traces *t, const struct batch *b)
{
    return t->n_configs != b->n_configs;
}

/* Until the time has come, or something else has. True: it is the end. */
static bool pause_until(struct traces *t, const struct batch *b, int64_t until_ms)
{
    struct timespec until = timespec_of(until_ms);
    pthread_mutex_lock(&t->lock);
    while (!t->stopping && !has_changed(t, b) && clock_now_ms() < until_ms)
        pthread_cond_timedwait(&t->wake, &t->lock, &until);
    bool is_end = t->stopping;
    pthread_mutex_unlock(&t->lock);
    return is_end;
}

/* The newest settings, with which it is sent the next time. */
static void renew(struct traces *t, struct batch *b)
{
    pthread_mutex_lock(&t->lock);
    struct config *before = has_changed(t, b) ? b->config : NULL;
    if (before != NULL) {
        b->config = config_ref(t->config);
        b->n_configs = t->n_configs;
    }
    pthread_mutex_unlock(&t->lock);
    if (before == NULL)
        return;
    config_unref(before);
    buf_clear(&b->body);
}

/* False: it was not taken. */
static bool send_once(struct traces *t, struct batch *b, struct post_answer *ret)
{
    const struct traces_config *config = &b->config->traces;
    if (b->body.len == 0)
        write_body(b);
    post_run(t->post,
             &(struct post_request){ .target = &config->target,
                                     .tls = &config->tls_files,
                                     .headers = &config->headers,
                                     .body = buf_str(&b->body),
                                     .deadline_ms = clock_now_ms() + config->timeout },
             ret);
    if (ret->status >= 200 && ret->status < 300) {
        count_taken(t, b, ret);
        return true;
    }
    atomic_fetch_add(&t->exports_failed, 1);
    tell_failure(t, b, ret);
    return false;
}

static int64_t longer(int64_t pause_ms, const struct post_answer *a)
{
    int64_t asked_ms = (int64_t)a->retry_after * 1000;
    return asked_ms > pause_ms ? asked_ms : pause_ms;
}

/* At the end it is tried once more, at once. */
static bool send(struct traces *t, struct batch *b)
{
    struct post_answer answer;
    bool is_last = false;
    for (int64_t pause_ms = PAUSE_MS;; pause_ms = clock_min(2 * pause_ms, PAUSE_MAX_MS)) {
        if (!b->config->traces.present)
            return false;
        if (send_once(t, b, &answer))
            return true;
        int64_t next_ms = clock_now_ms() + longer(pause_ms, &answer);
        if (is_last || !is_for_now(answer.status) ||
            next_ms > b->began_ms + b->config->traces.retry)
            return false;
        is_last = pause_until(t, b, next_ms);
        renew(t, b);
    }
}

/* ---- What is there to send ------------------------------------------------------------------ */

/* With the lock. There may be another collector, or none: to the one before nothing stays open. */
static void follow(struct traces *t)
{
    if (t->n_followed != t->n_configs)
        post_leave(t->post);
    t->n_followed = t->n_configs;
}

/* With the lock. Waits for the first span, and then for others. False: it is over. */
static bool wait_for_spans(struct traces *t)
{
    for (follow(t); t->n == 0 && !t->stopping; follow(t))
        pthread_cond_wait(&t->wake, &t->lock);
    int64_t until_ms = clock_now_ms() + t->config->traces.interval;
    struct timespec until = timespec_of(until_ms);
    unsigned n_configs = t->n_configs;
    while (!t->stopping && t->n < (size_t)t->config->traces.batch && t->n_configs == n_configs &&
           clock_now_ms() < until_ms)
        pthread_cond_timedwait(&t->wake, &t->lock, &until);
    return t->n > 0 && (!t->stopping || clock_now_ms() < t->stop_by_ms);
}

/* With the lock. */
static void take(struct traces *t, struct batch *b)
{
    const struct traces_config *config = &t->config->traces;
    size_t most = config->present ? (size_t)config->batch : SIZE_MAX; /* to be dropped */
    struct span_text **end = &b->spans;
    b->spans = t->first;
    while (*end != NULL && b->n < most) {
        b->n++;
        b->bytes += span_text_bytes(*end);
        end = &(*end)->next;
    }
    t->first = *end;
    if (t->first == NULL)
        t->last = &t->first;
    *end = NULL;
    t->n -= b->n;
    b->config = config_ref(t->config);
    b->n_configs = t->n_configs;
    b->began_ms = clock_now_ms();
}

static void export(struct traces *t, struct batch *b)
{
    buf_init(&b->body, SIZE_MAX - 1, NULL);
    if (!send(t, b))
        atomic_fetch_add(&t->dropped, b->n);
    buf_done(&b->body);
    free_spans(b);
    config_unref(b->config);
}

void *trace_sender_run(void *traces)
{
    struct traces *t = traces;
    pthread_mutex_lock(&t->lock);
    while (wait_for_spans(t)) {
        struct batch b = { 0 };
        take(t, &b);
        pthread_mutex_unlock(&t->lock);
        export(t, &b);
        pthread_mutex_lock(&t->lock);
        t->bytes -= b.bytes;
    }
    atomic_fetch_add(&t->dropped, t->n);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}
