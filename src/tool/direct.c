/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/direct.h"

#include "base/alloc.h"
#include "base/log.h"
#include "client/session_store.h"
#include "config/config.h"
#include "rules/problem.h"
#include "rules/query.h"
#include "rules/redacted.h"
#include "tool/command.h"
#include "tool/lone.h"
#include "tool/params.h"
#include "tool/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct calling {
    const struct direct_call *direct;
    struct config *config;
    const struct upstream_config *upstream;
    struct reply *reply;
    struct lone *lone; /* NULL: there is none (yet) */
    struct chain text;
};

static void take_reply(struct calling *c)
{
    char *text = chain_dup(&c->text);
    buf_append(&c->reply->body, (struct str){ text, chain_len(&c->text) });
    free_charp(&text);
}

/* `verdict` NULL: it was not sent. */
static void fail(struct calling *c, const struct error *err, const struct verdict *verdict)
{
    struct problem problem = {
        .error = err,
        .fault = verdict != NULL ? verdict->fault : NULL,
        .protocol = verdict != NULL ? verdict->protocol : NULL,
    };
    struct hidden *hidden =
        c->lone != NULL ? session_hidden(lone_site(c->lone), c->upstream) : NULL;
    struct redacted shown;
    redacted_make(&problem, hidden_redactor(hidden, c->config), NULL, &shown);
    hidden_unref(hidden);
    chain_clear(&c->text);
    problem_write(&shown.problem, &c->text);
    redacted_done(&shown);
    take_reply(c);
    c->reply->http_status = err->status;
    c->reply->retry_after = err->retry_after;
}

/* Who asks has set no setting, but perhaps an option. */
static void tell_timeout(const struct call *call, struct error *err)
{
    enum executed executed = err->executed;
    error_set(err, PROBLEM_TIMEOUT,
              "It did not answer in %" PRId64 " ms. Raise --timeout if it needs longer.",
              call->rule.timeout_ms);
    err->executed = executed;
}

static void on_ended(struct call *call, const struct verdict *verdict)
{
    struct calling *c = call->user;
    if (verdict->error == NULL) {
        chain_append_byte(&c->text, '}');
        take_reply(c);
        c->reply->http_status = 200;
        return;
    }
    struct error err = *verdict->error;
    if (err.type == PROBLEM_TIMEOUT && (c->direct->config == NULL || c->direct->timeout_ms > 0))
        tell_timeout(call, &err);
    fail(c, &err, verdict);
}

static void make_call(struct calling *c)
{
    static const struct call_owner owner = { .ended = on_ended };
    const struct direct_call *direct = c->direct;
    struct query query = {
        .has_types = direct->config == NULL || direct->has_types,
        .types = direct->decoding.types,
        .has_integers = direct->config == NULL || direct->has_integers,
        .integers = direct->decoding.integers,
    };
    struct call call = { .upstream = c->upstream, .owner = &owner, .user = c, .reply = &c->text };
    lone_fill_call(c->lone, &call, str_of(direct->method), direct->timeout_ms);
    call.text.params = buf_str(direct->params);
    call.query = &query;
    chain_append(&c->text, STR("{\"result\":"));
    lone_run_call(c->lone, &call);
}

static int ask(struct calling *c)
{
    struct error err;
    if (!params_check_method(str_of(c->direct->method), &err)) {
        fail(c, &err, NULL);
        return EX_OK;
    }
    c->lone = lone_open(c->config);
    if (c->lone == NULL) {
        fprintf(stderr, "rpcgate: cannot begin: %s\n", strerror(errno));
        return EX_OSERR;
    }
    make_call(c);
    lone_close(c->lone);
    return EX_OK;
}

/* An upstream of a configuration. */
static int find_upstream(const struct direct_call *direct, struct calling *c)
{
    struct config_report report;
    int status = EX_CONFIG;
    config_report_init(&report);
    c->config = config_read_path(direct->config, &(struct config_read_options){ .testing = false },
                                 &report);
    fputs(buf_c(&report.errors), stderr);
    if (report.missing)
        status = EX_NOINPUT;
    config_report_done(&report);
    if (c->config == NULL)
        return status;
    c->upstream = config_upstream(c->config, str_of(direct->upstream));
    return c->upstream != NULL ? EX_OK
                               : command_misuse("call", "the configuration has no upstream \"%s\"",
                                                direct->upstream);
}

/* One that is made of the words alone. */
static int make_upstream(const struct direct_call *direct, struct calling *c)
{
    int status = server_config(&(struct server_words){ .option = "--direct",
                                                       .url = direct->url,
                                                       .ca_file = direct->ca_file },
                               &c->config);
    if (status != EX_OK)
        return status;
    struct upstream_config *upstream = &c->config->upstreams[0];
    upstream->extensions = direct->encoding.extensions;
    upstream->retry.attempts = 1;
    c->config->limits.depth = direct->encoding.depth;
    c->upstream = upstream;
    return EX_OK;
}

int direct_ask(const struct direct_call *direct, struct reply *ret)
{
    struct calling c = { .direct = direct, .reply = ret };
    int status = direct->config != NULL ? find_upstream(direct, &c) : make_upstream(direct, &c);
    if (status == EX_OK) {
        log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false); /* it says all by its answer */
        chain_init(&c.text, SIZE_MAX, NULL);
        status = ask(&c);
        chain_done(&c.text);
    }
    config_unref(c.config);
    return status;
}
