/* SPDX-License-Identifier: Apache-2.0 */
/* Taking callers in. The library could do that itself, but where there are no descriptors left it
 * tries again and again, or waits until one of its own connections ends. */
#include "base/clock.h"
#include "base/log.h"
#include "io/http_connection.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Callers taken in one turn of the loop; more wait in the kernel for the next one. */
#define TURN_MAX 32

/* Without descriptors: when it is tried again if a connection was given up for that, and if none
 * could be; and how often it is told. [ms] */
#define SOON_MS 10
#define AGAIN_MS 100
#define TELL_MS 60000

/* Callers that are still taken in at the end: no more can have waited when it came. */
#define LAST_MAX 4096

#define EVENTS (EPOLLIN | EPOLLRDHUP)

static void on_callers(struct loop_source *source, uint32_t events)
{
    struct http_accept *a = CONTAINER_OF(source, struct http_accept, source);
    a->ready = true;
    a->hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

static bool has_room(const struct http_server *server)
{
    return http_server_connections(server) < server->limits.connections + server->reserve;
}

/* False where the loop has no room: then it is tried again. */
static void listen_now(struct http_server *server)
{
    struct http_accept *a = &server->accept;
    a->again_ms = CLOCK_NEVER;
    a->listens = loop_add(server->loop, &a->source, EVENTS);
    if (!a->listens)
        a->again_ms = clock_now_ms() + AGAIN_MS;
}

static void rest(struct http_server *server)
{
    struct http_accept *a = &server->accept;
    if (a->listens)
        loop_remove(server->loop, &a->source);
    a->listens = false;
    a->ready = false;
}

/* There is no descriptor, or no memory: one that can be spared makes room. What else there may be
 * goes by, or not. */
static void wait_for_room(struct http_server *server)
{
    struct http_accept *a = &server->accept;
    int64_t now_ms = clock_now_ms();
    if (a->told_ms == 0 || now_ms >= a->told_ms + TELL_MS) {
        bool is_limit = errno == EMFILE || errno == ENFILE;
        log_warn("no further caller can be taken in: %s%s", strerror(errno),
                 is_limit ? "; raise the limit (systemd: LimitNOFILE=), or lower limits.connections"
                          : "");
        a->told_ms = now_ms;
    }
    rest(server);
    a->again_ms = now_ms + (http_connections_give_up_one(server) ? SOON_MS : AGAIN_MS);
}

/* The socket has been ended from outside (it may be another process's, too), and would have events
 * for ever. A number that is no socket any more may have become somebody else's. */
static void end(struct http_server *server, int why)
{
    struct http_accept *a = &server->accept;
    int type = 0;
    socklen_t len = sizeof type;
    a->ended = why;
    if (getsockopt(a->source.fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
        a->source.fd = -1;
    http_accept_close(server);
}

/* False: nobody waits any more, or nobody can be taken in now. */
static bool take_one(struct http_server *server)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } from;
    socklen_t len = sizeof from;
    int fd = accept4(server->accept.source.fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        server->pending = true;
        (void)MHD_add_connection(server->daemon, fd, &from.any, len); /* closes it if it fails */
        return true;
    }
    switch (errno) {
    case EAGAIN:
        server->accept.ready = false;
        if (server->accept.hung_up) /* a unix socket, which has events for ever without an error */
            end(server, EINVAL);
        return false;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
        return true; /* that caller has left already: accept(2) */
    case EINVAL:
    case EBADF:
    case ENOTSOCK:
        end(server, errno);
        return false;
    default:
        wait_for_room(server);
        return false;
    }
}

bool http_accept_open(struct http_server *server, int listen_fd)
{
    struct http_accept *a = &server->accept;
    int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
    a->again_ms = CLOCK_NEVER;
    a->source = (struct loop_source){ .fd = fd, .ready = on_callers };
    a->listens = fd >= 0 && loop_add(server->loop, &a->source, EVENTS);
    return a->listens;
}

void http_accept_run(struct http_server *server)
{
    struct http_accept *a = &server->accept;
    if (a->source.fd < 0)
        return;
    bool is_time = a->again_ms == CLOCK_NEVER || a->again_ms <= loop_now_ms(server->loop);
    if (!a->listens && is_time && has_room(server))
        listen_now(server);
    for (int i = 0; i < TURN_MAX && a->ready && has_room(server); i++)
        if (!take_one(server))
            return;
    if (a->ready && !has_room(server))
        rest(server);
}

int64_t http_accept_deadline_ms(const struct http_server *server)
{
    const struct http_accept *a = &server->accept;
    bool may_listen = a->source.fd >= 0 && !a->listens && a->again_ms == CLOCK_NEVER;
    return may_listen && has_room(server) ? 0 : a->again_ms;
}

void http_accept_close(struct http_server *server)
{
    rest(server);
    if (server->accept.source.fd >= 0)
        close(server->accept.source.fd);
    server->accept.source.fd = -1;
    server->accept.again_ms = CLOCK_NEVER;
}

void http_accept_last(struct http_server *server)
{
    server->accept.ready = server->accept.source.fd >= 0;
    for (int i = 0; i < LAST_MAX && server->accept.ready && has_room(server); i++)
        if (!take_one(server))
            break;
    http_accept_close(server);
}

int http_server_ended(const struct http_server *server)
{
    return server->accept.ended;
}
