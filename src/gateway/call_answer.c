/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back: JSON while it arrives, a fault, or neither. */
#include "gateway/call.h"

#include "gateway/outcome.h"
#include "gateway/redacted.h"
#include "gateway/verbose.h"
#include "gateway/worker_state.h"
#include "rules/fault.h"
#include "rules/media.h"

#include <string.h>

/* How much of a response that is no XML-RPC is read for the sake of its connection. [bytes] */
#define IGNORE_MAX ((size_t)64 * 1024)

void call_answer_forget(struct call *c)
{
    c->decoding_now = false;
    c->undecodable = false;
    c->ignored = 0;
    c->peek_len = 0;
}

void call_answer_begins(struct call *c, struct str content_type)
{
    c->decoding.encoding_declared = media_charset(content_type);
    chain_truncate(c->reply, c->reply_begin);
    decoder_begin(c->decoder, &c->decoding, c->reply);
    c->decoding_now = true;
}

bool call_answer_goes_on(struct call *c, struct str bytes)
{
    size_t peek = sizeof c->peek - c->peek_len;
    if (peek > bytes.len)
        peek = bytes.len;
    memcpy(c->peek + c->peek_len, bytes.data, peek);
    c->peek_len += peek;
    verbose_body(c->verbose, bytes);
    if (!c->undecodable && !decoder_feed(c->decoder, bytes, &c->error))
        c->undecodable = true;
    if (!c->undecodable)
        return true;
    /* A page of HTML is read to its end, so that the connection can be kept. */
    c->ignored += bytes.len;
    return c->error.type == PROBLEM_BAD_RESPONSE && c->ignored <= IGNORE_MAX;
}

/* The decoder writes an array of the params; a single param is taken out of it by overwriting the
 * bracket with a blank. */
static void succeed(struct call *c, const struct decode_result *result)
{
    if (c->items != NULL) {
        /* the owner has written what stands around the values */
    } else if (result->n_params == 1) {
        chain_set_byte(c->reply, c->reply_begin, ' ');
        chain_truncate(c->reply, chain_len(c->reply) - 1);
    } else if (result->n_params == 0) {
        chain_truncate(c->reply, c->reply_begin);
        chain_append(c->reply, STR("null"));
    }
    if (chain_state(c->reply) != CHAIN_OK) {
        error_limit(&c->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                    "The answer does not fit into limits.memory now.");
        call_fail(c);
        return;
    }
    call_succeed(c);
}

static void fail_with_fault(struct call *c, const struct fault *fault, int http_status)
{
    CLEANUP(buf_done) struct buf text;
    struct fault shown = *fault;
    redacted_fault(c->view->config->redactor, &shown, &text);
    fault_to_error(&shown, c->upstream, http_status, &c->error);
    c->has_fault_code = true;
    c->fault_code = fault->code;
    call_fail_with(c, &shown, NULL);
}

static void fail_with_protocol(struct call *c, const struct upstream_outcome *outcome)
{
    CLEANUP(buf_done) struct buf text;
    struct outcome_protocol shown;
    outcome_protocol_error(outcome, c->upstream, &c->error);
    outcome_protocol(outcome, c->upstream, (struct str){ c->peek, c->peek_len }, &shown);
    shown.protocol.url = str_of(c->upstream->targets[c->target].url);
    redacted_protocol(c->view->config->redactor, &shown, &text);
    call_fail_with(c, NULL, &shown.protocol);
}

/* A complete response: a fault counts with any status, a result only with 200. */
static void finish_response(struct call *c, const struct upstream_outcome *outcome)
{
    struct decode_result result;
    bool good = c->decoding_now && !c->undecodable;
    if (!c->decoding_now)
        error_set(&c->error, PROBLEM_BAD_RESPONSE, "The upstream's answer is empty.");
    else if (good)
        good = decoder_finish(c->decoder, &result, &c->error);
    if (good)
        c->repaired += result.repaired;
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
        call_fail(c);
    }
}

void call_answered(struct call *c, const struct upstream_outcome *outcome)
{
    if (outcome->status == UPSTREAM_OK)
        finish_response(c, outcome);
    else if (outcome->http_status != 200 && c->error.type == PROBLEM_BAD_RESPONSE)
        fail_with_protocol(c, outcome);
    else
        call_fail(c);
}
