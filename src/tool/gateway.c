/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/gateway.h"

#include "base/clock.h"
#include "base/terminal.h"
#include "config/read_file.h"
#include "rules/retry_after.h"
#include "settings/url.h"
#include "tool/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>

#define TOKEN_MAX ((size_t)65536)

/* What the gateway is given beyond the call's own time, to say that it was over. [ms] */
#define GRACE_MS 2000

struct asking {
    struct upstream_call call;
    struct reply *reply;
    bool done;
    int status;
};

void gateway_take(struct gateway_words *words, size_t row, const char *argument)
{
    if (row == GATEWAY_URL)
        words->url = argument;
    else if (row == GATEWAY_TOKEN_FILE)
        words->token_file = argument;
    else
        words->ca_file = argument;
}

void gateway_add_segment(struct buf *path, const char *segment)
{
    buf_append_byte(path, '/');
    for (; *segment != '\0'; segment++) {
        unsigned char c = (unsigned char)*segment;
        bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     strchr("-._~:", c) != NULL;
        if (plain)
            buf_append_byte(path, (char)c);
        else
            buf_printf(path, "%%%02X", c);
    }
}

static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7F)
            return false;
    return text.len > 0;
}

/* A word of the command line, or else what the environment says; NULL: nothing. `name` becomes
 * what messages call it. */
static const char *word_or_variable(const char *word, const char *variable, const char **name)
{
    const char *value = word == NULL ? getenv(variable) : NULL;
    if (value == NULL || value[0] == '\0')
        return word;
    *name = variable;
    return value;
}

/* The file's text without the line's end. Returns EX_OK, or the exit status after telling; `name`
 * is what named the file. */
static int read_token(const char *path, const char *name, struct buf *to)
{
    CLEANUP(buf_done) struct buf why;
    buf_init(&why, 512, NULL);
    buf_reserve(to, TOKEN_MAX); /* at once: growing would leave copies of it behind */
    if (!file_read(path, FILE_ANY, to, NULL, &why)) {
        fprintf(stderr, "rpcgate: %s: `%s` %s\n", name, path, buf_c(&why));
        return EX_NOINPUT;
    }
    while (to->len > 0 && strchr("\r\n", to->data[to->len - 1]) != NULL)
        to->data[--to->len] = '\0';
    if (is_token(buf_str(to)))
        return EX_OK;
    fprintf(stderr, "rpcgate: %s: `%s` holds no token: one line without blanks\n", name, path);
    return EX_DATAERR;
}

static bool check_url(const char *url, const char *name)
{
    const char *wrong = NULL;
    if (url_userinfo(str_of(url)).len > 0)
        wrong = "a gateway wants no user and password; a token stands in the file of --token-file "
                "or $" GATEWAY_TOKEN_NAME;
    else if (str_starts_with_nocase(str_of(url), STR("scgi")))
        wrong = "a gateway speaks HTTP: its address begins with http://, https:// or http+unix://";
    else if (strchr(url, '?') != NULL)
        wrong = "a gateway's address has no query";
    if (wrong != NULL)
        fprintf(stderr, "rpcgate: %s: %s\n", name, wrong);
    return wrong == NULL;
}

static void on_head(struct upstream_call *call UNUSED, int http_status UNUSED,
                    struct str content_type UNUSED)
{
}

static bool on_data(struct upstream_call *call, struct str bytes)
{
    struct asking *a = call->user;
    buf_append(&a->reply->body, bytes);
    return buf_ok(&a->reply->body);
}

static const char *advice(const struct upstream_result *result)
{
    switch (result->status) {
    case UPSTREAM_CONNECT_FAILED:
        if (strstr(result->detail, "Permission denied") != NULL)
            return "Only the socket's owner and group may use it: join that group.";
        return "Is rpcgated running? Start it, or say with --url or $" GATEWAY_URL_NAME
               " where it listens.";
    case UPSTREAM_TLS_FAILED:
        return "Check the host in the URL; the certificate of a CA of your own is named by "
               "--ca-file.";
    case UPSTREAM_TIMEOUT:
        return "Raise --timeout, or try again later.";
    default:
        return "Look into the gateway's log.";
    }
}

/* No answer at all. */
static int tell_failure(const struct asking *a, const struct upstream_result *result)
{
    bool late = result->status == UPSTREAM_TIMEOUT;
    CLEANUP(buf_done) struct buf detail;
    buf_init(&detail, SIZE_MAX - 1, NULL);
    terminal_clean(&detail, str_of(result->detail), /* lines */ false);
    fprintf(stderr, "rpcgate: No answer from the gateway %s: %s.\n  %s\n", a->reply->who,
            buf_c(&detail), advice(result));
    if (result->reached && !a->call.extra->get)
        fputs("  It is not known whether the call was executed.\n", stderr);
    return late ? EX_TEMPFAIL : EX_UNAVAILABLE;
}

static void on_done(struct upstream_call *call, const struct upstream_result *result)
{
    struct asking *a = call->user;
    a->done = true;
    a->status = result->status == UPSTREAM_OK ? EX_OK : tell_failure(a, result);
    a->reply->http_status = result->http_status;
    for (size_t i = 0; i < result->n_headers; i++)
        if (strcasecmp(result->headers[i].name, "Retry-After") == 0)
            a->reply->retry_after = retry_after_read(str_of(result->headers[i].value),
                                                     (struct str){ NULL, 0 }, time(NULL));
}

static int ask(const struct config *config, const struct gateway_request *request,
               struct reply *ret)
{
    struct chain body;
    struct asking a = { .reply = ret };
    struct upstream_extra extra = { .get = request->body == NULL };
    chain_init(&body, SIZE_MAX, NULL);
    if (request->body != NULL)
        chain_append(&body, buf_str(request->body));
    a.call = (struct upstream_call){
        .body = &body,
        .content_type = "application/json",
        .extra = &extra,
        .deadline_ms = request->timeout_ms > 0 ? clock_now_ms() + request->timeout_ms +
                                                     (request->is_probe ? 0 : GRACE_MS)
                                               : CLOCK_NEVER,
        .on_head = on_head,
        .on_data = on_data,
        .on_done = on_done,
        .user = &a,
    };
    if (!server_call(&config->upstreams[0], &a.call, &a.done))
        a.status = EX_OSERR;
    chain_done(&body);
    return a.status;
}

/* `words` but for the header. */
static int ask_at(struct server_words *words, const struct gateway_request *request,
                  struct reply *ret)
{
    char header[64];
    snprintf(header, sizeof header, "X-Rpcgate-Timeout: %" PRId64 "ms", request->timeout_ms);
    struct config *config = NULL;
    words->header = request->timeout_ms > 0 && !request->is_probe ? header : NULL;
    int status = server_config(words, &config);
    if (status == EX_OK)
        status = ask(config, request, ret);
    config_unref(config);
    return status;
}

int gateway_ask(const struct gateway_words *words, const struct gateway_request *request,
                struct reply *ret)
{
    struct buf token;
    const char *url_name = "--url", *token_name = "--token-file";
    const char *url = word_or_variable(words->url, GATEWAY_URL_NAME, &url_name);
    const char *token_file = word_or_variable(words->token_file, GATEWAY_TOKEN_NAME, &token_name);
    int status = EX_OK;
    ret->who = url != NULL ? url : GATEWAY_USUAL_URL;
    ret->token_shown = token_file != NULL && !request->is_probe;
    if (!check_url(ret->who, url_name))
        return EX_USAGE;
    buf_init(&token, TOKEN_MAX, NULL);
    if (ret->token_shown)
        status = read_token(token_file, token_name, &token);
    if (status == EX_OK)
        status = ask_at(
            &(struct server_words){
                .option = url_name,
                .url = ret->who,
                .path = request->path,
                .token = ret->token_shown ? buf_c(&token) : NULL,
                .ca_file = words->ca_file,
            },
            request, ret);
    buf_wipe(&token);
    return status;
}
