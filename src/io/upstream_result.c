/* SPDX-License-Identifier: Apache-2.0 */
/* What libcurl's result codes mean for a call. */
#include "io/upstream_inside.h"

#include "base/clock.h"
#include "codec/error.h"

#include <stdio.h>
#include <string.h>

/* Nothing was sent, so it ended while connecting; whose time was up? */
static enum upstream_status timeout_status(const struct exchange *x)
{
    if (x->began || clock_now_ms() >= x->call->deadline_ms)
        return UPSTREAM_TIMEOUT;
    return UPSTREAM_CONNECT_FAILED;
}

/* libcurl has one code for a header that is none and for a length that is no number. */
static enum upstream_status weird_status(const struct exchange *x)
{
    return strstr(x->error, "Content-Length") != NULL ? UPSTREAM_LOST : UPSTREAM_BAD_RESPONSE;
}

CURL *exchange_handle(const struct exchange *x)
{
    return x->http1.wire != NULL ? x->http1.wire->easy : x->easy;
}

/* A CONNECT that was not answered with 2xx, or a plain request that got no further than the proxy:
 * the upstream has seen nothing of it. */
static bool refused_by_proxy(const struct exchange *x)
{
    long connected = 0;
    if (x->upstream->config->proxy_target.url == NULL)
        return false;
    curl_easy_getinfo(exchange_handle(x), CURLINFO_HTTP_CONNECTCODE, &connected);
    return (!x->began && connected >= 300) ||
           (connected == 0 && x->head.complete && x->head.status == 407);
}

/* Who refuses a request without reading it to its end, and closes, makes that a reset, which may
 * come in the place of the answer's end. The head says enough. */
static bool refused_unread(const struct exchange *x)
{
    return x->head.complete && x->head.status >= 400 && x->head.status < 500;
}

/* Alerts that are about our certificate, or the lack of one. In TLS 1.3 the server looks at it when
 * we think that all is done, and the refusal is what we read in place of an answer. */
static bool is_alert_of_certificate(const struct exchange *x)
{
    static const char *const alerts[] = {
        "alert certificate",      "alert bad certificate",    "alert unsupported certificate",
        "alert no certificate",   "alert unknown ca",         "alert access denied",
        "bad certificate status", "certificate unobtainable",
    };
    for (size_t i = 0; i < ARRAY_LEN(alerts); i++)
        if (strstr(x->error, alerts[i]) != NULL)
            return true;
    return false;
}

/* What a result code says of TLS. */
enum tls_failure { TLS_FINE, TLS_BROKEN, TLS_CERTIFICATE };

static enum tls_failure tls_failure_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
        return TLS_CERTIFICATE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return TLS_BROKEN;
    default:
        return TLS_FINE;
    }
}

static bool is_refusal_of_certificate(const struct exchange *x, CURLcode rc)
{
    bool may_be_alert =
        rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR;
    return tls_failure_of(rc) == TLS_CERTIFICATE ||
           (may_be_alert && x->head.n_lines == 0 && is_alert_of_certificate(x));
}

/* Something of an answer has come, were it a proxy's to CONNECT. */
static bool has_answered(const struct exchange *x)
{
    long connected = 0;
    curl_easy_getinfo(exchange_handle(x), CURLINFO_HTTP_CONNECTCODE, &connected);
    return x->head.n_lines > 0 || connected > 0;
}

static bool was_sent(const struct exchange *x)
{
    long sent = 0;
    curl_off_t sent_body = 0;
    if (x->http1.wire != NULL)
        return x->http1.out.may_be_sent;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent_body);
    return x->began && (sent > 0 || sent_body > 0);
}

static bool is_reused(const struct exchange *x)
{
    long connections = 0;
    if (x->http1.wire != NULL)
        return x->http1.reused;
    curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connections);
    return x->began && connections == 0;
}

static enum upstream_status status_of(const struct exchange *x, CURLcode rc)
{
    if (x->stopped)
        return UPSTREAM_STOPPED;
    if (x->damaged)
        return UPSTREAM_BAD_RESPONSE;
    if (x->refused)
        return UPSTREAM_LOST;
    if (x->head.fault != NULL)
        return x->head.fault_of_length ? UPSTREAM_LOST : UPSTREAM_BAD_RESPONSE;
    if (refused_by_proxy(x))
        return UPSTREAM_CONNECT_FAILED;
    /* Once a byte of the request has gone out nobody knows whether it was read, and a connection
     * that was kept has had its handshake. */
    if (tls_failure_of(rc) != TLS_FINE)
        return was_sent(x) || is_reused(x) ? UPSTREAM_LOST : UPSTREAM_TLS_FAILED;
    if ((rc == CURLE_RECV_ERROR || rc == CURLE_SEND_ERROR) && refused_unread(x))
        return UPSTREAM_OK;
    switch (rc) {
    case CURLE_OK:
        if (x->call->connect_only)
            return UPSTREAM_OK;
        /* So it also calls a head that the connection's end has cut off. */
        FALLTHROUGH;
    case CURLE_GOT_NOTHING:
        /* And so the connection's end behind a 101. */
        return x->head.complete ? UPSTREAM_OK : UPSTREAM_LOST;
    case CURLE_PROXY:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return UPSTREAM_CONNECT_FAILED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
        return x->began ? UPSTREAM_LOST : UPSTREAM_CONNECT_FAILED;
    case CURLE_BAD_FUNCTION_ARGUMENT: /* a header line that is none, before 8.8 */
        return has_answered(x) ? UPSTREAM_BAD_RESPONSE : UPSTREAM_FAILED;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR: /* we have taken all: more stands behind what is compressed */
    case CURLE_TOO_MANY_REDIRECTS:
        return UPSTREAM_BAD_RESPONSE;
    case CURLE_WEIRD_SERVER_REPLY:
        return weird_status(x);
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_status(x);
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
    case CURLE_OUT_OF_MEMORY:
        /* So it calls a header line of more than 100 KB, before 8.6. */
        return x->began && !x->head.complete ? UPSTREAM_BAD_RESPONSE : UPSTREAM_FAILED;
    default:
        return UPSTREAM_FAILED;
    }
}

/* `system` NULL: it has nothing to say. libcurl cuts what is longer than its buffer by itself, and
 * may write three dots then. */
static void tell(struct upstream_result *ret, const char *reason, const char *system)
{
    static const struct str dots = { "...", 3 };
    struct str text = str_of(reason);
    struct error_cut shown = error_cut(text, system != NULL ? 180 : sizeof ret->detail - 4);
    if (text.len >= CURL_ERROR_SIZE - 4) {
        text.len -= str_eq(str_slice(text, text.len - dots.len, text.len), dots) ? dots.len : 0;
        shown = error_cut(text, shown.text.len < text.len ? shown.text.len : text.len);
        shown.mark = ERROR_CUT;
    }
    snprintf(ret->detail, sizeof ret->detail, "%.*s%s%s%s%s", ERROR_CUT_ARGS(shown),
             system != NULL ? " (" : "", system != NULL ? system : "", system != NULL ? ")" : "");
}

/* libcurl refuses a line before it hands it over. */
static const char *name_line(const struct exchange *x, char text[80])
{
    snprintf(text, 80, "line %zu of the response's head has no colon, so it is no header",
             x->head.n_lines + 1);
    return text;
}

static void explain(const struct exchange *x, CURLcode rc, struct upstream_result *ret)
{
    const char *reason = x->error[0] != '\0' ? x->error : curl_easy_strerror(rc);
    long system_error = 0;
    char at_socket[160], at_line[80];

    /* libcurl would say "localhost port 80". */
    if (rc == CURLE_COULDNT_CONNECT && x->target->unix_socket != NULL) {
        snprintf(at_socket, sizeof at_socket, "cannot connect to the unix socket %s",
                 x->target->socket_shown != NULL ? x->target->socket_shown
                                                 : x->target->unix_socket);
        reason = at_socket;
    }
    if (x->began && ret->status == UPSTREAM_CONNECT_FAILED)
        reason = "the proxy wants other credentials (407)";
    else if (x->refused)
        reason = "a kept connection was closed by the upstream before it answered";
    else if (x->stopped)
        reason = "the response was not read to its end";
    else if (x->damaged)
        reason = "what the response's Content-Encoding says is damaged, or it has too many layers";
    else if (x->head.fault != NULL)
        reason = x->head.fault;
    else if (rc == CURLE_OK)
        reason = "the response's head was cut off";
    else if (rc == CURLE_OUT_OF_MEMORY && ret->status == UPSTREAM_BAD_RESPONSE)
        reason = "the response's head has a line of more than 100 KB, or memory ran out";
    else if (rc == CURLE_BAD_FUNCTION_ARGUMENT && ret->status == UPSTREAM_BAD_RESPONSE)
        reason = "the response's head has a line that is no header";
    else if (strstr(x->error, "without colon") != NULL)
        reason = name_line(x, at_line);
    else if (rc == CURLE_UNSUPPORTED_PROTOCOL)
        reason = "the answer is not HTTP";
    else if (rc == CURLE_WRITE_ERROR)
        reason = "the compressed answer has something behind its end";

    if (rc == CURLE_COULDNT_CONNECT)
        curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &system_error);
    if (system_error != 0) {
        char text[60];
        tell(ret, reason, strerror_r((int)system_error, text, sizeof text));
    } else {
        tell(ret, reason, NULL);
    }
}

/* Nothing has come on a kept connection: its end was on its way. */
static bool is_unsaid(const struct exchange *x)
{
    curl_off_t first_byte_us = 0;
    if (x->http1.wire != NULL)
        return x->refused;
    curl_easy_getinfo(x->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
    return x->refused || (is_reused(x) && x->head.n_lines == 0 && first_byte_us == 0);
}

/* Servers promise more bytes than they have, close TLS without a word, or do not close at all. */
static bool is_cut(const struct exchange *x, enum upstream_status status)
{
    return (status == UPSTREAM_LOST || status == UPSTREAM_TIMEOUT) && x->head.complete &&
           !x->head.is_chunked && x->head.fault == NULL && !x->refused;
}

void result_fill(struct exchange *x, CURLcode rc, struct upstream_result *ret)
{
    ret->status = status_of(x, rc);
    ret->reached = was_sent(x) && !x->asks && ret->status != UPSTREAM_CONNECT_FAILED &&
                   ret->status != UPSTREAM_TLS_FAILED;
    ret->cut = is_cut(x, ret->status);
    ret->reused = is_reused(x);
    ret->unsaid = ret->status == UPSTREAM_LOST && is_unsaid(x);
    ret->setting = rc == CURLE_OPERATION_TIMEDOUT && ret->status == UPSTREAM_CONNECT_FAILED
                       ? SETTING_CONNECT
                       : NULL;
    ret->certificate = ret->status != UPSTREAM_OK && is_refusal_of_certificate(x, rc);
    ret->http_status = x->head.complete ? x->head.status : 0;
    memcpy(ret->reason_phrase, x->head.reason_phrase, sizeof ret->reason_phrase);
    memcpy(ret->content_type, x->head.content_type, sizeof ret->content_type);
    memcpy(ret->strange_coding, x->head.strange_coding, sizeof ret->strange_coding);
    ret->headers = x->head.shown;
    ret->n_headers = x->head.n_shown;
    ret->duration_us = clock_now_us() - x->submitted_us;
    ret->detail[0] = '\0';
    if (ret->status != UPSTREAM_OK)
        explain(x, rc, ret);
}

void result_fill_early(struct exchange *x, enum upstream_status status, const char *setting,
                       const char *detail, struct upstream_result *ret)
{
    *ret = (struct upstream_result){ .status = status, .setting = setting };
    ret->duration_us = clock_now_us() - x->submitted_us;
    snprintf(ret->detail, sizeof ret->detail, "%s", detail);
}
