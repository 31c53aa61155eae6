/* SPDX-License-Identifier: Apache-2.0 */
#include "client/response.h"

#include "client/hidden.h"
#include "client/redacted.h"
#include "client/session_store.h"
#include "rules/envelope.h"
#include "rules/fault.h"
#include "rules/media.h"

#include <string.h>

/* How much of a response that is no XML-RPC is read for the sake of its connection. [bytes] */
#define IGNORE_MAX ((size_t)64 * 1024)

void response_await(struct response *r, const struct response_way *way)
{
    r->way = *way;
    r->begun = false;
    r->undecodable = false;
    r->ignored = 0;
    r->n_params = 0;
    r->peek_len = 0;
}

void response_begin(struct response *r, struct str content_type)
{
    const struct response_way *way = &r->way;
    way->decoding->watch = way->envelope != NULL ? &way->envelope->watch : way->watch;
    way->decoding->encoding_declared = media_charset(content_type);
    chain_truncate(way->reply, way->reply_begin);
    decoder_begin(way->decoder, way->decoding, way->reply);
    r->begun = true;
}

bool response_take(struct response *r, struct str bytes)
{
    size_t peek = sizeof r->peek - r->peek_len;
    if (peek > bytes.len)
        peek = bytes.len;
    memcpy(r->peek + r->peek_len, bytes.data, peek);
    r->peek_len += peek;
    if (UNLIKELY(r->way.any_body))
        return true;
    if (!r->undecodable && !decoder_feed(r->way.decoder, bytes, r->way.error))
        r->undecodable = true;
    if (!r->undecodable)
        return true;
    /* A page of HTML is read to its end, so that the connection can be kept. */
    r->ignored += bytes.len;
    return r->way.error->type == PROBLEM_BAD_RESPONSE && r->ignored <= IGNORE_MAX;
}

/* The decoder writes an array of the params; a single param is taken out of it by overwriting the
 * bracket with a blank. */
static bool succeed(struct response *r)
{
    struct chain *reply = r->way.reply;
    if (r->way.keeps_array) {
        /* the owner has written what stands around the values */
    } else if (r->n_params == 1) {
        chain_set_byte(reply, r->way.reply_begin, ' ');
        chain_truncate(reply, chain_len(reply) - 1);
    } else if (r->n_params == 0) {
        chain_truncate(reply, r->way.reply_begin);
        chain_append(reply, STR("null"));
    }
    return chain_state(reply) == CHAIN_OK ||
           error_limit(r->way.error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                       "The answer does not fit into limits.memory now. Ask for less, or raise "
                       "that limit.");
}

static const struct redactor *hide(const struct response *r, struct response_end *ret)
{
    if (UNLIKELY(r->way.sessions != NULL) && ret->hidden == NULL)
        ret->hidden = session_store_hidden(r->way.sessions);
    return hidden_redactor(ret->hidden, r->way.config);
}

static void fail_with_fault(struct response *r, const struct fault *fault, int http_status,
                            struct response_end *ret)
{
    ret->fault_code = fault->code;
    ret->shown_fault = *fault;
    ret->fault = &ret->shown_fault;
    redacted_fault(hide(r, ret), &ret->shown_fault, r->way.reply->budget, &ret->text);
    struct fault_place place = { r->way.upstream, r->way.method, http_status, fault };
    ret->expired = fault_to_error(ret->fault, &place, r->way.error);
}

static void fail_with_protocol(struct response *r, const struct upstream_outcome *outcome,
                               struct response_end *ret)
{
    const struct upstream_config *upstream = r->way.upstream;
    struct outcome_protocol *shown = &ret->shown_protocol;
    outcome_protocol(outcome, (struct str){ r->peek, r->peek_len }, shown);
    shown->protocol.url = str_of(upstream->targets[r->way.target].shown);
    redacted_protocol(hide(r, ret), shown, &ret->text);
    outcome_protocol_error(outcome, upstream, shown, r->way.error);
    struct fault_place place = { upstream, r->way.method, outcome->http_status, NULL };
    ret->expired = fault_apply_status(&place, r->way.error);
    ret->protocol = &shown->protocol;
}

/* A coding that nobody knows is passed by; where the document cannot be read, that is why. */
static void name_coding(struct response *r, const struct upstream_outcome *outcome)
{
    struct error *error = r->way.error;
    char reason[ERROR_DETAIL_MAX];
    if (outcome->strange_coding[0] == '\0' || error->type != PROBLEM_BAD_RESPONSE)
        return;
    memcpy(reason, error->detail, sizeof reason);
    error_set(
        error, PROBLEM_BAD_RESPONSE,
        "The upstream's answer has the Content-Encoding \"%s%s\", which rpcgate does not know, "
        "though it asks for gzip and deflate alone (compression.accept). %s",
        outcome->strange_coding,
        strlen(outcome->strange_coding) == UPSTREAM_CODING_MAX - 1 ? ERROR_CUT : "", reason);
}

static bool is_empty(const struct response *r)
{
    return !r->begun || (!r->undecodable && decoder_is_empty(r->way.decoder));
}

static bool is_void(const struct response *r, const struct upstream_outcome *outcome)
{
    return r->way.empty_is_null && !r->way.keeps_array && outcome->http_status == 200 && r->begun &&
           is_empty(r);
}

static bool refuse_empty(struct response *r)
{
    const char *advice = r->way.keeps_array
                             ? "Look into the server's log."
                             : "If methods without a result end so, say it: methods = ( { match = "
                               "\"NAME\"; empty = \"null\"; } ).";
    return error_set(r->way.error, PROBLEM_BAD_RESPONSE, "The upstream's answer is empty. %s",
                     advice);
}

static void init_end(struct response_end *ret)
{
    ret->good = false;
    ret->expired = false;
    ret->fault = NULL;
    ret->hidden = NULL;
    ret->protocol = NULL;
    ret->repaired = 0;
    ret->unarranged = false;
    buf_init(&ret->text, 0, NULL);
}

/* Only one value can be a failure, or have the result within it. False: it is one. */
static bool open_envelope(struct response *r, struct response_end *ret)
{
    const struct response_way *way = &r->way;
    struct envelope_verdict verdict;
    if (LIKELY(way->envelope == NULL) || r->n_params != 1)
        return true;
    envelope_judge(way->envelope, way->decoder, way->reply, way->decoding->fault_max, &verdict);
    if (verdict.failed)
        fail_with_fault(r, &verdict.fault, 200, ret);
    else
        decoder_keep(way->decoder, way->reply, verdict.has_value ? &verdict.value : NULL);
    envelope_verdict_done(&verdict);
    return !verdict.failed;
}

static void finish_good(struct response *r, const struct decode_result *result,
                        struct response_end *ret)
{
    r->n_params = result->n_params;
    if (!open_envelope(r, ret))
        return;
    ret->unarranged = result->unarranged;
    if (LIKELY(!ret->unarranged))
        ret->good = succeed(r);
}

/* A complete response: a fault counts with any status, a result only with 200. */
static void finish_whole(struct response *r, const struct upstream_outcome *outcome,
                         struct response_end *ret)
{
    struct decode_result result = { .n_params = 0 };
    bool good = r->begun && !r->undecodable;
    if (UNLIKELY(is_void(r, outcome) || (r->way.any_body && outcome->http_status < 400))) {
        ret->good = succeed(r);
        return;
    }
    if (is_empty(r) && !r->way.any_body)
        good = refuse_empty(r);
    else if (good)
        good = decoder_end(r->way.decoder, &result, r->way.error);
    if (good)
        ret->repaired = result.repaired;
    if (good && result.kind == DOCUMENT_FAULT)
        fail_with_fault(r, &result.fault, outcome->http_status, ret);
    else if (outcome->http_status != 200)
        fail_with_protocol(r, outcome, ret);
    else if (good && result.kind == DOCUMENT_RESPONSE)
        finish_good(r, &result, ret);
    else if (good)
        error_set(r->way.error, PROBLEM_BAD_RESPONSE,
                  "The upstream's answer is an XML-RPC document, but no response.");
    else
        name_coding(r, outcome);
}

bool response_has_document(const struct response *r)
{
    if (UNLIKELY(r->way.any_body)) /* its head has said all */
        return r->begun;
    return r->begun && !r->undecodable && decoder_is_whole(r->way.decoder);
}

bool response_is_whole(const struct response *r, const struct upstream_outcome *outcome,
                       struct upstream_outcome *ret)
{
    if (LIKELY(!outcome->cut) || !response_has_document(r))
        return false;
    *ret = *outcome;
    ret->status = UPSTREAM_OK;
    return true;
}

/* What answers a request that had no document, for a login, says nothing of the call's method, and
 * nothing of the call has gone out. */
static void tell_unreached(struct error *err)
{
    err->executed = EXECUTED_NO;
    err->no_method = false;
}

void response_finish(struct response *r, const struct upstream_outcome *outcome,
                     struct response_end *ret)
{
    init_end(ret);
    if (outcome->status == UPSTREAM_OK)
        finish_whole(r, outcome, ret);
    else if (outcome->http_status != 200 && r->way.error->type == PROBLEM_BAD_RESPONSE)
        fail_with_protocol(r, outcome, ret);
    if (!outcome->reached && !ret->good && !ret->unarranged)
        tell_unreached(r->way.error);
}

enum codec_step response_arrange(struct response *r, size_t bytes, struct response_end *ret)
{
    enum codec_step step = decoder_arrange(r->way.decoder, bytes, r->way.error);
    init_end(ret);
    if (step == CODEC_DONE)
        ret->good = succeed(r);
    return step;
}

void response_end_done(struct response_end *end)
{
    hidden_unref(end->hidden);
    buf_done(&end->text);
}
