/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/check.h"

#include "base/clock.h"
#include "client/inject.h"
#include "rules/media.h"
#include "settings/url.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define METHOD "system.listMethods"

/* So much of what is no XML-RPC is read, to see the exchange end as it would in a call. [bytes] */
#define IGNORE_MAX ((size_t)1024 * 1024)

/* How long a connection is watched after a good answer. */
#define REST_MS 20

static void finish(struct check *c)
{
    c->rests_until_ms = 0;
    check_judge(c, (int64_t)time(NULL));
    c->called = true;
    c->done = !c->upstream->session.present;
    c->on_done(c);
}

static void encode_call(struct check *c)
{
    struct encode_options options = { .depth = CODEC_DEPTH_MAX, .encoding = c->upstream->encoding };
    struct error err;
    struct document_call call = { .method = STR(METHOD), .params = STR("[]") };
    const struct inject *inject = inject_find(c->injects, c->upstream, STR(METHOD));
    if (inject != NULL && inject->rule->needs_session) {
        c->lacks_session = true;
    } else if (inject != NULL) {
        call.around = inject->rule->around;
        c->call.added = &inject->added;
    }
    bool good = document_write(&c->document, &options, &call, &err);
    assert(good);
    (void)good;
}

static void on_head(struct upstream_call *call, int http_status, struct str content_type)
{
    struct check *c = call->user;
    (void)http_status;
    c->decoding.encoding_declared = media_charset(content_type);
    decoder_begin(c->decoder, &c->decoding, &c->answer);
}

static bool on_data(struct upstream_call *call, struct str bytes)
{
    struct check *c = call->user;
    size_t peek = sizeof c->peek - c->peek_len;
    if (peek > bytes.len)
        peek = bytes.len;
    memcpy(c->peek + c->peek_len, bytes.data, peek);
    c->peek_len += peek;
    c->received += bytes.len;
    if (!c->undecodable && !decoder_feed(c->decoder, bytes, &c->error))
        c->undecodable = true;
    return !c->undecodable || (c->error.type == PROBLEM_BAD_RESPONSE && c->received <= IGNORE_MAX);
}

static bool is_whole(const struct upstream_call *call)
{
    const struct check *c = call->user;
    return !c->undecodable && decoder_is_whole(c->decoder);
}

static void on_looked(struct upstream_call *call, const struct upstream_outcome *outcome)
{
    (void)outcome;
    finish(call->user);
}

/* The verification has failed before the certificate could be read: it is fetched once more, by a
 * connection on which nothing is sent. */
static void look(struct check *c)
{
    c->extra = (struct upstream_extra){ .trusts_any = true, .details = &c->looked };
    c->call = (struct upstream_call){
        .body = &c->document.text,
        .content_type = "text/xml",
        .target = c->target,
        .deadline_ms = clock_now_ms() + c->upstream->timeouts.connect,
        .on_head = on_head,
        .on_data = on_data,
        .on_done = on_looked,
        .extra = &c->extra,
        .connect_only = true,
        .user = c,
    };
    upstream_submit(c->client, &c->call);
}

/* Each scheme may have a header of its own. What finds no room is cut, or left out. */
static void add_wanted(struct check *c, struct str value)
{
    size_t len = strlen(c->wants), least = sizeof ", " + sizeof ERROR_CUT;
    if (sizeof c->wants - len <= least)
        return;
    struct error_cut shown = error_cut(value, sizeof c->wants - len - least);
    snprintf(c->wants + len, sizeof c->wants - len, "%s%.*s%s", len > 0 ? ", " : "",
             ERROR_CUT_ARGS(shown));
}

static void keep_target(struct check *c, const char *value)
{
    CLEANUP(buf_wipe) struct buf hidden;
    buf_init(&hidden, SIZE_MAX - 1, NULL);
    url_append_hidden(str_of(value), &hidden);
    check_clean(c->config, buf_c(&hidden), c->leads_to);
}

static void keep_outcome(struct check *c, const struct upstream_outcome *outcome)
{
    c->wants[0] = '\0';
    for (size_t i = 0; i < outcome->n_headers; i++) {
        if (strcasecmp(outcome->headers[i].name, "WWW-Authenticate") == 0)
            add_wanted(c, str_of(outcome->headers[i].value));
        if (strcasecmp(outcome->headers[i].name, "Location") == 0)
            keep_target(c, outcome->headers[i].value);
    }
    c->outcome = *outcome;
    c->outcome.headers = NULL;
    c->outcome.n_headers = 0;
}

static void on_done(struct upstream_call *call, const struct upstream_outcome *outcome)
{
    struct check *c = call->user;
    keep_outcome(c, outcome);
    if (outcome->cut && !c->undecodable && decoder_is_whole(c->decoder))
        c->outcome.status = UPSTREAM_OK;
    if (c->outcome.status == UPSTREAM_OK && !c->undecodable &&
        !decoder_finish(c->decoder, &c->result, &c->error))
        c->undecodable = true;
    if (outcome->status == UPSTREAM_TLS_FAILED && !c->details.certificate.known) {
        look(c);
        return;
    }
    if (c->outcome.status == UPSTREAM_OK)
        c->rests_until_ms = clock_now_ms() + REST_MS;
    else
        finish(c);
}

void check_rest(struct check *c, int64_t now_ms)
{
    c->unsaid = upstream_ends_unsaid(c->client);
    if (c->unsaid || c->rests_until_ms <= now_ms)
        finish(c);
}

void check_start(struct check *c, struct upstream *client)
{
    const struct upstream_config *u = c->upstream;
    c->client = client;
    c->n_methods = -1;
    document_init(&c->document, NULL);
    chain_init(&c->answer, SIZE_MAX, NULL);
    c->decoder = decoder_new();
    c->decoding = (struct decode_options){
        .text = TEXT_REPLACE,
        .depth = (unsigned)u->limits.depth,
        .document_max = u->limits.response,
        .encoding_forced = u->response_encoding,
    };
    c->injects = inject_open(u);
    c->extra = (struct upstream_extra){ .details = &c->details };
    c->call = (struct upstream_call){
        .body = &c->document.text,
        .content_type = "text/xml",
        .target = c->target,
        .deadline_ms = clock_now_ms() + u->timeouts.total,
        .on_head = on_head,
        .on_data = on_data,
        .is_whole = is_whole,
        .on_done = on_done,
        .extra = &c->extra,
        .user = c,
    };
    encode_call(c);
    upstream_submit(client, &c->call);
}

void check_end(struct check *c)
{
    decoder_free(c->decoder);
    document_done(&c->document);
    inject_close(c->injects, c->upstream);
    chain_done(&c->answer);
    upstream_close(c->client);
}
