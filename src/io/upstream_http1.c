/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its answer on a connection of ours (upstream_wire.c). Requests are never sent
 * twice: one of which a byte may have gone out is lost with its connection. Whatever is odd about
 * an answer's framing ends the connection; what two readers could understand differently is
 * refused, as it is with libcurl. */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/step.h"
#include "io/scgi_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is read at once. [bytes] */
#define READ_BYTES ((size_t)16 * 1024)

char *http1_input(void)
{
    return xcalloc(1, READ_BYTES);
}

void http1_init(struct exchange *x)
{
    struct http1 *h = &x->http1;
    buf_init(&h->out.head, SIZE_MAX - 1, NULL);
    buf_init(&h->partial, RESPONSE_HEAD_BYTES, NULL);
    buf_init(&h->held, 2 * READ_BYTES, NULL);
    list_init(&h->in_ended);
    list_init(&h->in_timed);
}

void http1_done(struct exchange *x)
{
    buf_wipe(&x->http1.out.head);
    outgoing_wipe(&x->http1.out);
    buf_done(&x->http1.partial);
    buf_done(&x->http1.held);
}

/* With a proxy that is no tunnel the request is the proxy's, which may want another login. */
static bool goes_through_proxy(const struct exchange *x)
{
    const struct upstream_config *config = x->upstream->config;
    return x->upstream->hosts[x->call->target].by_proxy && !config->proxy.tunnel &&
           str_starts_with_nocase(str_of(config->proxy_target.url), STR("http")) &&
           str_starts_with_nocase(str_of(config->targets[x->call->target].url), STR("http:"));
}

static bool is_scgi(const struct exchange *x)
{
    return x->upstream->config->targets[x->call->target].scgi;
}

bool http1_misses(const struct exchange *x)
{
    return is_scgi(x) && !x->call->connect_only && !x->extra->is_dry && !http1_takes(x);
}

bool http1_takes(const struct exchange *x)
{
    const struct upstream_config *config = x->upstream->config;
    return config->transport == TRANSPORT_USE_AUTO && !x->call->connect_only && !x->extra->get &&
           !x->extra->is_dry && (x->extra->details == NULL || is_scgi(x)) &&
           !config->targets[x->call->target].digest && !goes_through_proxy(x) &&
           x->upstream->hosts[x->call->target].head.len > 0 && request_takes(x->call->added);
}

/* ---- The end -------------------------------------------------------------------------------- */

void http1_end(struct exchange *x, CURLcode rc)
{
    struct upstreams *all = x->upstream->all;
    x->http1.rc = rc;
    if (list_empty(&x->http1.in_ended))
        list_add_last(&all->ended, &x->http1.in_ended);
}

static bool has_ended(const struct exchange *x)
{
    return x->call == NULL || !list_empty(&x->http1.in_ended);
}

void http1_tell(struct exchange *x, const char *text)
{
    if (x->error[0] == '\0')
        snprintf(x->error, sizeof x->error, "%s", text);
}

/* Servers send one with 204, which the next call would take for its answer. */
static bool promises_body(const struct response_head *head)
{
    return head->status == 204 && (head->is_chunked || (head->has_length && head->length > 0));
}

/* Not where the server waits for the rest of a request, nor where two readers could see another
 * end of the answer (RFC 9112 section 6.1). */
static bool may_rest(const struct exchange *x)
{
    const struct http1 *h = &x->http1;
    return h->is_over && !h->is_surplus && !h->is_sending && !h->send_failed && !h->is_strange &&
           h->rc == CURLE_OK && !x->once && !x->stopped && !x->damaged && x->head.fault == NULL &&
           x->head.keeps && x->head.status != 101 && !response_head_is_ambiguous(&x->head) &&
           h->body.kind != BODY_TO_THE_END && !promises_body(&x->head);
}

/* What is at hand while it runs. It is not asked for: only going on gives it back. */
static void count(struct exchange *x)
{
    struct http1 *h = &x->http1;
    size_t bytes = h->partial.cap + h->held.cap + (h->out.piece != NULL ? WIRE_PIECE_BYTES : 0);
    if (LIKELY(bytes == h->counted))
        return;
    if (bytes > h->counted)
        budget_count(h->budget, bytes - h->counted);
    else
        budget_give(h->budget, h->counted - bytes);
    h->counted = bytes;
}

void http1_leave(struct exchange *x)
{
    struct http1 *h = &x->http1;
    struct wire *w = TAKE(h->wire);
    list_remove(&h->in_ended);
    list_remove(&h->in_timed);
    h->dials = false;
    if (w != NULL)
        w->carried |= h->is_over;
    if (w != NULL && may_rest(x))
        wire_rest(w);
    else if (w != NULL)
        wire_close(w);
    /* Behind the connection's end: TLS may still know the piece. */
    outgoing_wipe(&h->out);
    buf_done(&h->partial);
    buf_done(&h->held);
    count(x);
}

/* ---- The connection's end ------------------------------------------------------------------- */

/* Nothing of an answer has come on a kept connection: its end was on its way. */
static void note_unsaid(struct exchange *x)
{
    x->refused = x->http1.reused && !x->http1.got_bytes;
}

/* Where the request could not be sent, what refused it says enough; a success is none. */
static bool says_why(const struct exchange *x)
{
    return x->head.complete && x->head.status >= 300;
}

static void end_of_connection(struct exchange *x)
{
    struct http1 *h = &x->http1;
    h->wire->has_ended = true;
    note_unsaid(x);
    if (!h->got_bytes) {
        CURLcode rc = x->error[0] != '\0' ? CURLE_RECV_ERROR : CURLE_GOT_NOTHING;
        http1_tell(x, "Empty reply from server");
        http1_end(x, rc);
    } else if (!x->head.complete || body_may_end(&h->body)) {
        h->is_over = x->head.complete;
        http1_end(x, CURLE_OK); /* an incomplete head is lost, all the same */
    } else {
        if (h->body.kind == BODY_LENGTH)
            snprintf(x->error, sizeof x->error,
                     "transfer closed with %" PRIu64 " bytes remaining to read", h->body.left);
        else
            http1_tell(x, "transfer closed with outstanding read data remaining");
        http1_end(x, CURLE_PARTIAL_FILE);
    }
}

/* What has come before is taken already. */
static void end_by_failure(struct exchange *x)
{
    struct http1 *h = &x->http1;
    h->wire->has_ended = true;
    if (h->send_failed && says_why(x)) {
        http1_end(x, CURLE_OK);
        return;
    }
    note_unsaid(x);
    if (!h->send_failed)
        http1_tell(x, h->wire->error[0] != '\0' ? h->wire->error : "Failure when receiving data");
    http1_end(x, h->send_failed ? CURLE_SEND_ERROR : CURLE_RECV_ERROR);
}

/* ---- To and fro ----------------------------------------------------------------------------- */

/* Nothing of it has gone out on a kept connection, which is closed: it begins anew on another. */
static bool may_begin_anew(const struct exchange *x)
{
    return x->http1.reused && !x->http1.out.may_be_sent && !x->http1.got_bytes;
}

static void begin_anew(struct exchange *x)
{
    struct http1 *h = &x->http1;
    int64_t age_us = clock_now_us() - h->wire->since_us;
    kept_tell_ended(x->upstream, age_us);
    h->is_over = false;
    http1_leave(x);
    list_add_last(&x->upstream->all->starting, &x->member);
}

/* False: the exchange is somewhere else now. */
static bool send_on(struct exchange *x)
{
    struct http1 *h = &x->http1;
    struct io_result sent = wire_send(h->wire, &h->out);
    if (sent.state == IO_DONE)
        h->is_sending = false;
    if (sent.state != IO_FAILED)
        return true;
    if (may_begin_anew(x)) {
        begin_anew(x);
        return false;
    }
    http1_tell(x, h->wire->error[0] != '\0' ? h->wire->error : "Failed sending data to the peer");
    h->is_sending = false;
    h->send_failed = true;
    return true;
}

/* An answer that comes while the request is on its way: a refusal is its end, anything else is
 * read when all has gone out. */
static bool waits_for_request(struct exchange *x)
{
    struct http1 *h = &x->http1;
    if (!h->is_sending || !x->head.complete)
        return false;
    if (x->head.status < 400)
        return true;
    h->is_sending = false;
    h->send_failed = true;
    return false;
}

static bool must_wait(struct exchange *x)
{
    return has_ended(x) || !list_empty(&x->in_paused) || waits_for_request(x);
}

static void read_on(struct exchange *x)
{
    struct http1 *h = &x->http1;
    char *bytes = x->upstream->all->input;
    while (!must_wait(x)) {
        struct io_result got = wire_read(h->wire, bytes, READ_BYTES);
        if (got.state == IO_AGAIN) {
            if (h->send_failed && !x->head.complete)
                end_by_failure(x);
            return;
        }
        if (got.state == IO_FAILED) {
            end_by_failure(x);
            return;
        }
        if (got.n == 0) {
            end_of_connection(x);
            return;
        }
        h->got_bytes = true;
        if (!http1_take(x, (struct str){ bytes, got.n }))
            return;
    }
}

/* What was held up comes first. */
static bool take_held(struct exchange *x)
{
    struct buf *held = &x->http1.held;
    if (held->len == 0)
        return true;
    struct str bytes = buf_str(held);
    if (!http1_take(x, bytes))
        return false;
    buf_done(held);
    return true;
}

static void go(struct exchange *x)
{
    struct upstreams *all = x->upstream->all;
    bool was_in = all->in_curl;
    all->in_curl = true; /* so that a cancel is put off, as always */
    step_begin("transfer");
    if (!x->http1.is_sending || send_on(x)) {
        if (!must_wait(x) && take_held(x))
            read_on(x);
    }
    count(x);
    all->in_curl = was_in;
}

void http1_ready(struct exchange *x)
{
    if (!has_ended(x) && list_empty(&x->in_paused))
        go(x);
}

void http1_go_on(struct exchange *x)
{
    list_remove(&x->in_paused);
    if (!has_ended(x))
        go(x);
}

/* ---- The beginning -------------------------------------------------------------------------- */

/* The same request in the words of SCGI, which is traced in those of HTTP. */
static void start_scgi(struct exchange *x)
{
    struct buf http = x->http1.out.head;
    buf_init(&x->http1.out.head, SIZE_MAX - 1, NULL);
    scgi_head_write(buf_str(&http), chain_len(x->body), &x->http1.out.head);
    buf_wipe(&http);
    response_head_start_cgi(&x->head);
}

static void start(struct exchange *x, struct wire *w, bool reused)
{
    struct upstreams *all = x->upstream->all;
    struct http1 *h = &x->http1;
    h->wire = w;
    w->x = x;
    h->dials = false;
    h->reused = reused;
    h->is_sending = true;
    h->send_failed = h->is_strange = h->has_blank_length = h->is_over = h->is_surplus = false;
    h->rc = CURLE_OK;
    h->budget = x->call->body->budget;
    x->began = true;
    x->connecting = false;
    x->is_clear = false;
    x->is_watched = true;
    x->rested_us = reused ? clock_now_us() - w->since_us : -1;
    request_write(x, &h->out.head);
    if (x->call->on_trace != NULL)
        x->call->on_trace(x->call, true, buf_str(&h->out.head));
    if (is_scgi(x))
        start_scgi(x);
    h->out = (struct outgoing){ .head = h->out.head, .block = x->body->first };
    list_add_last(&all->timed, &h->in_timed);
    all->timed_due_ms = clock_min(all->timed_due_ms, x->call->deadline_ms);
    go(x);
}

bool http1_begin(struct exchange *x)
{
    struct wire *w = wire_find(x);
    x->http1.dials = w == NULL;
    x->http1.got_bytes = false;
    buf_done(&x->http1.held);
    if (w == NULL)
        return false;
    exchange_drop_handle(x); /* it may be another URL's */
    exchange_reset(x);
    start(x, w, true);
    return true;
}

/* Until something is read from it libcurl may close it with others that are idle, and give its
 * number away. What comes before the request was sent is looked at behind that; so is TLS's word
 * that our certificate is refused. */
static void read_first(struct exchange *x, struct wire *w)
{
    char *bytes = x->upstream->all->input;
    size_t n = 0;
    CURLcode rc = curl_easy_recv(w->easy, bytes, READ_BYTES, &n);
    if (rc == CURLE_OK && n > 0) {
        buf_append(&x->http1.held, (struct str){ bytes, n });
        x->http1.got_bytes = true;
    } else if (rc != CURLE_OK && rc != CURLE_AGAIN) {
        http1_tell(x, w->error);
    }
}

void http1_dialled(struct exchange *x)
{
    struct wire *w = wire_adopt(x);
    x->http1.dials = false;
    if (w == NULL) {
        exchange_end_early(x, UPSTREAM_FAILED, NULL, "the connection could not be used");
        return;
    }
    x->error[0] = '\0';
    read_first(x, w);
    start(x, w, false);
}

/* ---- Each turn ------------------------------------------------------------------------------ */

static void end_late(struct exchange *x, int64_t now_ms)
{
    int64_t took_ms = now_ms - x->submitted_us / 1000;
    snprintf(x->error, sizeof x->error,
             "Operation timed out after %" PRId64 " milliseconds with %" PRIu64 " bytes received",
             took_ms, x->taken_bytes);
    http1_end(x, CURLE_OPERATION_TIMEDOUT);
}

static void run_timed(struct upstreams *all)
{
    int64_t now_ms = clock_now_ms();
    if (all->timed_due_ms > now_ms)
        return;
    all->timed_due_ms = CLOCK_NEVER;
    LIST_EACH (&all->timed, at, following) {
        struct exchange *x = CONTAINER_OF(at, struct exchange, http1.in_timed);
        if (has_ended(x))
            continue;
        if (x->call->deadline_ms <= now_ms)
            end_late(x, now_ms);
        else
            all->timed_due_ms = clock_min(all->timed_due_ms, x->call->deadline_ms);
    }
}

void http1_run(struct upstreams *all)
{
    run_timed(all);
    while (!list_empty(&all->ended)) {
        struct exchange *x = CONTAINER_OF(all->ended.next, struct exchange, http1.in_ended);
        list_remove(&x->http1.in_ended);
        step_begin("end");
        if (x->call != NULL)
            exchange_end(x, x->http1.rc);
        /* else it is on the list of the cancelled */
    }
    wires_run(all);
}

int64_t http1_due_ms(const struct upstreams *all)
{
    if (!list_empty(&all->ended))
        return 0;
    return clock_min(all->timed_due_ms, all->wires_due_ms);
}
