/* SPDX-License-Identifier: Apache-2.0 */
/* One line for each request; never params or results. */
#include "gateway/request.h"

#include "base/clock.h"
#include "base/log.h"
#include "rules/media.h"

/* The trace id of `00-TRACEID-PARENT-FLAGS` (W3C Trace Context 1, section 3.2). */
static struct str trace_id(const struct request_head *head)
{
    struct str parent = head_traceparent(head);
    return parent.data != NULL ? str_slice(parent, 3, 35) : parent;
}

static struct log_field unless(bool absent, struct log_field field)
{
    return absent ? LOG_STR(field.key, ((struct str){ NULL, 0 })) : field;
}

void request_log(const struct request *r, bool sent)
{
    const char *upstream = r->upstream != NULL ? r->upstream->name : NULL;
    bool has_method = r->upstream != NULL && r->route.method_len > 0;
    if (!r->view->config->log.access || !log_enabled(LOG_LEVEL_INFO))
        return;
    LOG_EVENT(LOG_LEVEL_INFO, sent ? "request" : "request, caller left",
              LOG_TEXT("request_id", r->id), LOG_STR("trace_id", trace_id(http_head(r->exchange))),
              LOG_TEXT("caller", r->caller_name), LOG_TEXT("upstream", upstream),
              LOG_STR("method", has_method ? route_method(&r->route) : str_of(NULL)),
              unless(!r->is_batch, LOG_NUM("calls", (int64_t)r->n_items)),
              LOG_NUM("status", r->status), LOG_TEXT("problem", r->problem),
              unless(!r->sums.has_fault_code, LOG_NUM("fault_code", r->sums.fault_code)),
              LOG_NUM("bytes_in", (int64_t)r->body_bytes),
              LOG_NUM("bytes_out", (int64_t)r->reply_bytes),
              LOG_US_AS_MS("duration_ms", clock_now_us() - r->began_us),
              unless(r->sums.attempts == 0, LOG_US_AS_MS("upstream_ms", r->sums.upstream_us)),
              unless(r->sums.n_calls == 0, LOG_US_AS_MS("queue_ms", r->sums.queue_us)),
              unless(r->sums.attempts < 2, LOG_NUM("attempts", r->sums.attempts)));
}
