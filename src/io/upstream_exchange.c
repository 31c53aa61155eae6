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

/* [bytes] */
#define OWN_LINES_MAX ((size_t)8 * 1024)

/* Headers of the configuration that would break a request's framing, or delay it. */
static const char *const refused_headers[] = {
    "Content-Length", "Transfer-Encoding", "Expect", "Connection", "TE", "Trailer", "Upgrade",
};

bool exchange_may_send(struct exchange *x)
{
    long sent = 0;
    curl_off_t sent_body = 0;

    if (x->call == NULL)
        return false;
    if (!x->began)
        return true;
    curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(x->easy, CURLINFO_SIZE_UPLOAD_T, &sent_body);
    if (sent == 0 && sent_body == 0)
        return true;
    x->refused = true;
    return false;
}

static int before_request(void *user, char *remote_ip, char *local_ip, int remote_port,
                          int local_port)
{
    struct exchange *x = user;
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (!exchange_may_send(x))
        return CURL_PREREQFUNC_ABORT;
    x->began = true;
    return CURL_PREREQFUNC_OK;
}

static size_t read_body(char *to, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    if (x->call == NULL)
        return CURL_READFUNC_ABORT;
    return chain_read(x->call->body, &x->cursor, to, size * n);
}

static int seek_body(void *user, curl_off_t offset, int origin)
{
    struct exchange *x = user;
    (void)offset;
    (void)origin;
    x->refused = true;
    return CURL_SEEKFUNC_FAIL;
}

static size_t take_head_line(char *data, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    bool was_complete = x->head.complete;

    if (x->call == NULL || !response_head_line(&x->head, (struct str){ data, size * n }))
        return 0;
    if (x->head.complete && !was_complete)
        x->call->on_head(x->call, x->head.status, str_of(x->head.content_type));
    return x->call != NULL ? size * n : 0;
}

static size_t take_data(char *data, size_t size, size_t n, void *user)
{
    struct exchange *x = user;
    if (x->call == NULL)
        return CURL_WRITEFUNC_ERROR;
    if (size * n > 0 && !x->call->on_data(x->call, (struct str){ data, size * n })) {
        x->stopped = true;
        return CURL_WRITEFUNC_ERROR;
    }
    return x->call != NULL ? size * n : CURL_WRITEFUNC_ERROR;
}

static struct curl_slist *append_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    if (longer == NULL)
        abort(); /* no memory for a few bytes, when the configuration is taken over */
    return longer;
}

static bool is_refused(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(refused_headers); i++)
        if (str_eq_nocase(name, str_of(refused_headers[i])))
            return true;
    return false;
}

struct curl_slist *exchange_headers(const struct upstream_config *config, bool *ret_content_type)
{
    struct curl_slist *list = append_line(NULL, "Expect:");
    *ret_content_type = false;
    for (size_t i = 0; i < config->headers.n; i++) {
        struct str line = str_of(config->headers.items[i]);
        size_t colon = str_find(line, ':');
        if (colon == line.len)
            continue;
        struct str name = str_slice(line, 0, colon);
        struct str value = str_trim(str_slice(line, colon + 1, line.len));
        if (is_refused(str_trim(name)))
            continue;
        if (str_eq_nocase(name, STR("Content-Type")))
            *ret_content_type = true;
        struct buf text;
        buf_init(&text, line.len + 4, NULL);
        /* libcurl's form for a header without a value is `Name;`. */
        buf_append(&text, name);
        buf_append(&text, value.len > 0 ? STR(": ") : STR(";"));
        buf_append(&text, value);
        list = append_line(list, buf_c(&text));
        buf_wipe(&text);
    }
    return list;
}

static bool set_transport(CURL *easy, const struct upstream_config *config)
{
    const struct upstream_target *target = &config->target;
    bool ok = true;
#define SET(option, value) ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok
    SET(CURLOPT_URL, target->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    /* A name that does not resolve is left to its thread; else its call's end waits for it, and
     * the whole worker with it. */
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_BUFFERSIZE, 16384L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)config->timeouts.connect);
    if (config->timeouts.idle > 0)
        SET(CURLOPT_MAXAGE_CONN, (long)((config->timeouts.idle + 999) / 1000));
    else
        SET(CURLOPT_FORBID_REUSE, 1L);
    if (target->unix_socket != NULL)
        SET(CURLOPT_UNIX_SOCKET_PATH, target->unix_socket);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    return ok;
}

static bool set_request(struct exchange *x, const struct upstream_config *config)
{
    const struct upstream_target *target = &config->target;
    CURL *easy = x->easy;
    bool ok = true;
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_READFUNCTION, read_body);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_SEEKFUNCTION, seek_body);
    SET(CURLOPT_SEEKDATA, x);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, x);
    SET(CURLOPT_HEADERFUNCTION, take_head_line);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, take_data);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_ERRORBUFFER, x->error);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    SET(CURLOPT_USERAGENT,
        config->user_agent != NULL ? config->user_agent : "rpcgate/" RPCGATE_VERSION);
    if (target->username != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, target->username);
        SET(CURLOPT_PASSWORD, target->password != NULL ? target->password : "");
    }
    return ok;
}

struct exchange *exchange_new(struct upstream *u)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    list_init(&x->member);
    x->upstream = u;
    buf_init(&x->flat, FLAT_BODY_MAX, NULL);
    buf_init(&x->lines, OWN_LINES_MAX, NULL);
    buf_init(&x->late, LATE_ANSWER_MAX, NULL);
    x->easy = curl_easy_init();
    if (x->easy == NULL || !set_transport(x->easy, u->config) || !set_request(x, u->config) ||
        !sockets_attach_easy(x))
        abort(); /* no memory, or a libcurl without what configure has checked */
    return x;
}

void exchange_free(struct exchange *x)
{
    curl_easy_cleanup(x->easy);
    buf_done(&x->flat);
    buf_done(&x->lines);
    buf_done(&x->late);
    free(x);
}

/* A header that libcurl would send as more than one line, or that is too long, is left out. */
static void add_line(struct exchange *x, const char *name, struct str value)
{
    if (value.len == 0 || x->lines.len + strlen(name) + value.len + 3 > OWN_LINES_MAX ||
        memchr(value.data, '\r', value.len) != NULL ||
        memchr(value.data, '\n', value.len) != NULL || memchr(value.data, '\0', value.len) != NULL)
        return;
    buf_append_c(&x->lines, name);
    buf_append(&x->lines, STR(": "));
    buf_append(&x->lines, value);
    buf_append_byte(&x->lines, '\0');
}

/* This call's own header lines, before those of every request. */
static struct curl_slist *own_headers(struct exchange *x)
{
    buf_clear(&x->lines);
    if (!x->upstream->has_content_type)
        add_line(x, "Content-Type", str_of(x->call->content_type));
    add_line(x, "traceparent", x->call->traceparent);
    if (x->call->traceparent.len > 0)
        add_line(x, "tracestate", x->call->tracestate);

    struct curl_slist *list = x->upstream->headers;
    size_t end = x->lines.len;
    for (size_t i = ARRAY_LEN(x->own); i > 0 && end > 0; i--) {
        size_t start = end - 1;
        while (start > 0 && x->lines.data[start - 1] != '\0')
            start--;
        x->own[i - 1] = (struct curl_slist){ .data = x->lines.data + start, .next = list };
        list = &x->own[i - 1];
        end = start;
    }
    return list;
}

/* The body in one piece, or NULL: libcurl asks read_body() for it. */
static const char *flat_body(struct exchange *x, size_t len)
{
    const struct chain *body = x->call->body;
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

bool exchange_prepare(struct exchange *x, int64_t now_ms)
{
    CURL *easy = x->easy;
    size_t len = chain_len(x->call->body);
    int64_t left_ms = x->call->deadline_ms == CLOCK_NEVER ? 0 : x->call->deadline_ms - now_ms;
    bool ok = true;

    response_head_start(&x->head);
    x->cursor = (struct chain_cursor){ 0 };
    x->began = false;
    x->refused = false;
    x->stopped = false;
    buf_clear(&x->late);
    x->error[0] = '\0';
    SET(CURLOPT_HTTPHEADER, own_headers(x));
    SET(CURLOPT_POSTFIELDS, flat_body(x, len));
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, len > FLAT_BODY_MAX ? UPLOAD_LARGE : UPLOAD_SMALL);
    SET(CURLOPT_TIMEOUT_MS, (long)(left_ms < INT_MAX ? left_ms : INT_MAX));
    return ok;
}
