/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/direct.h"

#include "base/alloc.h"
#include "base/log.h"
#include "client/redacted.h"
#include "config/config.h"
#include "rules/problem.h"
#include "rules/query.h"
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
    struct answer *answer;
    struct chain reply;
};

static void take_reply(struct calling *c)
{
    char *text = chain_dup(&c->reply);
    buf_append(&c->answer->body, (struct str){ text, chain_len(&c->reply) });
    free_charp(&text);
}

/* `end` NULL: it was not sent. */
static void fail(struct calling *c, const struct error *error, const struct call_end *end)
{
    struct error shown = *error;
    struct problem problem = {
        .error = &shown,
        .fault = end != NULL ? end->fault : NULL,
        .protocol = end != NULL ? end->protocol : NULL,
    };
    redacted_error(c->config->redactor, &shown);
    chain_clear(&c->reply);
    problem_write(&problem, &c->reply);
    take_reply(c);
    c->answer->http_status = shown.status;
    c->answer->retry_after = shown.retry_after;
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

static void on_ended(struct call *call, const struct call_end *end)
{
    struct calling *c = call->user;
    if (end->error == NULL) {
        chain_append_byte(&c->reply, '}');
        take_reply(c);
        c->answer->http_status = 200;
        return;
    }
    struct error err = *end->error;
    if (err.type == PROBLEM_TIMEOUT && (c->direct->config == NULL || c->direct->timeout_ms > 0))
        tell_timeout(call, &err);
    fail(c, &err, end);
}

static void make_call(struct calling *c, struct lone *lone)
{
    static const struct call_owner owner = { .ended = on_ended };
    const struct direct_call *direct = c->direct;
    struct query query = {
        .has_types = direct->config == NULL || direct->has_types,
        .types = direct->decoding.types,
        .has_integers = direct->config == NULL || direct->has_integers,
        .integers = direct->decoding.integers,
    };
    struct call call = { .upstream = c->upstream, .owner = &owner, .user = c, .reply = &c->reply };
    lone_fill_call(lone, &call, str_of(direct->method), direct->timeout_ms);
    call.text.params = buf_str(direct->params);
    call.query = &query;
    chain_append(&c->reply, STR("{\"result\":"));
    lone_run_call(lone, &call);
}

static int ask(struct calling *c)
{
    struct error err;
    if (!params_check_method(str_of(c->direct->method), &err)) {
        fail(c, &err, NULL);
        return EX_OK;
    }
    struct lone *lone = lone_open(c->config);
    if (lone == NULL) {
        fprintf(stderr, "rpcgate: cannot begin: %s\n", strerror(errno));
        return EX_OSERR;
    }
    make_call(c, lone);
    lone_close(lone);
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

int direct_ask(const struct direct_call *direct, struct answer *ret)
{
    struct calling c = { .direct = direct, .answer = ret };
    int status = direct->config != NULL ? find_upstream(direct, &c) : make_upstream(direct, &c);
    if (status == EX_OK) {
        log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false); /* it says all by its answer */
        chain_init(&c.reply, SIZE_MAX, NULL);
        status = ask(&c);
        chain_done(&c.reply);
    }
    config_unref(c.config);
    return status;
}
