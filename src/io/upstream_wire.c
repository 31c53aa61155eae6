/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that libcurl has opened and that carry our own HTTP. libcurl closes one when its
 * handle is taken out of the multi handle, so that stays there; nothing else of libcurl's knows of
 * it any more. Its socket is on the loop, edge-triggered, from its first day to its last.
 *
 * Without TLS bytes go through the socket itself: then it is known whether one was sent. With TLS,
 * to the server or to a proxy, they go through libcurl's curl_easy_send() and curl_easy_recv(). */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/upstream_goodbye.h"
#include "io/upstream_http1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define IOVECS 32

struct io_result wire_read(struct wire *w, char *to, size_t size)
{
    size_t n = 0;
    if (w->is_tls) {
        CURLcode rc = curl_easy_recv(w->easy, to, size, &n);
        enum io_state state = rc == CURLE_OK ? IO_DONE : rc == CURLE_AGAIN ? IO_AGAIN : IO_FAILED;
        return (struct io_result){ .state = state, .n = n };
    }
    ssize_t got = recv(w->source.fd, to, size, MSG_DONTWAIT);
    if (got >= 0)
        return (struct io_result){ .state = IO_DONE, .n = (size_t)got };
    if (errno == EAGAIN || errno == EINTR)
        return (struct io_result){ .state = IO_AGAIN };
    char text[80];
    snprintf(w->error, sizeof w->error, "Recv failure: %s", strerror_r(errno, text, sizeof text));
    return (struct io_result){ .state = IO_FAILED };
}

static size_t fill_iovecs(const struct outgoing *out, struct iovec iov[IOVECS])
{
    size_t n = 0, at = out->block_at;
    if (out->head_at < out->head.len)
        iov[n++] = (struct iovec){ out->head.data + out->head_at, out->head.len - out->head_at };
    for (const struct chain_block *b = out->block; b != NULL && n < IOVECS; b = b->next) {
        if (b->len > at)
            iov[n++] = (struct iovec){ (char *)(uintptr_t)b->data + at, b->len - at };
        at = 0;
    }
    return n;
}

static void advance(struct outgoing *out, size_t n)
{
    size_t head = out->head.len - out->head_at;
    out->n_sent += n;
    if (head > n)
        head = n;
    out->head_at += head;
    n -= head;
    while (out->block != NULL && n >= out->block->len - out->block_at) {
        n -= out->block->len - out->block_at;
        out->block = out->block->next;
        out->block_at = 0;
    }
    out->block_at += n;
}

static bool is_all(const struct outgoing *out)
{
    return out->head_at == out->head.len && out->block == NULL && out->piece_at == out->piece_len;
}

static struct io_result send_plain(struct wire *w, struct outgoing *out)
{
    while (!is_all(out)) {
        struct iovec iov[IOVECS];
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = fill_iovecs(out, iov) };
        ssize_t n = sendmsg(w->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return (struct io_result){ .state = IO_AGAIN };
        if (n < 0) {
            char text[80];
            snprintf(w->error, sizeof w->error, "Send failure: %s",
                     strerror_r(errno, text, sizeof text));
            return (struct io_result){ .state = IO_FAILED };
        }
        out->may_be_sent |= n > 0;
        advance(out, (size_t)n);
    }
    return (struct io_result){ .state = IO_DONE };
}

static void next_piece(struct outgoing *out)
{
    struct iovec iov[IOVECS];
    size_t n = fill_iovecs(out, iov);
    if (out->piece == NULL)
        out->piece = xcalloc(1, WIRE_PIECE_BYTES);
    out->piece_at = out->piece_len = 0;
    for (size_t i = 0; i < n && out->piece_len < WIRE_PIECE_BYTES; i++) {
        size_t len = iov[i].iov_len, room = WIRE_PIECE_BYTES - out->piece_len;
        if (len > room)
            len = room;
        memcpy(out->piece + out->piece_len, iov[i].iov_base, len);
        out->piece_len += len;
    }
    advance(out, out->piece_len);
}

/* What TLS has not confirmed may be on its way all the same. */
static struct io_result send_tls(struct wire *w, struct outgoing *out)
{
    while (!is_all(out)) {
        size_t n = 0;
        if (out->piece_at == out->piece_len)
            next_piece(out);
        out->may_be_sent = true;
        CURLcode rc =
            curl_easy_send(w->easy, out->piece + out->piece_at, out->piece_len - out->piece_at, &n);
        if (rc != CURLE_OK)
            return (struct io_result){ .state = rc == CURLE_AGAIN ? IO_AGAIN : IO_FAILED };
        out->piece_at += n;
    }
    return (struct io_result){ .state = IO_DONE };
}

void outgoing_wipe(struct outgoing *out)
{
    if (out->piece != NULL)
        explicit_bzero(out->piece, WIRE_PIECE_BYTES);
    free(TAKE(out->piece));
}

struct io_result wire_send(struct wire *w, struct outgoing *out)
{
    w->error[0] = '\0';
    struct io_result sent = w->is_tls ? send_tls(w, out) : send_plain(w, out);
    if (sent.state == IO_DONE)
        outgoing_wipe(out);
    return sent;
}

void wire_close(struct wire *w)
{
    struct multi *m = w->multi;
    loop_remove(m->all->loop, &w->source);
    list_remove(&w->in_idle);
    list_remove(&w->in_all);
    if (w->says_goodbye)
        goodbye_send(w->easy, w->source.fd);
    curl_multi_remove_handle(m->curl, w->easy);
    curl_easy_cleanup(w->easy);
    m->n--;
    if (m->n == 0)
        m->due_ms = clock_now_ms() + m->upstream->idle_ms;
    if (w->in_idle_count)
        m->upstream->n_idle--;
    free(w);
}

static int64_t rested_us(const struct wire *w)
{
    return clock_now_us() - w->since_us;
}

/* It carries nothing: an end, or what nobody has asked for, is the end of it. TLS has messages of
 * its own, such as tickets, which reading takes off. */
static bool wire_is_alive(struct wire *w)
{
    char byte;
    struct io_result got = { .state = IO_FAILED };
    if (w->is_tls) {
        got = wire_read(w, &byte, 1);
    } else if (recv(w->source.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) {
        got.state = IO_AGAIN;
    }
    if (got.state != IO_AGAIN && w->carried)
        kept_tell_ended(w->multi->upstream, rested_us(w));
    return got.state == IO_AGAIN;
}

static void on_ready(struct loop_source *source, uint32_t events)
{
    struct wire *w = CONTAINER_OF(source, struct wire, source);
    w->has_ended |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (w->x != NULL)
        http1_ready(w->x);
    else if ((events & ~(uint32_t)EPOLLOUT) != 0 && !wire_is_alive(w))
        wire_close(w);
}

/* From here on the handle has nothing of the exchange that has opened it. */
static bool forget_exchange(CURL *easy, struct wire *w)
{
    return curl_easy_setopt(easy, CURLOPT_VERBOSE, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, w->error) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_RESOLVE, NULL) == CURLE_OK;
}

static bool begins_with(const char *url, struct str scheme)
{
    return url != NULL && str_starts_with_nocase(str_of(url), scheme);
}

static bool is_by_tls_proxy(const struct exchange *x)
{
    return x->upstream->hosts[x->call->target].by_proxy &&
           begins_with(x->upstream->config->proxy_target.url, STR("https:"));
}

struct wire *wire_adopt(struct exchange *x)
{
    struct upstreams *all = x->upstream->all;
    struct wire *w = xcalloc(1, sizeof *w);
    curl_socket_t fd = CURL_SOCKET_BAD;
    list_init(&w->in_idle);
    list_init(&w->in_all);
    bool to_server = begins_with(x->target->url, STR("https:")), to_proxy = is_by_tls_proxy(x);
    w->is_tls = to_server || to_proxy;
    w->says_goodbye = to_server != to_proxy; /* of one within the other libcurl shows the inner */
    w->target = x->call->target;
    w->opened_us = w->since_us = clock_now_us();
    w->easy = TAKE(x->easy);
    w->multi = TAKE(x->multi);
    curl_easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd);
    sockets_leave(x, w->multi);
    sockets_forget(all, fd);
    w->source = (struct loop_source){ .fd = fd, .ready = on_ready };
    list_add_last(&x->upstream->wires, &w->in_all);
    if (forget_exchange(w->easy, w) && fd != CURL_SOCKET_BAD &&
        loop_add(all->loop, &w->source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))
        return w;
    wire_close(w);
    return NULL;
}

/* Until when it may rest, by timeouts.idle and timeouts.max_age. */
static int64_t end_us(const struct upstream *u, const struct wire *w)
{
    const struct upstream_config *config = u->config;
    int64_t idle_us = w->since_us + config->timeouts.idle * 1000;
    int64_t age_us = w->opened_us + config->timeouts.max_age * 1000;
    return config->timeouts.max_age > 0 ? clock_min(idle_us, age_us) : idle_us;
}

static bool is_too_old(const struct upstream *u, const struct wire *w)
{
    return clock_now_us() >= end_us(u, w);
}

/* Rounded up, so that it is over then. */
static int64_t end_ms(const struct upstream *u, const struct wire *w)
{
    return end_us(u, w) / 1000 + 1;
}

static void note_due(struct upstreams *all, int64_t due_ms)
{
    all->wires_due_ms = clock_min(all->wires_due_ms, due_ms);
}

void wire_rest(struct wire *w)
{
    struct upstream *u = w->multi->upstream;
    w->x = NULL;
    w->since_us = clock_now_us();
    if (is_too_old(u, w) || (w->has_ended && !wire_is_alive(w))) {
        wire_close(w);
        return;
    }
    list_add_first(&u->idle, &w->in_idle);
    w->in_idle_count = true;
    u->n_idle++;
    if (u->n_idle > (size_t)u->config->pool.max_connections)
        wire_close(CONTAINER_OF(u->idle.prev, struct wire, in_idle));
    note_due(u->all, end_ms(u, w));
}

/* As upstream_kept.c chooses among libcurl's: those that are not too old for what is known of the
 * upstream; where there is none of them the oldest stays as a witness, and is not used. */
static struct wire *find_young(struct upstream *u, size_t target, int64_t limit_us, bool *ret_once)
{
    struct wire *found = NULL, *witness = NULL;
    LIST_EACH (&u->idle, at, following) {
        struct wire *w = CONTAINER_OF(at, struct wire, in_idle);
        bool is_young = rested_us(w) < limit_us;
        if (found == NULL && is_young && w->target != target)
            continue;
        if (found != NULL && is_young)
            continue;
        if (is_too_old(u, w) || !wire_is_alive(w)) {
            wire_close(w);
            continue;
        }
        if (is_young) {
            found = w;
            if (limit_us == KEEPING_ALL)
                break;
            continue;
        }
        kept_tell_alive(u, rested_us(w));
        if (witness != NULL) /* this one is older */
            wire_close(witness);
        witness = w;
    }
    if (witness != NULL && (found != NULL || u->config->pool.max_connections == 1)) {
        wire_close(witness);
        witness = NULL;
    }
    *ret_once = witness != NULL && limit_us == 0;
    return found;
}

struct wire *wire_find(struct exchange *x)
{
    struct upstream *u = x->upstream;
    bool once = false;
    x->once = u->config->timeouts.idle == 0 || upstream_shared_has_strange_heads(u->shared) ||
              u->config->targets[x->call->target].scgi;
    if (x->once)
        return NULL;
    int64_t limit_us = keeping_limit_us(upstream_shared_keeping(u->shared));
    struct wire *w = find_young(u, x->call->target, limit_us, &once);
    x->once |= once;
    if (w == NULL)
        return NULL;
    list_remove(&w->in_idle);
    w->in_idle_count = false;
    u->n_idle--;
    return w;
}

void wires_close(struct upstream *u)
{
    LIST_EACH (&u->wires, at, following)
        wire_close(CONTAINER_OF(at, struct wire, in_all));
}

/* Those of one upstream that have rested for too long, or are too old; when the next will be. */
static int64_t sweep(struct upstream *u, int64_t now_ms)
{
    int64_t due_ms = CLOCK_NEVER;
    LIST_EACH (&u->idle, at, following) {
        struct wire *w = CONTAINER_OF(at, struct wire, in_idle);
        if (end_ms(u, w) <= now_ms)
            wire_close(w);
        else
            due_ms = clock_min(due_ms, end_ms(u, w));
    }
    return due_ms;
}

void wires_run(struct upstreams *all)
{
    int64_t now_ms = clock_now_ms();
    if (all->wires_due_ms > now_ms)
        return;
    all->wires_due_ms = CLOCK_NEVER;
    LIST_EACH (&all->clients, at, following)
        note_due(all, sweep(CONTAINER_OF(at, struct upstream, in_clients), now_ms));
}
