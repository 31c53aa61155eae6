/* SPDX-License-Identifier: Apache-2.0 */
#include "front/access_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/session_store.h"
#include "front/form.h"
#include "front/request.h"
#include "rules/media.h"
#include "rules/redacted.h"
#include "settings/redact.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is shown of a reason, a path, a host or an origin. [bytes] */
#define SHOWN_MAX ((size_t)200)

/* ---- Lines that are few --------------------------------------------------------------------- */

bool refusals_take(struct refusals *refusals, struct rate_limit limit, unsigned *ret_before)
{
    int64_t wait_ns;
    if (!rate_take(&refusals->until_ns, &limit, 1, clock_now_us() * 1000, &wait_ns)) {
        atomic_fetch_add_explicit(&refusals->unlogged, 1, memory_order_relaxed);
        return false;
    }
    *ret_before = atomic_exchange_explicit(&refusals->unlogged, 0, memory_order_relaxed);
    return true;
}

void refusals_sum_up(struct refusals *refusals, const char *what)
{
    unsigned n = atomic_exchange_explicit(&refusals->unlogged, 0, memory_order_relaxed);
    if (n > 0)
        LOG_EVENT(LOG_LEVEL_WARN, what, LOG_NUM("not_logged", n));
}

void refusals_log(struct refusals *refusals, const struct request *r)
{
    unsigned unlogged;
    if (!refusals_take(refusals, REFUSALS, &unlogged))
        return;
    const struct request_peer *peer = http_peer(r->exchange);
    char user[24] = "";
    if (peer->known)
        snprintf(user, sizeof user, "%u", (unsigned)peer->uid);
    LOG_EVENT(LOG_LEVEL_WARN, "wrong credentials", LOG_TEXT("request_id", r->id),
              LOG_TEXT("listener", r->endpoint->listener->listener.name),
              LOG_STR("address", peer->ip), LOG_TEXT("uid", user),
              LOG_TEXT("reason", r->error.detail), LOG_NUM("not_logged", unlogged));
}

void refusals_log_handshake(struct refusals *refusals, const char *listener, const char *ip,
                            const char *reason)
{
    unsigned unlogged;
    if (!refusals_take(refusals, REFUSALS, &unlogged))
        return;
    LOG_EVENT(LOG_LEVEL_WARN, "TLS handshake failed", LOG_TEXT("listener", listener),
              LOG_TEXT("address", ip), LOG_TEXT("reason", reason), LOG_NUM("not_logged", unlogged));
}

/* ---- The line of a request ------------------------------------------------------------------ */

/* That of the trace that we have begun, or of `00-TRACEID-PARENT-FLAGS` (W3C Trace Context 1,
 * section 3.2). */
static struct str trace_id(const struct request *r)
{
    if (r->trace.begun)
        return (struct str){ r->trace.id, TRACE_ID_LEN };
    struct str parent = head_traceparent(http_head(r->exchange));
    return parent.data != NULL ? str_slice(parent, 3, 35) : parent;
}

static struct log_field unless(bool absent, struct log_field field)
{
    return absent ? LOG_STR(field.key, ((struct str){ NULL, 0 })) : field;
}

/* At most so much of it, to a character's end. */
static struct str shown(struct str text)
{
    size_t len = SHOWN_MAX;
    if (text.len <= len)
        return text;
    while (len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80)
        len--;
    return str_slice(text, 0, len);
}

/* The part of the head that it was refused for, as it came. */
static struct str refused_part(const struct request *r)
{
    const struct request_head *head = http_head(r->exchange);
    if (r->refused_for == NULL)
        return (struct str){ NULL, 0 };
    if (strcmp(r->refused_for, "path") == 0)
        return head->path;
    const struct header *line = head_find(head, head_name_of(str_of(r->refused_for)));
    return line != NULL ? line->value : (struct str){ NULL, 0 };
}

/* A fault is what the upstream has to say, which is nothing for the log. */
static bool is_own_problem(const struct request *r)
{
    return r->problem != NULL && r->error.type != PROBLEM_FAULT;
}

/* What of the line others have written, without secrets. */
struct foreign {
    struct buf part, reason;
};

static void read_foreign(const struct request *r, struct foreign *ret)
{
    buf_init(&ret->part, SIZE_MAX - 1, NULL);
    buf_init(&ret->reason, SIZE_MAX - 1, NULL);
    if (r->refused_for == NULL && !is_own_problem(r))
        return;
    struct hidden *hidden = session_hidden(r->site, r->upstream);
    const struct redactor *redactor = hidden_redactor(hidden, r->site->config);
    redact(redactor, refused_part(r), &ret->part);
    if (is_own_problem(r))
        redacted_detail(redactor, &r->error, &ret->reason);
    hidden_unref(hidden);
}

static void foreign_done(struct foreign *foreign)
{
    buf_done(&foreign->part);
    buf_done(&foreign->reason);
}

/* Who is not known could fill the log, until whoever keeps it drops lines that matter. */
static bool is_summed_up(const struct request *r, unsigned *ret_before)
{
    *ret_before = 0;
    return r->caller_name == NULL &&
           !refusals_take(&r->front->shared->strangers, STRANGERS, ret_before);
}

/* By which way the upstream was called. */
static const char *face_name(const struct request *r)
{
    switch (r->target.row->form->face) {
#define X(word, name)                                                                              \
    case FACE_##word:                                                                              \
        return name;
        FACE_LIST(X)
#undef X
    }
    return NULL;
}

static const char *how_it_ended(const struct request *r, bool sent)
{
    if (r->is_cut_off)
        return "request, reply cut off";
    return sent ? "request" : "request, caller left";
}

void request_log(const struct request *r, bool sent)
{
    const char *upstream = r->upstream != NULL ? r->upstream->name : NULL;
    bool has_method = r->upstream != NULL && r->target.method_len > 0;
    bool is_warning = is_own_problem(r) && r->error.status >= 500;
    enum log_level level = is_warning ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
    CLEANUP(foreign_done) struct foreign foreign = { .part = { .data = NULL } };
    unsigned before;
    if (!r->site->config->log.access || !log_enabled(level) || is_summed_up(r, &before))
        return;
    read_foreign(r, &foreign);
    LOG_EVENT(
        level, how_it_ended(r, sent), LOG_TEXT("request_id", r->id),
        LOG_STR("trace_id", trace_id(r)), LOG_TEXT("caller", r->caller_name),
        LOG_TEXT("upstream", upstream),
        LOG_STR("method", has_method ? target_method(&r->target) : str_of(NULL)),
        LOG_TEXT("route", r->route != NULL ? r->route->name : NULL),
        LOG_TEXT("face", r->upstream != NULL ? face_name(r) : NULL),
        LOG_TEXT("mcp", r->target.mcp != NULL ? r->target.mcp->name : NULL),
        LOG_TEXT("tool", r->tool[0] != '\0' ? r->tool : NULL),
        unless(!r->is_batch, LOG_NUM("calls", (int64_t)r->n_items)),
        unless(!r->is_batch || r->n_failed == 0, LOG_NUM("failed", (int64_t)r->n_failed)),
        LOG_NUM("status", r->status),
        LOG_TEXT("cache", r->kept.is_known ? kept_result_name(r->kept.result) : NULL),
        unless(r->sums.upstream_status == 0, LOG_NUM("upstream_status", r->sums.upstream_status)),
        LOG_TEXT("problem", r->problem), LOG_STR("reason", shown(buf_str(&foreign.reason))),
        LOG_STR(r->refused_for != NULL ? r->refused_for : "path", shown(buf_str(&foreign.part))),
        unless(!r->sums.has_fault_code, LOG_NUM("fault_code", r->sums.fault_code)),
        LOG_NUM("bytes_in", (int64_t)r->body_bytes), LOG_NUM("bytes_out", (int64_t)r->reply_bytes),
        LOG_US_AS_MS("duration_ms", clock_now_us() - r->began_us),
        unless(r->sums.attempts == 0, LOG_US_AS_MS("upstream_ms", r->sums.upstream_us)),
        unless(r->sums.n_calls == 0, LOG_US_AS_MS("queue_ms", r->sums.queue_us)),
        unless(r->sums.attempts < 2, LOG_NUM("attempts", r->sums.attempts)),
        unless(before == 0, LOG_NUM("not_logged", before)));
}
