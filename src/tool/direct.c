/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/direct.h"

#include "base/alloc.h"
#include "base/log.h"
#include "client/redacted.h"
#include "rules/problem.h"
#include "rules/query.h"
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
    const struct config *config;
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
    if (err.type == PROBLEM_TIMEOUT)
        tell_timeout(call, &err);
    fail(c, &err, end);
}

static void make_call(struct calling *c, struct lone *lone)
{
    static const struct call_owner owner = { .ended = on_ended };
    const struct direct_call *direct = c->direct;
    struct query query = {
        .has_types = true,
        .types = direct->decoding.types,
        .has_integers = true,
        .integers = direct->decoding.integers,
    };
    struct call call = {
        .upstream = &c->config->upstreams[0], .owner = &owner, .user = c, .reply = &c->reply
    };
    lone_fill_call(lone, &call, str_of(direct->method), direct->timeout_ms);
    call.text.params = buf_str(direct->params);
    call.query = &query;
    chain_append(&c->reply, STR("{\"result\":"));
    lone_run_call(lone, &call);
}

static int ask(struct calling *c, struct config *config)
{
    struct error err;
    if (!params_check_method(str_of(c->direct->method), &err)) {
        fail(c, &err, NULL);
        return EX_OK;
    }
    struct lone *lone = lone_open(config);
    if (lone == NULL) {
        fprintf(stderr, "rpcgate: cannot begin: %s\n", strerror(errno));
        return EX_OSERR;
    }
    make_call(c, lone);
    lone_close(lone);
    return EX_OK;
}

int direct_ask(const struct direct_call *direct, struct answer *ret)
{
    struct config *config;
    int status = server_config(&(struct server_words){ .option = "--direct",
                                                       .url = direct->url,
                                                       .ca_file = direct->ca_file },
                               &config);
    if (status != EX_OK)
        return status;
    struct upstream_config *upstream = &config->upstreams[0];
    struct calling c = { .direct = direct, .config = config, .answer = ret };
    upstream->extensions = direct->encoding.extensions;
    upstream->retry.attempts = 1;
    config->limits.depth = direct->encoding.depth;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, false); /* what it has to say is its answer */
    chain_init(&c.reply, SIZE_MAX, NULL);
    status = ask(&c, config);
    chain_done(&c.reply);
    config_unref(config);
    return status;
}
