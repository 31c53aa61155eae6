/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange: an easy handle with its options, and what libcurl calls back about.
 *
 * libcurl sends a request again by itself when a kept connection ends without an answer, and has
 * no option against it. Each attempt begins with before_request(), which stops a second one if a
 * byte of the first has gone out. The body of a large request comes from read_body(), and
 * seek_body() refuses to rewind it, which is a second lock on the same door. */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "settings/url.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Up to this size a body is sent together with the head, in one system call and one packet less;
 * libcurl makes a copy for that. [bytes] */
#define FLAT_BODY_MAX ((size_t)16 * 1024)

/* What read_body() is asked for at once: larger for large bodies, as it is allocated for each call.
 * libcurl also takes it as the most that one TLS write may hold, and FLAT_BODY_MAX is one record.
 * [bytes] */
#define UPLOAD_SMALL 16384L
#define UPLOAD_LARGE 65536L

/* For a function with an `ok`. */
#define SET(option, value) ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok

static bool was_sent(const struct exchange *x)
{
    long sent = 0;
    curl_off_t sent_body = 0;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent_body);
    return sent > 0 || sent_body > 0;
}

bool exchange_may_send(struct exchange *x)
{
    if (x->call == NULL)
        return false;
    if (!x->began || !was_sent(x))
        return true;
    x->refused = true;
    return false;
}

static int before_request(void *user, char *remote_ip, char *local_ip, int remote_port,
                          int local_port)
{
    struct exchange *x = user;
    long connections = 0;
    if (x->http1.dials)
        return CURL_PREREQFUNC_OK;
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    if (!exchange_may_send(x))
        return CURL_PREREQFUNC_ABORT;
    if (curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connections) == CURLE_OK &&
        connections == 0)
        kept_check(x, local_port);
    else if (x->is_clear && upstream_shared_has_strange_heads(x->upstream->shared))
        sockets_mend(x, local_port);
    x->connecting = false;
    x->worn |= x->began;
    x->began = true;
    return CURL_PREREQFUNC_OK;
}

static size_t read_body(char *to, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    if (x->call == NULL)
        return CURL_READFUNC_ABORT;
    return chain_read(x->body, &x->cursor, to, size * n);
}

static int seek_body(void *user, curl_off_t offset, int origin)
{
    struct exchange *x = user;
    (void)offset;
    (void)origin;
    x->refused = true;
    return CURL_SEEKFUNC_FAIL;
}

void exchange_tell_head(struct exchange *x)
{
    if (x->call == NULL || x->told)
        return;
    x->told = true;
    x->call->on_head(x->call, x->head.status, str_of(x->head.content_type));
}

/* libcurl reads the proxy's head itself. */
static bool take_proxy_line(struct exchange *x, struct str line)
{
    if (response_head_is_folded(line))
        x->head.fault = RESPONSE_FOLDED;
    return x->head.fault == NULL;
}

static size_t take_head_line(char *data, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    bool was_complete = x->head.complete;

    if (x->call != NULL && x->connecting)
        return take_proxy_line(x, (struct str){ data, size * n }) ? size * n : 0;
    if (x->call == NULL || !response_head_line(&x->head, (struct str){ data, size * n }))
        return 0;
    /* Behind the head come trailers, of which only what its definition allows there may count (RFC
     * 9110 section 6.5.1): no Set-Cookie. */
    if (!was_complete)
        lines_take_cookie(x, (struct str){ data, size * n });
    if (x->head.complete && !was_complete) {
        login_take_head(x);
        if (!x->goes_on)
            exchange_tell_head(x);
    }
    return x->call != NULL ? size * n : 0;
}

static size_t take_data(char *data, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    /* What libcurl took for a head, or passed by as none, and we did not. */
    if (!x->head.complete) {
        if (x->head.fault == NULL)
            x->head.fault = "there is a body without a head of HTTP/1";
        return CURL_WRITEFUNC_ERROR;
    }
    if (x->goes_on)
        return login_skips(x, size * n) ? size * n : CURL_WRITEFUNC_ERROR;
    if (x->call == NULL)
        return CURL_WRITEFUNC_ERROR;
    whole_begin(x);
    size_t taken = exchange_take(x, (struct str){ data, size * n });
    if (taken == size * n)
        whole_note(x, taken);
    return taken;
}

static int trace(CURL *easy, curl_infotype type, char *data, size_t size, void *user)
{
    struct exchange *x = user;
    (void)easy;
    if (x->call != NULL && x->call->on_trace != NULL &&
        (type == CURLINFO_HEADER_OUT || type == CURLINFO_HEADER_IN))
        x->call->on_trace(x->call, type == CURLINFO_HEADER_OUT, (struct str){ data, size });
    return CURLE_OK;
}

static bool set_callbacks(CURL *easy)
{
    bool ok = true;
    SET(CURLOPT_READFUNCTION, read_body);
    SET(CURLOPT_SEEKFUNCTION, seek_body);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_HEADERFUNCTION, take_head_line);
    SET(CURLOPT_WRITEFUNCTION, take_data);
    SET(CURLOPT_DEBUGFUNCTION, trace);
    SET(CURLOPT_RESOLVER_START_FUNCTION, naming_wanted);
    return ok;
}

static bool set_data(struct exchange *x)
{
    CURL *easy = x->easy;
    bool ok = true;
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_SEEKDATA, x);
    SET(CURLOPT_PREREQDATA, x);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_DEBUGDATA, x);
    SET(CURLOPT_RESOLVER_START_DATA, x);
    SET(CURLOPT_OPENSOCKETDATA, x);
    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_ERRORBUFFER, x->error);
    if (x->upstream->share != NULL)
        SET(CURLOPT_SHARE, x->upstream->share);
    return ok;
}

CURL *exchange_model(struct upstream *u)
{
    CURL *easy = upstreams_global_init() ? curl_easy_init() : NULL;
    if (easy == NULL || !options_set(easy, u) ||
        !options_set_target(easy, &u->config->targets[0]) || !set_callbacks(easy) ||
        !sockets_attach_easy(easy, u->all))
        die_without_memory(); /* what else an option may want, configure has checked */
    return easy;
}

/* Its options are the model's; what a handle has seen does not come with them. */
static bool take_handle(struct exchange *x)
{
    if (x->easy != NULL)
        return true;
    if (x->upstream->model == NULL)
        x->upstream->model = exchange_model(x->upstream);
    x->easy = curl_easy_duphandle(x->upstream->model);
    if (x->easy == NULL)
        die_without_memory(); /* libcurl 7.88 may have freed the model's certificates */
    x->target = &x->upstream->config->targets[0];
    x->has_own_url = false;
    x->detailed = false;
    x->worn = x->upstream->all->forgets_handles;
    return set_data(x);
}

void exchange_drop_handle(struct exchange *x)
{
    curl_easy_cleanup(TAKE(x->easy));
}

struct exchange *exchange_new(struct upstream *u)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    list_init(&x->member);
    list_init(&x->in_paused);
    list_init(&x->in_whole);
    x->upstream = u;
    x->dry_fd = -1;
    x->asked_fd = CURL_SOCKET_BAD;
    buf_init(&x->flat, FLAT_BODY_MAX, NULL);
    lines_init(x);
    buf_init(&x->late, LATE_ANSWER_MAX, NULL);
    chain_init(&x->packed_here, 0, NULL);
    x->packed = &x->packed_here;
    naming_init(x);
    http1_init(x);
    return x;
}

void exchange_free(struct exchange *x)
{
    exchange_forget_packed(x);
    pack_stop(x);
    exchange_drop_handle(x);
    dry_run_done(x);
    buf_done(&x->flat);
    lines_done(x);
    buf_done(&x->late);
    naming_done(x);
    http1_done(x);
    chain_done(&x->packed_here);
    free(x);
}

/* The body in one piece, or NULL: libcurl asks read_body() for it. */
static const char *flat_body(struct exchange *x, size_t len)
{
    const struct chain *body = x->body;
    if (len > FLAT_BODY_MAX)
        return NULL;
    if (len == 0)
        return "";
    if (body->first->len == len)
        return body->first->data;
    buf_clear(&x->flat);
    for (const struct chain_block *b = body->first; b != NULL; b = b->next)
        buf_append(&x->flat, (struct str){ b->data, b->len });
    return buf_ok(&x->flat) ? buf_c(&x->flat) : NULL;
}

static bool set_body(struct exchange *x)
{
    CURL *easy = x->easy;
    size_t len = x->asks ? 0 : chain_len(x->body);
    bool ok = true;
    if (x->extra->get) {
        SET(CURLOPT_HTTPGET, 1L);
        return ok;
    }
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, flat_body(x, len));
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, len > FLAT_BODY_MAX ? UPLOAD_LARGE : UPLOAD_SMALL);
    return ok;
}

/* The URL of one call that has its own path. */
static bool set_own_url(struct exchange *x)
{
    CURL *easy = x->easy;
    struct buf url;
    bool ok = true;
    buf_init(&url, SIZE_MAX - 1, NULL);
    url_append_with_path(str_of(x->target->url), x->call->added->path, &url);
    SET(CURLOPT_URL, buf_c(&url)); /* which copies it */
    buf_wipe(&url);
    x->has_own_url = true;
    return ok;
}

static bool choose_target(struct exchange *x, const struct upstream_target *target)
{
    bool ok = true;
    if (x->target != target || UNLIKELY(x->has_own_url)) {
        x->target = target;
        x->has_own_url = false;
        ok = options_set_target(x->easy, target);
    }
    if (UNLIKELY(x->call->added != NULL) && x->call->added->path.len > 0 && !x->http1.dials)
        ok = set_own_url(x) && ok;
    return ok;
}

static bool begins_with(const char *url, struct str scheme)
{
    return str_starts_with_nocase(str_of(url), scheme);
}

static bool is_clear(const struct exchange *x)
{
    const char *proxy = x->upstream->config->proxy_target.url;
    return begins_with(x->target->url, STR("http:")) && !x->extra->is_dry &&
           (proxy == NULL || !begins_with(proxy, STR("https:")));
}

void exchange_reset(struct exchange *x)
{
    if (x->easy == NULL)
        x->target = &x->upstream->config->targets[x->call->target];
    login_prepare(x);
    x->body = x->is_packed && !x->asks ? x->packed : x->call->body;
    response_head_start(&x->head);
    x->cursor = (struct chain_cursor){ 0 };
    x->told = false;
    x->connecting = false;
    x->began = false;
    x->refused = false;
    x->stopped = false;
    x->is_clear = is_clear(x);
    x->n_opened = 0;
    x->is_watched = false;
    x->kept_fd = CURL_SOCKET_BAD;
    x->was_paused = false;
    x->taken_bytes = 0;
    x->began_us = clock_now_us();
    x->error[0] = '\0';
    buf_clear(&x->late);
    exchange_forget_packed(x);
}

/* A connection that is ours to use has its call's deadline from us. */
static bool set_times(struct exchange *x, int64_t now_ms)
{
    CURL *easy = x->easy;
    int64_t left_ms = x->call->deadline_ms == CLOCK_NEVER ? 0 : x->call->deadline_ms - now_ms;
    int64_t connect_ms = x->connect_due_ms > now_ms ? x->connect_due_ms - now_ms : 1;
    bool ok = true;
    if (x->http1.dials && left_ms > 0 && left_ms < connect_ms)
        connect_ms = left_ms;
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    SET(CURLOPT_TIMEOUT_MS, x->http1.dials ? 0L : (long)(left_ms < INT_MAX ? left_ms : INT_MAX));
    return ok;
}

bool exchange_prepare(struct exchange *x, struct multi *m, int64_t now_ms)
{
    const struct upstream_config *config = x->upstream->config;
    const bool dials = x->http1.dials;
    assert(x->call->target < config->n_targets);
    if (!take_handle(x))
        return false;
    CURL *easy = x->easy;
    bool ok = choose_target(x, &config->targets[x->call->target]);

    exchange_reset(x);
    assert(!x->extra->trusts_any || x->call->connect_only);
    if (x->extra->trusts_any) {
        x->worn = true;
        ok = options_set_trusts_any(easy) && ok;
    }
    ok = details_prepare(x) && dry_run_prepare(x) && naming_prepare(x) && ok;
    SET(CURLOPT_CONNECT_ONLY, x->call->connect_only || dials ? 1L : 0L);
    if (!dials)
        kept_choose(x, m);
    SET(CURLOPT_FRESH_CONNECT, dials || x->fresh ? 1L : 0L);
    SET(CURLOPT_FORBID_REUSE, x->once && !dials ? 1L : 0L);
    SET(CURLOPT_VERBOSE, x->call->on_trace != NULL ? 1L : 0L);
    SET(CURLOPT_HTTPHEADER, dials ? NULL : lines_list(x));
    return set_times(x, now_ms) && (dials || set_body(x)) && ok;
}
