/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/direct.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/document.h"
#include "client/outcome.h"
#include "client/redacted.h"
#include "client/response.h"
#include "rules/envelope.h"
#include "rules/problem.h"
#include "tool/params.h"
#include "tool/server.h"

#include <inttypes.h>
#include <stdint.h>
#include <sysexits.h>

struct calling {
    const struct direct_call *direct;
    const struct config *config;
    const struct upstream_config *upstream;
    struct answer *answer;
    struct upstream_call call;
    struct document document;
    struct chain reply;
    struct decode_options decoding;
    struct response response;
    struct error error;
    int64_t timeout_ms;
    bool done;
};

static void take_reply(struct calling *c)
{
    char *text = chain_dup(&c->reply);
    buf_append(&c->answer->body, (struct str){ text, chain_len(&c->reply) });
    free_charp(&text);
}

/* `fault` and `protocol` may be NULL. */
static void fail(struct calling *c, const struct fault *fault,
                 const struct problem_protocol *protocol)
{
    struct problem problem = { .error = &c->error, .fault = fault, .protocol = protocol };
    redacted_error(c->config->redactor, &c->error);
    chain_clear(&c->reply);
    problem_write(&problem, &c->reply);
    take_reply(c);
    c->answer->http_status = c->error.status;
    c->answer->retry_after = c->error.retry_after;
}

static void finish_response(struct calling *c, const struct upstream_outcome *outcome)
{
    struct response_end end;
    response_finish(&c->response, outcome, &end);
    if (end.unarranged && response_arrange(&c->response, SIZE_MAX / 2, &end) != CODEC_DONE)
        end.good = false;
    if (end.good) {
        chain_append_byte(&c->reply, '}');
        take_reply(c);
        c->answer->http_status = 200;
    } else {
        fail(c, end.fault, end.protocol);
    }
    response_end_done(&end);
}

static void fail_without_response(struct calling *c, const struct upstream_outcome *outcome)
{
    outcome_error(outcome, c->upstream, &c->error);
    if (c->error.type == PROBLEM_TIMEOUT) {
        enum executed executed = c->error.executed;
        error_set(&c->error, PROBLEM_TIMEOUT,
                  "It did not answer in %" PRId64 " ms. Raise --timeout if it needs longer.",
                  c->timeout_ms);
        c->error.executed = executed;
    }
    fail(c, NULL, NULL);
}

static void on_head(struct upstream_call *call, int http_status UNUSED, struct str content_type)
{
    struct calling *c = call->user;
    response_begin(&c->response, content_type);
}

static bool on_data(struct upstream_call *call, struct str bytes)
{
    struct calling *c = call->user;
    return response_take(&c->response, bytes);
}

static bool is_whole(const struct upstream_call *call)
{
    const struct calling *c = call->user;
    return response_has_document(&c->response);
}

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome)
{
    struct calling *c = call->user;
    struct upstream_outcome whole;
    if (response_is_whole(&c->response, outcome, &whole))
        outcome = &whole;
    bool stopped = outcome->status == UPSTREAM_STOPPED && c->response.undecodable;
    c->done = true;
    if (outcome->status == UPSTREAM_OK || stopped)
        finish_response(c, outcome);
    else
        fail_without_response(c, outcome);
}

static void await_response(struct calling *c, struct decoder *decoder)
{
    chain_append(&c->reply, STR("{\"result\":"));
    c->decoding = c->direct->decoding;
    c->decoding.depth = (unsigned)c->upstream->limits.depth;
    c->decoding.document_max = c->upstream->limits.response;
    c->decoding.fault_max = c->config->limits.fault_text;
    response_await(&c->response,
                   &(struct response_way){
                       .config = c->config,
                       .upstream = c->upstream,
                       .method = str_of(c->direct->method),
                       .envelope = envelope_find(c->upstream, str_of(c->direct->method)),
                       .decoder = decoder,
                       .decoding = &c->decoding,
                       .reply = &c->reply,
                       .reply_begin = chain_len(&c->reply),
                       .error = &c->error,
                   });
}

static int make_call(struct calling *c, struct decoder *decoder)
{
    const struct direct_call *direct = c->direct;
    struct document_call call = { .method = str_of(direct->method),
                                  .params = buf_str(direct->params) };
    if (!params_check_method(call.method, &c->error) ||
        !document_write(&c->document, &direct->encoding, &call, &c->error)) {
        fail(c, NULL, NULL);
        return EX_OK;
    }
    await_response(c, decoder);
    c->timeout_ms = direct->timeout_ms > 0 ? direct->timeout_ms : c->upstream->timeouts.total;
    c->call = (struct upstream_call){
        .body = &c->document.text,
        .content_type = "text/xml",
        .deadline_ms = clock_now_ms() + c->timeout_ms,
        .on_head = on_head,
        .on_data = on_data,
        .is_whole = is_whole,
        .on_done = on_done,
        .user = c,
    };
    return server_call(c->upstream, &c->call, &c->done) ? EX_OK : EX_OSERR;
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
    struct decoder *decoder = decoder_new();
    struct calling c = {
        .direct = direct,
        .config = config,
        .upstream = &config->upstreams[0],
        .answer = ret,
    };
    document_init(&c.document, NULL);
    chain_init(&c.reply, SIZE_MAX, NULL);
    status = make_call(&c, decoder);
    decoder_free(decoder);
    chain_done(&c.reply);
    document_done(&c.document);
    config_unref(config);
    return status;
}
