/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "io/http_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* More supplementary groups than a process usually has; where there are more, the system says so.
 */
#define GROUPS_FIRST ((size_t)32)

/* What the process was and was in when it connected (unix(7)). */
static void ask_groups(int fd, struct http_peer *peer)
{
    socklen_t size = (socklen_t)(GROUPS_FIRST * sizeof(gid_t));
    peer->groups = xcalloc(1, size);
    int failed = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size);
    if (failed != 0 && errno == ERANGE) {
        peer->groups = xreallocarray(peer->groups, size, 1);
        failed = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size);
    }
    peer->is.groups = peer->groups;
    peer->is.n_groups = failed == 0 ? size / sizeof(gid_t) : 0;
}

static void ask_process(int fd, struct http_peer *peer)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return;
    peer->is.known = true;
    peer->is.uid = who.uid;
    peer->is.gid = who.gid;
    ask_groups(fd, peer);
}

void http_peer_address(const struct sockaddr *address, char ret[INET6_ADDRSTRLEN])
{
    const void *pointer = address;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)pointer)->sin_addr, ret, INET6_ADDRSTRLEN);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)pointer)->sin6_addr, ret,
                  INET6_ADDRSTRLEN);
}

static void ask_address(int fd, struct http_peer *peer)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } address;
    socklen_t size = sizeof address;
    if (getpeername(fd, &address.any, &size) != 0)
        return;
    http_peer_address(&address.any, peer->ip);
    peer->is.ip = str_of(peer->ip);
}

static struct http_peer *ask(struct http_connection *c)
{
    struct http_peer *peer = xcalloc(1, sizeof *peer);
    peer->is.is_unix = c->server->local.is_unix;
    if (peer->is.is_unix)
        ask_process(c->fd, peer);
    else
        ask_address(c->fd, peer);
    if (c->server->has_tls) {
        peer->is.cert = http_tls_peer(c, &peer->subject);
        if (peer->subject != NULL)
            peer->is.subject = str_of(peer->subject);
    }
    return peer;
}

const struct request_peer *http_peer(struct http_exchange *x)
{
    struct http_connection *c = http_connection_of(x);
    if (c->peer == NULL)
        c->peer = ask(c);
    return &c->peer->is;
}

void http_peer_free(struct http_peer *peer)
{
    if (peer == NULL)
        return;
    free(peer->groups);
    free(peer->subject);
    free(peer);
}
