/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/check.h"

#include "base/alloc.h"
#include "base/terminal.h"
#include "rules/advice.h"
#include "settings/redact.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Of text that is put together before it is redacted and cut. */
#define TEXT_MAX ((size_t)8 * 1024)

/* Of an answer's beginning, to tell a web page from XML. [bytes] */
#define PEEK ((size_t)256)

#define DAY_S ((int64_t)24 * 60 * 60)
#define EXPIRES_SOON_DAYS 14

void check_clean(const struct config *config, const char *text, char to[ERROR_DETAIL_MAX])
{
    CLEANUP(buf_done) struct buf clean;
    CLEANUP(buf_done) struct buf shown;
    struct error err;
    buf_init(&clean, SIZE_MAX - 1, NULL);
    buf_init(&shown, SIZE_MAX - 1, NULL);
    redact_sentence(config->redactor, str_of(text), strlen(text) >= TEXT_MAX - 4, &clean);
    terminal_clean(&shown, buf_str(&clean), /* lines */ true);
    error_set(&err, PROBLEM_INTERNAL, "%s", buf_c(&shown));
    memcpy(to, err.detail, sizeof err.detail);
}

static void set_step(struct check *c, enum check_step_word word, const struct check_step *found,
                     const char *format, va_list args)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, TEXT_MAX, NULL);
    buf_vprintf(&text, format, args);
    c->steps[word].result = found->result;
    c->steps[word].advice = found->advice;
    check_clean(c->config, buf_c(&text), c->steps[word].reason);
}

static PRINTF_LIKE(4, 5) void set(struct check *c, enum check_step_word word,
                                  enum check_result result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_step(c, word, &(struct check_step){ .result = result }, format, args);
    va_end(args);
}

static PRINTF_LIKE(4, 5) void fail(struct check *c, enum check_step_word word, const char *advice,
                                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_step(c, word, &(struct check_step){ .result = CHECK_FAILED, .advice = advice }, format,
             args);
    va_end(args);
}

void check_set(struct check *c, enum check_step_word word, enum check_result result,
               const char *advice, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_step(c, word, &(struct check_step){ .result = result, .advice = advice }, format, args);
    va_end(args);
}

size_t check_n_steps(const struct check *c)
{
    return c->upstream->session.present ? CHECK_STEPS : CHECK_STEPS_WITHOUT_SESSION;
}

static const struct upstream_target *target_of(const struct check *c)
{
    return &c->upstream->targets[c->target];
}

static bool is_https(const struct check *c)
{
    return strncasecmp(target_of(c)->url, "https:", 6) == 0;
}

static bool has_proxy(const struct check *c)
{
    return c->upstream->proxy_target.url != NULL;
}

/* It has read the request, where there is no tunnel: its answer looks like the server's. */
static bool is_proxied(const struct check *c)
{
    return has_proxy(c) && !is_https(c) && !c->upstream->proxy.tunnel;
}

static bool failed_before(const struct check *c, enum check_step_word word)
{
    for (unsigned i = 0; i < word; i++)
        if (c->steps[i].result == CHECK_FAILED)
            return true;
    return false;
}

static const char *connect_advice(const struct check *c)
{
    if (c->result.setting != NULL)
        return ADVICE_CONNECT_TIME;
    return c->result.status == UPSTREAM_TIMEOUT ? ADVICE_TIMEOUT : advice_connect(c->result.detail);
}

static void judge_dns(struct check *c)
{
    const struct upstream_details *d = &c->details;
    if (target_of(c)->unix_socket != NULL)
        set(c, CHECK_DNS, CHECK_SKIPPED, "a unix socket");
    else if (d->resolved_us == 0)
        fail(c, CHECK_DNS,
             c->result.setting != NULL ? ADVICE_SLOW_NAME : advice_dns(c->result.detail), "%s",
             c->result.detail);
    else
        set(c, CHECK_DNS, CHECK_OK, "%s", d->address);
    if (c->steps[CHECK_DNS].result != CHECK_SKIPPED)
        c->steps[CHECK_DNS].time_us = d->resolved_us > 0 ? d->resolved_us : d->ended_us;
}

/* After it is connected this is a proxy that refuses, or a TLS handshake that took too long. */
static bool failed_behind_connect(const struct check *c)
{
    return c->result.status == UPSTREAM_CONNECT_FAILED && c->details.connected_us > 0;
}

/* libcurl speaks of a port even where there is none. */
static const char *why_not_connected(const struct check *c)
{
    const char *system = strrchr(c->result.detail, '(');
    return target_of(c)->unix_socket != NULL && system != NULL ? system : c->result.detail;
}

static void judge_connect(struct check *c)
{
    const struct upstream_details *d = &c->details;
    bool by_proxy = failed_behind_connect(c) && (has_proxy(c) || !is_https(c));
    if (failed_before(c, CHECK_CONNECT))
        return;
    if (d->connected_us == 0 || by_proxy)
        fail(c, CHECK_CONNECT, has_proxy(c) ? ADVICE_PROXY : connect_advice(c), "%s",
             why_not_connected(c));
    else if (target_of(c)->unix_socket != NULL)
        set(c, CHECK_CONNECT, CHECK_OK, "%s", target_of(c)->socket_shown);
    else
        set(c, CHECK_CONNECT, CHECK_OK, "%s port %d%s%s", d->address, d->port,
            has_proxy(c) ? ", proxy " : "", has_proxy(c) ? c->upstream->proxy_target.shown : "");
    c->steps[CHECK_CONNECT].time_us =
        (d->connected_us > 0 && !by_proxy ? d->connected_us : d->ended_us) - d->resolved_us;
}

static void judge_expiry(struct check *c, int64_t now_s)
{
    struct check_step *step = &c->steps[CHECK_TLS];
    int64_t days = (c->details.certificate.expires_s - now_s) / DAY_S;
    const char *trust = c->upstream->tls.verify_peer && c->upstream->tls.verify_host
                            ? "verified"
                            : "not verified (tls.verify_peer or tls.verify_host is false)";
    if (c->details.certificate.expires_s == 0) {
        set(c, CHECK_TLS, CHECK_OK, "%s", trust);
        return;
    }
    set(c, CHECK_TLS, CHECK_OK, "%s, expires in %" PRId64 " days", trust, days);
    if (days < EXPIRES_SOON_DAYS)
        step->advice = ADVICE_RENEW;
}

static const char *tls_advice(const struct check *c)
{
    const struct upstream_certificate *certificate = &c->details.certificate;
    const struct tls_config *tls = &c->upstream->tls;
    return advice_tls(c->result.detail,
                      &(struct advice_tls){
                          .has_ca = tls->ca_file != NULL || tls->ca_path != NULL,
                          .n_sent = certificate->known ? certificate->n_sent : 0,
                          .is_self_signed = certificate->known &&
                                            strcmp(certificate->subject, certificate->issuer) == 0,
                          .takes_old_versions = tls->min_version < TLS_VERSION_1_2,
                      });
}

static void judge_tls(struct check *c, int64_t now_s)
{
    struct upstream_details *d = &c->details;
    bool failed = c->result.status == UPSTREAM_TLS_FAILED || c->result.certificate ||
                  failed_behind_connect(c);
    if (!d->certificate.known)
        d->certificate = c->looked.certificate;
    if (!is_https(c)) {
        set(c, CHECK_TLS, CHECK_SKIPPED, "the url is %s", target_of(c)->scgi ? "scgi" : "http");
        return;
    }
    if (failed_before(c, CHECK_TLS))
        return;
    if (failed || d->tls_us == 0)
        fail(c, CHECK_TLS, tls_advice(c), "%s", c->result.detail);
    else
        judge_expiry(c, now_s);
    c->steps[CHECK_TLS].time_us =
        (d->tls_us > 0 && !failed ? d->tls_us : d->ended_us) - d->connected_us;
}

static const char *login_name(const struct check *c)
{
    if (c->upstream->auth.scheme == AUTH_SCHEME_BEARER)
        return "bearer";
    if (target_of(c)->username == NULL)
        return NULL;
    return target_of(c)->digest ? "digest" : "basic";
}

static enum advice_login login_kind(const struct check *c)
{
    if (c->upstream->auth.scheme == AUTH_SCHEME_BEARER)
        return ADVICE_LOGIN_BEARER;
    if (target_of(c)->username == NULL)
        return ADVICE_LOGIN_NONE;
    return target_of(c)->digest ? ADVICE_LOGIN_DIGEST : ADVICE_LOGIN_BASIC;
}

/* It was called without, and says no. */
static bool wants_session(const struct check *c)
{
    int status = c->result.http_status;
    return c->lacks_session && (status == 401 || status == 403 || status == 500);
}

static void judge_login(struct check *c)
{
    const char *name = login_name(c);
    int status = c->result.http_status;
    bool wants = c->wants[0] != '\0';
    /* What calls have in them is not tried by this one. */
    const char *unnamed = c->upstream->credentials.n > 0 ? "by HTTP none" : "none is configured";
    if (failed_before(c, CHECK_LOGIN))
        return;
    if (wants_session(c))
        set(c, CHECK_LOGIN, CHECK_SKIPPED, "without a session HTTP status %d does not tell",
            status);
    else if (status == 401)
        fail(c, CHECK_LOGIN, advice_login(c->wants, login_kind(c)), "%s (HTTP status 401%s%s)",
             name != NULL ? "the credentials are refused" : "it wants credentials",
             wants ? ", it asks for " : "", c->wants);
    else if (status == 403)
        fail(c, CHECK_LOGIN, advice_forbidden(is_proxied(c)),
             "access is forbidden (HTTP status 403)");
    else if (status == 0)
        set(c, CHECK_LOGIN, CHECK_SKIPPED, "no answer tells");
    else if ((status >= 300 && status < 400) || status == 429 || status >= 500)
        set(c, CHECK_LOGIN, CHECK_SKIPPED, "an answer of HTTP status %d does not tell", status);
    else
        set(c, CHECK_LOGIN, CHECK_OK, "%s%s", name != NULL ? name : unnamed,
            name != NULL ? ", not refused" : ", none is wanted");
}

/* Values of the array: `text` is valid JSON. -1: it is none. */
static long count_methods(struct str text)
{
    long n = -1;
    unsigned depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        bool opens = !in_text && (byte == '[' || byte == '{');
        if (in_text && byte == '\\')
            i++;
        else if (byte == '"')
            in_text = !in_text;
        if (opens && depth == 0)
            n = byte == '[' ? 0 : -1;
        else if (!in_text && (byte == ']' || byte == '}'))
            depth--;
        else if (depth == 1 && n == 0 && byte != ' ')
            n = 1;
        else if (depth == 1 && n > 0 && !in_text && byte == ',')
            n++;
        depth += opens;
    }
    return n;
}

static void judge_result(struct check *c)
{
    size_t len = chain_len(&c->value);
    char *text = chain_dup(&c->value);
    c->n_methods = c->call.answer.n_params == 1 ? count_methods((struct str){ text, len }) : -1;
    free_charp(&text);
    if (c->n_methods >= 0)
        set(c, CHECK_CALL, CHECK_OK, "%ld method%s", c->n_methods, c->n_methods == 1 ? "" : "s");
    else
        set(c, CHECK_CALL, CHECK_OK, "it answers XML-RPC, but with no list of methods");
}

static void judge_fault(struct check *c)
{
    set(c, CHECK_CALL, CHECK_OK, "it answers XML-RPC, and %s (fault %s)",
        c->lacks_session ? "was asked without a session" : "has no introspection",
        buf_c(&c->fault));
}

/* The start of a web page, which may have a comment or a declaration before it. */
static bool is_html(const struct check *c)
{
    static const char *const marks[] = { "<html", "<!doctype html", "<head", "<body" };
    const struct answer *answer = &c->call.answer;
    char text[PEEK + 1] = { 0 };
    if (strncasecmp(c->result.content_type, "text/html", 9) == 0)
        return true;
    memcpy(text, answer->peek, answer->peek_len < PEEK ? answer->peek_len : PEEK);
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strcasestr(text, marks[i]) != NULL)
            return true;
    return false;
}

static void judge_status(struct check *c)
{
    int status = c->result.http_status;
    bool leads = status >= 300 && status < 400 && c->leads_to[0] != '\0';
    struct str phrase = str_of(c->result.reason_phrase);
    fail(c, CHECK_CALL, advice_status(status, is_proxied(c)), "HTTP status %d%s%.*s%s%s%s%s",
         status, phrase.len > 0 ? " " : "", STR_ARGS(phrase),
         phrase.len == UPSTREAM_TEXT_MAX - 1 ? ERROR_CUT : "",
         status == 404 || status == 405 ? ": no XML-RPC server at this path" : "",
         leads ? ", and it wants the request at " : "", leads ? c->leads_to : "");
}

static void judge_document(struct check *c)
{
    if (c->fault.len > 0)
        judge_fault(c);
    else if (wants_session(c))
        set(c, CHECK_CALL, CHECK_SKIPPED, "without a session it answers with HTTP status %d",
            c->result.http_status);
    else if (c->result.http_status != 200)
        judge_status(c);
    else if (c->is_good)
        judge_result(c);
    else if (c->call.answer.is_other)
        fail(c, CHECK_CALL, ADVICE_PATH, "it answers with a document that is no response");
    else if (c->call.answer.peek_len == 0)
        fail(c, CHECK_CALL, ADVICE_PATH, "it answers with an empty body");
    else if (is_html(c))
        fail(c, CHECK_CALL, ADVICE_PATH, "no XML-RPC server at this path: it answers with HTML");
    else if (c->result.strange_coding[0] != '\0')
        fail(c, CHECK_CALL, ADVICE_CODING, "its Content-Encoding \"%s\" is not known: %s",
             c->result.strange_coding, c->error.detail);
    else
        fail(c, CHECK_CALL, c->error.advice, "the answer is not usable XML-RPC: %s",
             c->error.detail);
}

static void judge_call(struct check *c)
{
    const struct upstream_details *d = &c->details;
    int64_t began_us = d->tls_us > d->connected_us ? d->tls_us : d->connected_us;
    if (failed_before(c, CHECK_CALL))
        return;
    c->steps[CHECK_CALL].time_us = d->ended_us - began_us;
    switch (c->result.status) {
    case UPSTREAM_OK:
    case UPSTREAM_STOPPED:
        judge_document(c);
        if (c->unsaid && c->steps[CHECK_CALL].advice == NULL)
            c->steps[CHECK_CALL].advice = ADVICE_KEPT;
        break;
    case UPSTREAM_TIMEOUT:
        fail(c, CHECK_CALL, ADVICE_TIMEOUT, "no answer in time: %s", c->result.detail);
        break;
    case UPSTREAM_LOST:
        fail(c, CHECK_CALL, advice_lost(c->result.detail, c->result.reused),
             "the connection ended before the answer was complete: %s", c->result.detail);
        break;
    case UPSTREAM_BAD_RESPONSE:
        fail(c, CHECK_CALL, advice_no_http(c->result.detail), "no usable HTTP: %s",
             c->result.detail);
        break;
    case UPSTREAM_CONNECT_FAILED:
    case UPSTREAM_TLS_FAILED:
    case UPSTREAM_FAILED:
        fail(c, CHECK_CALL, ADVICE_NONE, "%s", c->result.detail);
        break;
    }
}

void check_judge(struct check *c, int64_t now_s)
{
    for (unsigned i = 0; i < CHECK_STEPS; i++)
        c->steps[i] = (struct check_step){ .time_us = -1 };
    judge_dns(c);
    judge_connect(c);
    judge_tls(c, now_s);
    judge_login(c);
    judge_call(c);
}

bool check_failed(const struct check *c)
{
    return failed_before(c, CHECK_STEPS);
}
