/* SPDX-License-Identifier: Apache-2.0 */
#include "client/answer.h"

#include "codec/xml/decode_reasons.h"
#include "rules/advice.h"
#include "rules/media.h"
#include "settings/method_rule.h"

#include <string.h>

/* How much of an answer that is no XML-RPC is read for the sake of its connection. [bytes] */
#define IGNORE_MAX ((size_t)64 * 1024)

/* ---- A result or a fault, of one call or of a member ---------------------------------------- */

static const struct decode_watch *find_envelope(struct answer *a, struct str method)
{
    a->envelope = method_envelope(a->way.upstream, method);
    return a->envelope != NULL ? &a->envelope->watch : NULL;
}

static void judge_fault(const struct fault *fault, const struct verdict_place *place,
                        struct error *err, struct verdict *ret)
{
    ret->expired = verdict_on_fault(fault, place, err);
    ret->fault = fault;
    ret->error = err;
}

/* A result may be a failure, or have the value within it. False: it is one. `disguised` goes to
 * verdict_fault_done() either way. */
static bool judge_result(const struct answer *a, const struct verdict_place *place,
                         struct verdict_fault *disguised, struct error *err, struct verdict *ret)
{
    const struct answer_way *way = &a->way;
    if (verdict_on_result(a->envelope, way->decoder, way->reply, way->decoding->fault_max,
                          disguised))
        return true;
    judge_fault(&disguised->fault, place, err, ret);
    return false;
}

/* ---- Members -------------------------------------------------------------------------------- */

static void on_item_begin(void *context, size_t index)
{
    struct answer *a = context;
    a->member = a->way.members->begin(a->way.members->context, index);
    a->envelope = NULL;
    if (UNLIKELY(a->way.members->part != NULL))
        a->part = a->way.members->part(a->way.members->context);
}

static const struct decode_watch *on_item_watch(void *context, size_t index)
{
    struct answer *a = context;
    (void)index;
    const struct decode_watch *watch = find_envelope(a, a->member);
    return a->part.watch != NULL ? a->part.watch : watch;
}

static void tell_neither(struct error *err)
{
    error_set(err, PROBLEM_BAD_RESPONSE,
              "The upstream's result for this call is neither a value in an array of one nor a "
              "fault. If its system.multicall does not wrap results, say so with "
              "multicall_results = \"bare\".");
}

static void judge_part(const struct answer *a, const struct verdict_place *place,
                       struct verdict_fault *disguised, struct error *err, struct verdict *ret)
{
    const struct answer_way *way = &a->way;
    bool is_nothing = false;
    if (!verdict_on_part(a->envelope, &a->part, way->decoder, way->reply, way->decoding->fault_max,
                         disguised, &is_nothing)) {
        judge_fault(&disguised->fault, place, err, ret);
    } else if (is_nothing && a->part.empty != 0) {
        verdict_on_nothing(&a->part, err);
        ret->error = err;
    }
}

static void end_looked_at(struct answer *a, struct verdict *verdict)
{
    const struct verdict_place place = { a->way.upstream, a->member, 200 };
    struct verdict_fault disguised;
    struct error err;
    if (a->part.watch != NULL)
        judge_part(a, &place, &disguised, &err, verdict);
    else
        (void)judge_result(a, &place, &disguised, &err, verdict);
    a->way.members->end(a->way.members->context, verdict);
    verdict_fault_done(&disguised);
}

static void end_failed(struct answer *a, const struct decode_item *item, struct error *err)
{
    const struct verdict_place place = { a->way.upstream, a->member, 200 };
    struct verdict verdict = { .error = err };
    if (item->kind == ITEM_FAULT)
        judge_fault(&item->fault, &place, err, &verdict);
    else
        tell_neither(err);
    a->way.members->end(a->way.members->context, &verdict);
}

static void on_item_end(void *context, const struct decode_item *item)
{
    struct answer *a = context;
    struct verdict verdict = { .error = NULL };
    struct error err;
    if (UNLIKELY(item->kind != ITEM_VALUE))
        end_failed(a, item, &err);
    else if (UNLIKELY(a->envelope != NULL || a->part.watch != NULL))
        end_looked_at(a, &verdict);
    else
        a->way.members->end(a->way.members->context, &verdict);
}

static void await_items(struct answer *a)
{
    const struct answer_members *members = a->way.members;
    a->items = (struct decode_items){
        .shape = members->shape,
        .n = members->n,
        .context = a,
        .begin = on_item_begin,
        .end = on_item_end,
        .watch = a->way.upstream->n_envelope > 0 || members->part != NULL ? on_item_watch : NULL,
    };
}

/* ---- While it arrives ----------------------------------------------------------------------- */

void answer_await(struct answer *a, const struct answer_way *way)
{
    a->way = *way;
    a->envelope = NULL;
    a->part = (struct verdict_part){ .watch = NULL };
    a->begun = false;
    a->undecodable = false;
    a->is_other = false;
    a->ignored = 0;
    a->n_params = 0;
    a->peek_len = 0;
    way->decoding->watch = way->watch;
    way->decoding->items = NULL;
    if (UNLIKELY(way->members != NULL)) {
        await_items(a);
        way->decoding->items = &a->items;
    } else if (UNLIKELY(way->upstream->n_envelope > 0) && way->watch == NULL && !way->as_it_is) {
        way->decoding->watch = find_envelope(a, way->method);
    }
    if (UNLIKELY(way->part.watch != NULL))
        way->decoding->watch = way->part.watch;
}

void answer_begin(struct answer *a, struct decoder *decoder, struct str content_type)
{
    struct answer_way *way = &a->way;
    way->decoder = decoder;
    way->decoding->encoding_declared = media_charset(content_type);
    chain_truncate(way->reply, way->reply_begin);
    decoder_begin(way->decoder, way->decoding, way->reply);
    a->begun = true;
}

bool answer_take(struct answer *a, struct str bytes)
{
    size_t peek = sizeof a->peek - a->peek_len;
    if (peek > bytes.len)
        peek = bytes.len;
    memcpy(a->peek + a->peek_len, bytes.data, peek);
    a->peek_len += peek;
    if (UNLIKELY(a->way.any_body))
        return true;
    if (!a->undecodable && !decoder_feed(a->way.decoder, bytes, a->way.error))
        a->undecodable = true;
    if (!a->undecodable)
        return true;
    /* A page of HTML is read to its end, so that the connection can be kept. */
    a->ignored += bytes.len;
    return a->way.error->type == PROBLEM_BAD_RESPONSE && a->ignored <= IGNORE_MAX;
}

bool answer_has_document(const struct answer *a)
{
    if (UNLIKELY(a->way.any_body)) /* its head has said all */
        return a->begun;
    return a->begun && !a->undecodable && decoder_is_whole(a->way.decoder);
}

bool answer_is_whole(const struct answer *a, const struct upstream_result *result,
                     struct upstream_result *ret)
{
    if (LIKELY(!result->cut) || !answer_has_document(a))
        return false;
    *ret = *result;
    ret->status = UPSTREAM_OK;
    return true;
}

/* ---- The end -------------------------------------------------------------------------------- */

/* The decoder writes an array of the params; a single param is taken out of it by overwriting the
 * bracket with a blank. The array of members' values has become what their owner made of it. */
static void succeed(struct answer *a, struct verdict *ret)
{
    struct chain *reply = a->way.reply;
    if (a->way.members != NULL) {
        /* the owner has written what stands around the values */
    } else if (a->n_params == 1) {
        chain_set_byte(reply, a->way.reply_begin, ' ');
        chain_truncate(reply, chain_len(reply) - 1);
    } else if (a->n_params == 0) {
        chain_truncate(reply, a->way.reply_begin);
        chain_append(reply, STR("null"));
    }
    if (chain_state(reply) == CHAIN_OK)
        *ret = (struct verdict){ .decoder = a->way.decoder };
    else
        error_limit(a->way.error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                    "The answer does not fit into limits.memory now. Ask for less, or raise "
                    "that limit.");
}

static struct verdict_place place_of(const struct answer *a, int http_status)
{
    return (struct verdict_place){ a->way.upstream, a->way.method, http_status };
}

static void fail_with_protocol(struct answer *a, const struct upstream_result *result,
                               struct answer_end *ret)
{
    const struct upstream_config *upstream = a->way.upstream;
    const struct verdict_place place = place_of(a, result->http_status);
    result_protocol(result, (struct str){ a->peek, a->peek_len }, &ret->protocol);
    ret->protocol.protocol.url = str_of(upstream->targets[a->way.target].shown);
    result_protocol_error(result, upstream, a->way.error);
    ret->verdict.expired = verdict_on_status(&place, a->way.error);
    ret->verdict.protocol = &ret->protocol.protocol;
}

/* A coding that nobody knows is passed by; where the document cannot be read, that is why. */
static void name_coding(struct answer *a, const struct upstream_result *result)
{
    struct error *error = a->way.error;
    char reason[ERROR_DETAIL_MAX];
    bool is_cut = error->is_cut;
    if (result->strange_coding[0] == '\0' || error->type != PROBLEM_BAD_RESPONSE)
        return;
    memcpy(reason, error->detail, sizeof reason);
    error_set(
        error, PROBLEM_BAD_RESPONSE,
        "The upstream's answer has the Content-Encoding \"%s%s\", which rpcgate does not know. %s",
        result->strange_coding,
        strlen(result->strange_coding) == UPSTREAM_CODING_MAX - 1 ? ERROR_CUT : "", reason);
    error->is_cut |= is_cut;
    error->advice = ADVICE_CODING;
}

static bool is_empty(const struct answer *a)
{
    return !a->begun || (!a->undecodable && decoder_is_empty(a->way.decoder));
}

static bool is_void(const struct answer *a, const struct upstream_result *result)
{
    return a->way.empty_is_null && a->way.members == NULL && result->http_status == 200 &&
           a->begun && is_empty(a);
}

static bool refuse_empty(struct answer *a)
{
    struct error *error = a->way.error;
    error_set(error, PROBLEM_BAD_RESPONSE, "The upstream's answer is empty");
    error->advice = a->way.members != NULL ? "Look into the server's log."
                                           : decode_reason_info(REFUSED_EMPTY)->advice;
    return false;
}

static void refuse_request(struct answer *a)
{
    error_set(a->way.error, PROBLEM_BAD_RESPONSE,
              "The upstream's answer is an XML-RPC document, but no response");
    a->way.error->advice = ADVICE_PATH;
}

/* It has failed, until it is known to be good. */
static void init_end(const struct answer *a, struct answer_end *ret)
{
    ret->verdict = (struct verdict){ .error = a->way.error };
    ret->repaired = 0;
    ret->unarranged = false;
    ret->is_disguised = false;
}

/* False: it is no result, or not for who wants that part. */
static bool take_part(struct answer *a, struct answer_end *ret)
{
    const struct answer_way *way = &a->way;
    const struct verdict_place place = place_of(a, 200);
    bool is_nothing = a->n_params == 0;
    ret->is_disguised = a->n_params == 1;
    if (ret->is_disguised &&
        !verdict_on_part(a->envelope, &way->part, way->decoder, way->reply,
                         way->decoding->fault_max, &ret->disguised, &is_nothing)) {
        judge_fault(&ret->disguised.fault, &place, way->error, &ret->verdict);
        return false;
    }
    if (!is_nothing || way->part.empty == 0)
        return true;
    verdict_on_nothing(&way->part, way->error);
    return false;
}

/* Only one value can be a failure, or have the result within it. */
static void finish_good(struct answer *a, const struct decode_result *decoded,
                        struct answer_end *ret)
{
    const struct verdict_place place = place_of(a, 200);
    a->n_params = decoded->n_params;
    if (UNLIKELY(a->way.part.watch != NULL)) {
        if (!take_part(a, ret))
            return;
    } else if (UNLIKELY(a->envelope != NULL) && a->way.members == NULL && a->n_params == 1) {
        ret->is_disguised = true;
        if (!judge_result(a, &place, &ret->disguised, a->way.error, &ret->verdict))
            return;
    }
    ret->unarranged = decoded->unarranged;
    if (LIKELY(!ret->unarranged))
        succeed(a, &ret->verdict);
}

/* A complete response: a fault counts with any status, a result only with 200. */
static void finish_whole(struct answer *a, const struct upstream_result *result,
                         struct answer_end *ret)
{
    const struct verdict_place place = place_of(a, result->http_status);
    struct decode_result decoded = { .n_params = 0 };
    bool good = a->begun && !a->undecodable;
    if (UNLIKELY(is_void(a, result) || (a->way.any_body && result->http_status < 400))) {
        succeed(a, &ret->verdict);
        return;
    }
    if (is_empty(a) && !a->way.any_body)
        good = refuse_empty(a);
    else if (good)
        good = decoder_end(a->way.decoder, &decoded, a->way.error);
    if (good)
        ret->repaired = decoded.repaired;
    if (good && decoded.kind == DOCUMENT_FAULT) {
        ret->fault = decoded.fault;
        judge_fault(&ret->fault, &place, a->way.error, &ret->verdict);
    } else if (result->http_status != 200) {
        fail_with_protocol(a, result, ret);
    } else if (good && decoded.kind == DOCUMENT_RESPONSE) {
        finish_good(a, &decoded, ret);
    } else if (good) {
        a->is_other = true;
        refuse_request(a);
    } else {
        name_coding(a, result);
    }
}

/* What answers a request that had no document, for a login, says nothing of the call's method, and
 * nothing of the call has gone out. */
static void tell_unreached(struct error *err)
{
    err->executed = EXECUTED_NO;
    err->no_method = false;
}

static void advise(struct answer *a, const struct answer_end *end)
{
    struct error *error = a->way.error;
    if (end->verdict.error == error && !end->unarranged && error->advice != NULL &&
        !a->way.keeps_advice)
        error_advise(error, TAKE(error->advice));
}

void answer_finish(struct answer *a, const struct upstream_result *result, struct answer_end *ret)
{
    init_end(a, ret);
    if (result->status == UPSTREAM_OK)
        finish_whole(a, result, ret);
    else if (result->http_status != 200 && a->way.error->type == PROBLEM_BAD_RESPONSE)
        fail_with_protocol(a, result, ret);
    if (!result->reached && ret->verdict.error != NULL && !ret->unarranged)
        tell_unreached(a->way.error);
    advise(a, ret);
}

enum codec_step answer_arrange(struct answer *a, size_t bytes, struct answer_end *ret)
{
    enum codec_step step = decoder_arrange(a->way.decoder, bytes, a->way.error);
    init_end(a, ret);
    if (step == CODEC_DONE)
        succeed(a, &ret->verdict);
    if (step != CODEC_MORE)
        advise(a, ret);
    return step;
}

void answer_end_done(struct answer_end *end)
{
    if (end->is_disguised)
        verdict_fault_done(&end->disguised);
}
