/* SPDX-License-Identifier: Apache-2.0 */
/* One call: the caller's JSON becomes a document, goes to the upstream, and what comes back becomes
 * JSON again while it arrives. */
#include "gateway/request.h"

#include "base/clock.h"
#include "gateway/attempt.h"
#include "gateway/memory.h"
#include "gateway/outcome.h"
#include "gateway/redacted.h"
#include "gateway/verbose.h"
#include "rules/fault.h"
#include "rules/media.h"

#include <assert.h>
#include <string.h>

/* How much JSON is translated before others get their turn: some milliseconds of work. [bytes] */
#define TRANSLATE_STEP ((size_t)256 * 1024)

/* How much of a response that is no XML-RPC is read for the sake of its connection. [bytes] */
#define IGNORE_MAX ((size_t)64 * 1024)

/* The reply is `{"result": value}`. The decoder writes an array of the params; a single param is
 * taken out of it by overwriting the bracket with a blank. */
static const struct str reply_begin = { "{\"result\":", 10 };

static void choose_options(struct request *r)
{
    const struct upstream_config *u = r->upstream;
    r->encoding = (struct encode_options){
        .extensions = u->extensions,
        .depth = (unsigned)r->view->config->limits.depth,
        .text = u->text,
        .timezone = u->timezone,
        .encoding = u->encoding,
    };
    r->decoding = (struct decode_options){
        .types = r->query.has_types ? r->query.types : u->types,
        .integers = r->query.has_integers ? r->query.integers : u->integers,
        .text = u->text,
        .depth = (unsigned)u->limits.depth,
        .document_max = u->limits.response,
        .encoding_forced = u->response_encoding,
    };
}

void request_answer_forget(struct request *r)
{
    r->decoding_now = false;
    r->undecodable = false;
    r->ignored = 0;
    r->peek_len = 0;
}

void request_answer_begins(struct request *r, struct str content_type)
{
    r->decoding.encoding_declared = media_charset(content_type);
    chain_clear(&r->reply);
    chain_append(&r->reply, reply_begin);
    decoder_begin(r->decoder, &r->decoding, &r->reply);
    r->decoding_now = true;
}

bool request_answer_goes_on(struct request *r, struct str bytes)
{
    size_t peek = sizeof r->peek - r->peek_len;
    if (peek > bytes.len)
        peek = bytes.len;
    memcpy(r->peek + r->peek_len, bytes.data, peek);
    r->peek_len += peek;
    verbose_body(r->verbose, bytes);
    if (!r->undecodable && !decoder_feed(r->decoder, bytes, &r->error))
        r->undecodable = true;
    if (!r->undecodable)
        return true;
    /* A page of HTML is read to its end, so that the connection can be kept. */
    r->ignored += bytes.len;
    return r->error.type == PROBLEM_BAD_RESPONSE && r->ignored <= IGNORE_MAX;
}

static void succeed(struct request *r, const struct decode_result *result)
{
    if (result->n_params == 1) {
        chain_set_byte(&r->reply, reply_begin.len, ' ');
        chain_truncate(&r->reply, chain_len(&r->reply) - 1);
    } else if (result->n_params == 0) {
        chain_truncate(&r->reply, reply_begin.len);
        chain_append(&r->reply, STR("null"));
    }
    chain_append_byte(&r->reply, '}');
    if (chain_state(&r->reply) != CHAIN_OK) {
        error_limit(&r->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                    "The answer does not fit into limits.memory now.");
        request_fail(r);
        return;
    }
    request_succeed(r, 200);
}

static void fail_with_fault(struct request *r, const struct fault *fault, int http_status)
{
    CLEANUP(buf_done) struct buf text;
    struct fault shown = *fault;
    redacted_fault(r->view->config->redactor, &shown, &text);
    fault_to_error(&shown, r->upstream, http_status, &r->error);
    r->fault = &shown;
    r->has_fault_code = true;
    r->fault_code = fault->code;
    request_fail(r);
    r->fault = NULL;
}

static void fail_with_protocol(struct request *r, const struct upstream_outcome *outcome)
{
    CLEANUP(buf_done) struct buf text;
    struct outcome_protocol shown;
    outcome_protocol_error(outcome, r->upstream, &r->error);
    outcome_protocol(outcome, r->upstream, (struct str){ r->peek, r->peek_len }, &shown);
    shown.protocol.url = str_of(r->upstream->targets[r->target].url);
    redacted_protocol(r->view->config->redactor, &shown, &text);
    r->protocol = &shown.protocol;
    request_fail(r);
    r->protocol = NULL;
}

/* A complete response: a fault counts with any status, a result only with 200. */
static void finish_response(struct request *r, const struct upstream_outcome *outcome)
{
    struct decode_result result;
    bool good = r->decoding_now && !r->undecodable;
    if (!r->decoding_now)
        error_set(&r->error, PROBLEM_BAD_RESPONSE, "The upstream's answer is empty.");
    else if (good)
        good = decoder_finish(r->decoder, &result, &r->error);
    if (good)
        r->repaired += result.repaired;
    if (good && result.kind == DOCUMENT_FAULT) {
        fail_with_fault(r, &result.fault, outcome->http_status);
    } else if (outcome->http_status != 200) {
        fail_with_protocol(r, outcome);
    } else if (good && result.kind == DOCUMENT_RESPONSE) {
        succeed(r, &result);
    } else {
        if (good)
            error_set(&r->error, PROBLEM_BAD_RESPONSE,
                      "The upstream's answer is an XML-RPC document, but no response.");
        request_fail(r);
    }
}

void request_answered(struct request *r, const struct upstream_outcome *outcome)
{
    if (outcome->status == UPSTREAM_OK)
        finish_response(r, outcome);
    else if (outcome->http_status != 200 && r->error.type == PROBLEM_BAD_RESPONSE)
        fail_with_protocol(r, outcome);
    else
        request_fail(r);
}

static void begin_translation(struct request *r)
{
    encoder_begin(r->encoder,
                  &(struct encode_input){
                      .kind = ENCODE_CALL,
                      .method = route_method(&r->route),
                      .json = buf_str(&r->body),
                      .options = &r->encoding,
                  },
                  &r->document);
}

/* Without room for the document the translation begins anew, once there is some. */
static bool wait_for_room(struct request *r)
{
    size_t wanted = chain_len(&r->document) + TRANSLATE_STEP;
    if (r->error.type != PROBLEM_OVERLOADED)
        return false;
    chain_done(&r->document);
    begin_translation(r);
    return memory_wait(r, wanted);
}

void request_translate(struct request *r)
{
    switch (encoder_step(r->encoder, TRANSLATE_STEP, &r->error)) {
    case CODEC_MORE:
        r->worker->translating = true;
        return;
    case CODEC_FAILED:
        if (wait_for_room(r))
            return;
        request_fail(r);
        request_call_done(r);
        return;
    case CODEC_DONE:
        break;
    }
    r->repaired += encoder_repaired(r->encoder);
    worker_give_encoder(r->worker, r->encoder);
    r->encoder = NULL;
    buf_done(&r->body);
    attempt_start(r);
}

void request_call(struct request *r)
{
    const struct request_head *head = http_head(r->exchange);
    if (!head_timeout(head, &r->timeout_ms, &r->error)) {
        request_fail(r);
        return;
    }
    r->rule = method_rule_find(r->upstream, route_method(&r->route));
    r->is_short = r->timeout_ms < r->rule.timeout_ms;
    r->deadline_ms = clock_now_ms() + clock_min(r->rule.timeout_ms, r->timeout_ms);
    choose_options(r);
    r->encoder = worker_take_encoder(r->worker);
    begin_translation(r);
    request_enter(r, REQUEST_TRANSLATING);
    request_translate(r);
}

void request_call_done(struct request *r)
{
    if (r->encoder != NULL)
        worker_give_encoder(r->worker, r->encoder);
    if (r->decoder != NULL)
        worker_give_decoder(r->worker, r->decoder);
    r->encoder = NULL;
    r->decoder = NULL;
    verbose_end(TAKE(r->verbose), r, &r->document);
    chain_done(&r->document);
}
