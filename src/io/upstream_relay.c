/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_relay.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Most heads are smaller, and what follows is copied in vain. [bytes] */
#define PEEK_SMALL ((size_t)2 * 1024)

/* Pieces in one direction before others get their turn. */
#define ROUNDS 4

struct relay_end {
    struct loop_source source;
    uint32_t registered; /* epoll events; 0: not on the loop */
    struct relay *relay;
};

struct relay_way {
    struct relay_end *from, *to;
    bool in_head; /* what has come is kept until it was looked at */
    bool ended;   /* nothing more comes */
    bool told;    /* the other side knows */
    bool failed;  /* nobody takes what comes */
    size_t at, len;
    char bytes[LOOK_MAX];
};

struct relay {
    struct list member;
    struct loop *loop; /* borrowed */
    int fd;            /* libcurl's number */
    struct relay_end server, client;
    struct relay_way down, up;
};

enum look_result relay_peek(int fd)
{
    char bytes[LOOK_MAX];
    size_t ignored;
    enum look_result result = LOOK_MORE;
    for (size_t size = PEEK_SMALL; size <= sizeof bytes; size = sizeof bytes) {
        ssize_t n = recv(fd, bytes, size, MSG_PEEK | MSG_DONTWAIT);
        if (n <= 0)
            return LOOK_FINE;
        result = look_at_head((struct str){ bytes, (size_t)n }, &ignored);
        if (result != LOOK_MORE || (size_t)n < size)
            break;
    }
    return result;
}

static void take(struct relay_way *way)
{
    if (way->ended || (way->len > 0 && !way->in_head))
        return;
    ssize_t n = recv(way->from->source.fd, way->bytes + way->len, sizeof way->bytes - way->len,
                     MSG_DONTWAIT);
    if (n > 0)
        way->len += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        way->ended = true;
}

/* What is mended is shorter, so it finds room. */
static void look(struct relay_way *way)
{
    size_t len = 0;
    enum look_result result = look_at_head((struct str){ way->bytes, way->len }, &len);
    if (result == LOOK_MORE && !way->ended)
        return;
    way->in_head = false;
    if (result != LOOK_MEND)
        return;
    struct buf mended;
    buf_init(&mended, len, NULL);
    look_mend((struct str){ way->bytes, len }, &mended);
    memcpy(way->bytes, mended.data, mended.len);
    memmove(way->bytes + mended.len, way->bytes + len, way->len - len);
    way->len -= len - mended.len;
    buf_done(&mended);
}

static void give_up(struct relay_way *way)
{
    way->ended = true;
    way->failed = true;
    way->len = 0;
}

static void give(struct relay_way *way)
{
    while (!way->in_head && way->at < way->len) {
        ssize_t n = send(way->to->source.fd, way->bytes + way->at, way->len - way->at,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0)
            way->at += (size_t)n;
        else if (errno != EINTR)
            give_up(way);
    }
    if (way->in_head)
        return;
    way->at = 0;
    way->len = 0;
    if (way->ended && !way->told)
        shutdown(way->to->source.fd, SHUT_WR);
    way->told = way->ended;
}

static void run_way(struct relay_way *way)
{
    for (int round = 0; round < ROUNDS && !way->told; round++) {
        take(way);
        if (way->in_head)
            look(way);
        give(way);
    }
}

/* Without any it leaves the loop, which would report an end for ever. */
static void set_events(struct relay_end *end, uint32_t events)
{
    struct loop *loop = end->relay->loop;
    bool done = true;
    if (events == end->registered)
        return;
    if (events == 0)
        loop_remove(loop, &end->source);
    else if (end->registered == 0)
        done = loop_add(loop, &end->source, events);
    else
        done = loop_change(loop, &end->source, events);
    if (done)
        end->registered = events;
}

static bool wants_more(const struct relay_way *way)
{
    return !way->ended && (way->in_head || way->len == 0);
}

static bool has_some(const struct relay_way *way)
{
    return !way->in_head && way->len > 0;
}

/* Nobody takes the request any more: libcurl is to know, but first what the server had to say. */
static void refuse_more(struct relay *r)
{
    run_way(&r->down);
    shutdown(r->client.source.fd, SHUT_RD);
    r->up.failed = false;
}

static void run(struct relay *r)
{
    run_way(&r->down);
    run_way(&r->up);
    if (r->up.failed)
        refuse_more(r);
    set_events(&r->server, (wants_more(&r->down) ? (uint32_t)EPOLLIN : 0) |
                               (has_some(&r->up) ? (uint32_t)EPOLLOUT : 0));
    set_events(&r->client, (wants_more(&r->up) ? (uint32_t)EPOLLIN : 0) |
                               (has_some(&r->down) ? (uint32_t)EPOLLOUT : 0));
}

static void on_ready(struct loop_source *source, uint32_t events)
{
    (void)events;
    run(CONTAINER_OF(source, struct relay_end, source)->relay);
}

static void end_init(struct relay *r, struct relay_end *end, int fd)
{
    end->source = (struct loop_source){ .fd = fd, .ready = on_ready };
    end->relay = r;
}

void relay_start(struct list *relays, struct loop *loop, int fd)
{
    int pair[2];
    int server = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (server < 0)
        return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        close(server);
        return;
    }
    if (dup3(pair[0], fd, O_CLOEXEC) < 0) {
        close(server);
        close(pair[0]);
        close(pair[1]);
        return;
    }
    close(pair[0]);
    struct relay *r = xcalloc(1, sizeof *r);
    r->loop = loop;
    r->fd = fd;
    end_init(r, &r->server, server);
    end_init(r, &r->client, pair[1]);
    r->down.from = r->up.to = &r->server;
    r->down.to = r->up.from = &r->client;
    r->down.in_head = true;
    list_add_last(relays, &r->member);
    run(r);
}

static struct relay *find(const struct list *relays, int fd)
{
    for (const struct list *at = relays->next; at != relays; at = at->next) {
        struct relay *r = CONTAINER_OF(at, struct relay, member);
        if (r->fd == fd)
            return r;
    }
    return NULL;
}

bool relay_is_behind(const struct list *relays, int fd)
{
    return find(relays, fd) != NULL;
}

void relay_end(struct list *relays, int fd)
{
    struct relay *r = find(relays, fd);
    if (r == NULL)
        return;
    set_events(&r->server, 0);
    set_events(&r->client, 0);
    close(r->server.source.fd);
    close(r->client.source.fd);
    list_remove(&r->member);
    free(r);
}
