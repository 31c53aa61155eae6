/* SPDX-License-Identifier: Apache-2.0 */
#include "client/result.h"

#include "rules/advice.h"
#include "rules/retry_after.h"
#include "settings/url.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void result_timeout(struct error *err, const struct upstream_config *upstream, const char *limit,
                    int64_t limit_ms)
{
    bool seconds = limit_ms % 1000 == 0;
    bool is_setting = strncmp(limit, "X-", 2) != 0;
    error_limit(err, PROBLEM_TIMEOUT, is_setting ? limit : "timeouts.total",
                "The upstream %s did not answer within %" PRId64 " %s (%s). %s if it needs longer.",
                upstream->name, seconds ? limit_ms / 1000 : limit_ms, seconds ? "s" : "ms", limit,
                is_setting ? "Raise that limit" : "Send a longer one, or none,");
}

static void timed_out(const struct upstream_result *result, const struct upstream_config *upstream,
                      struct error *err)
{
    result_timeout(err, upstream, "timeouts.total", upstream->timeouts.total);
    err->executed = result->reached ? EXECUTED_UNKNOWN : EXECUTED_NO;
}

static bool is_proxied(const struct upstream_config *upstream)
{
    return upstream->proxy_target.url != NULL;
}

/* Where there is no advice it is told who has. */
static void advise(struct error *err, const char *advice)
{
    bool has_any = strcmp(advice, ADVICE_NONE) != 0;
    error_advise(err, has_any ? advice : "`rpcgate check` tells which step fails.");
}

static void lost(const struct upstream_result *result, const struct upstream_config *upstream,
                 struct error *err)
{
    if (result->unsaid) {
        error_limit(
            err, PROBLEM_CONNECTION_LOST, "timeouts.idle",
            "The upstream %s ended a connection that was kept (timeouts.idle) without saying "
            "so: %s. From now on none is used that has rested for so long; with "
            "timeouts.idle = \"0s\" none is kept.",
            upstream->name, result->detail);
    } else {
        error_set(err, PROBLEM_CONNECTION_LOST,
                  "The connection to the upstream %s ended before its answer was complete: %s",
                  upstream->name, result->detail);
        advise(err, advice_lost(result->detail, false));
    }
    err->executed = result->reached ? EXECUTED_UNKNOWN : EXECUTED_NO;
}

static void not_connected(const struct upstream_result *result,
                          const struct upstream_config *upstream, struct error *err)
{
    const char *detail = result->detail;
    if (result->setting != NULL) {
        error_limit(err, PROBLEM_CONNECT_FAILED, result->setting,
                    "The upstream %s could not be connected to within %" PRId64
                    " ms (%s): %s. Raise that limit if its name or its network need longer.",
                    upstream->name, upstream->timeouts.connect, result->setting, detail);
    } else {
        error_set(err, PROBLEM_CONNECT_FAILED, "The upstream %s cannot be reached: %s",
                  upstream->name, detail);
        advise(err, is_proxied(upstream) ? ADVICE_PROXY : advice_connect(detail));
    }
}

static void not_trusted(const struct upstream_result *result,
                        const struct upstream_config *upstream, struct error *err)
{
    const struct tls_config *tls = &upstream->tls;
    struct advice_tls known = {
        .has_ca = tls->ca_file != NULL || tls->ca_path != NULL,
        .takes_old_versions = tls->min_version < TLS_VERSION_1_2,
    };
    error_set(err, PROBLEM_TLS_FAILED, "No trusted TLS connection to the upstream %s: %s",
              upstream->name, result->detail);
    advise(err, advice_tls(result->detail, &known));
}

void result_error(const struct upstream_result *result, const struct upstream_config *upstream,
                  struct error *err)
{
    switch (result->status) {
    case UPSTREAM_CONNECT_FAILED:
        not_connected(result, upstream, err);
        break;
    case UPSTREAM_TLS_FAILED:
        not_trusted(result, upstream, err);
        break;
    case UPSTREAM_LOST:
        lost(result, upstream, err);
        break;
    case UPSTREAM_BAD_RESPONSE:
        error_set(err, PROBLEM_BAD_RESPONSE, "The upstream %s did not answer in usable HTTP: %s",
                  upstream->name, result->detail);
        advise(err, advice_no_http(result->detail));
        /* A proxy's answer to CONNECT: the upstream has seen nothing. */
        if (!result->reached)
            err->executed = EXECUTED_NO;
        break;
    case UPSTREAM_TIMEOUT:
        timed_out(result, upstream, err);
        break;
    case UPSTREAM_OK:
    case UPSTREAM_STOPPED:
    case UPSTREAM_FAILED:
        error_set(err, PROBLEM_INTERNAL, "The call could not be made: %s", result->detail);
        err->executed = result->reached ? EXECUTED_UNKNOWN : EXECUTED_NO;
        break;
    }
}

/* These statuses say that the request was not let in. */
static bool surely_not_executed(int status)
{
    static const int statuses[] = { 401, 403, 404, 405, 411, 413, 415, 429 };
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i] == status)
            return true;
    return false;
}

static struct str header_of(const struct upstream_result *result, const char *name)
{
    for (size_t i = 0; i < result->n_headers; i++)
        if (strcasecmp(result->headers[i].name, name) == 0)
            return str_of(result->headers[i].value);
    return (struct str){ NULL, 0 };
}

/* In seconds; 0: none. */
static unsigned retry_after(const struct upstream_result *result)
{
    struct str value = header_of(result, "Retry-After");
    return value.len > 0 ? retry_after_read(value, header_of(result, "Date"), time(NULL)) : 0;
}

static const char *advice(int status, bool proxied)
{
    if (status == 401)
        return "Look at the upstream's `auth`.";
    return status == 403 ? advice_forbidden(proxied) : advice_status(status, proxied);
}

/* Of a target that is longer the beginning tells enough. */
#define LOCATION_SHOWN ((size_t)300)

static struct str redirect_of(const struct upstream_result *result, struct buf *to)
{
    struct str target = { NULL, 0 };
    bool redirects = result->http_status >= 300 && result->http_status < 400;
    for (size_t i = 0; i < result->n_headers && redirects; i++)
        if (strcmp(result->headers[i].name, "Location") == 0)
            target = str_of(result->headers[i].value);
    url_append_hidden(target, to);
    return buf_str(to);
}

void result_protocol_error(const struct upstream_result *result,
                           const struct upstream_config *upstream, struct error *err)
{
    CLEANUP(buf_wipe) struct buf hidden;
    buf_init(&hidden, SIZE_MAX - 1, NULL);
    int status = result->http_status;
    struct str message = str_of(result->reason_phrase);
    struct error_cut target = error_cut(redirect_of(result, &hidden), LOCATION_SHOWN);
    error_set(err, PROBLEM_PROTOCOL_ERROR,
              "The upstream %s answered with HTTP status %d%s%.*s%s%s%.*s%s. %s", upstream->name,
              status, message.len > 0 ? " " : "", STR_ARGS(message),
              message.len >= PROBLEM_TEXT_MAX ? ERROR_CUT : "",
              target.text.len > 0 ? " and wants the request at " : "", ERROR_CUT_ARGS(target),
              advice(status, is_proxied(upstream)));
    if (surely_not_executed(status))
        err->executed = EXECUTED_NO;
    if (status == 429 || status == 503) {
        err->status = 503;
        err->retry_after = retry_after(result);
    }
}

static_assert(UPSTREAM_TEXT_MAX == PROBLEM_TEXT_MAX + 1, "a text that was cut is known by that");

void result_protocol(const struct upstream_result *result, struct str body,
                     struct result_protocol *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_headers && n < PROBLEM_HEADERS_MAX; i++)
        ret->headers[n++] = (struct problem_header){ str_of(result->headers[i].name),
                                                     str_of(result->headers[i].value) };
    ret->protocol = (struct problem_protocol){
        .status = result->http_status,
        .message = str_of(result->reason_phrase),
        .content_type = str_of(result->content_type),
        .body = body,
        .headers = ret->headers,
        .n_headers = n,
    };
}
