/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/direct.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/decode.h"
#include "gateway/outcome.h"
#include "gateway/redacted.h"
#include "rules/fault.h"
#include "rules/media.h"
#include "rules/problem.h"
#include "tool/document.h"
#include "tool/server.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

struct calling {
    const struct direct_call *direct;
    const struct config *config;
    const struct upstream_config *upstream;
    struct answer *answer;
    struct upstream_call call;
    struct chain document, result;
    struct decoder *decoder;
    struct decode_options decoding;
    int64_t timeout_ms;
    char peek[2 * PROBLEM_BODY_MAX]; /* a secret may begin before the cut */
    size_t peek_len;
    bool begun, undecodable, done;
    struct error error;
};

static void write_problem(struct calling *c, struct problem problem)
{
    struct chain text;
    chain_init(&text, SIZE_MAX, NULL);
    redacted_error(c->config->redactor, &c->error);
    problem.error = &c->error;
    problem_write(&problem, &text);
    char *copy = chain_dup(&text);
    buf_append_c(&c->answer->body, copy);
    c->answer->http_status = c->error.status;
    c->answer->retry_after = c->error.retry_after;
    free_charp(&copy);
    chain_done(&text);
}

static void fail(struct calling *c)
{
    write_problem(c, (struct problem){ .fault = NULL });
}

static void fail_with_fault(struct calling *c, const struct fault *fault, int http_status)
{
    CLEANUP(buf_done) struct buf text;
    struct fault shown = *fault;
    redacted_fault(c->config->redactor, &shown, &text);
    fault_to_error(&shown, c->upstream, http_status, &c->error);
    write_problem(c, (struct problem){ .fault = &shown });
}

static void fail_with_protocol(struct calling *c, const struct upstream_outcome *outcome)
{
    CLEANUP(buf_done) struct buf text;
    struct outcome_protocol shown;
    outcome_protocol_error(outcome, c->upstream, &c->error);
    outcome_protocol(outcome, c->upstream, (struct str){ c->peek, c->peek_len }, &shown);
    redacted_protocol(c->config->redactor, &shown, &text);
    write_problem(c, (struct problem){ .protocol = &shown.protocol });
}

/* The decoder has written an array of the params, of which there should be one. */
static void succeed(struct calling *c, const struct decode_result *result)
{
    struct buf *body = &c->answer->body;
    char *array = chain_dup(&c->result);
    struct str value = { array, chain_len(&c->result) };
    if (result->n_params == 1)
        value = str_slice(value, 1, value.len - 1);
    buf_append_c(body, "{\"result\":");
    buf_append(body, result->n_params == 0 ? STR("null") : value);
    buf_append_byte(body, '}');
    c->answer->http_status = 200;
    free_charp(&array);
}

/* A fault counts with any status, a result only with 200. */
static void finish_response(struct calling *c, const struct upstream_outcome *outcome)
{
    struct decode_result result;
    bool good = c->begun && !c->undecodable;
    if (!c->begun)
        error_set(&c->error, PROBLEM_BAD_RESPONSE, "The upstream's answer is empty.");
    else if (good)
        good = decoder_finish(c->decoder, &result, &c->error);
    if (good && result.kind == DOCUMENT_FAULT) {
        fail_with_fault(c, &result.fault, outcome->http_status);
    } else if (outcome->http_status != 200) {
        fail_with_protocol(c, outcome);
    } else if (good && result.kind == DOCUMENT_RESPONSE) {
        succeed(c, &result);
    } else {
        if (good)
            error_set(&c->error, PROBLEM_BAD_RESPONSE,
                      "The upstream's answer is an XML-RPC document, but no response.");
        fail(c);
    }
}

static void on_head(struct upstream_call *call, int http_status UNUSED, struct str content_type)
{
    struct calling *c = call->user;
    c->decoding = c->direct->decoding;
    c->decoding.depth = (unsigned)c->upstream->limits.depth;
    c->decoding.document_max = c->upstream->limits.response;
    c->decoding.encoding_declared = media_charset(content_type);
    decoder_begin(c->decoder, &c->decoding, &c->result);
    c->begun = true;
}

static bool on_data(struct upstream_call *call, struct str bytes)
{
    struct calling *c = call->user;
    size_t peek = sizeof c->peek - c->peek_len;
    if (peek > bytes.len)
        peek = bytes.len;
    memcpy(c->peek + c->peek_len, bytes.data, peek);
    c->peek_len += peek;
    if (!c->undecodable && !decoder_feed(c->decoder, bytes, &c->error))
        c->undecodable = true;
    return !c->undecodable || c->peek_len < sizeof c->peek;
}

/* It was not worth reading to its end. */
static void finish_stopped(struct calling *c, const struct upstream_outcome *outcome)
{
    if (outcome->http_status != 200 && c->error.type == PROBLEM_BAD_RESPONSE)
        fail_with_protocol(c, outcome);
    else
        fail(c);
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
    fail(c);
}

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome)
{
    struct calling *c = call->user;
    c->done = true;
    if (outcome->status == UPSTREAM_OK)
        finish_response(c, outcome);
    else if (outcome->status == UPSTREAM_STOPPED && c->undecodable)
        finish_stopped(c, outcome);
    else
        fail_without_response(c, outcome);
}

static int make_call(struct calling *c)
{
    const struct direct_call *direct = c->direct;
    if (!document_write(
            &(struct document_call){ direct->method, buf_str(direct->params), &direct->encoding },
            &c->document, &c->error)) {
        fail(c);
        return EX_OK;
    }
    c->timeout_ms = direct->timeout_ms > 0 ? direct->timeout_ms : c->upstream->timeouts.total;
    c->call = (struct upstream_call){
        .body = &c->document,
        .content_type = "text/xml",
        .deadline_ms = clock_now_ms() + c->timeout_ms,
        .on_head = on_head,
        .on_data = on_data,
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
    struct calling c = {
        .direct = direct,
        .config = config,
        .upstream = &config->upstreams[0],
        .answer = ret,
        .decoder = decoder_new(),
    };
    chain_init(&c.document, SIZE_MAX, NULL);
    chain_init(&c.result, SIZE_MAX, NULL);
    status = make_call(&c);
    decoder_free(c.decoder);
    chain_done(&c.result);
    chain_done(&c.document);
    config_unref(config);
    return status;
}
