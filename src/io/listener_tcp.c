/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool parse_address(const struct listen_config *config, union listener_address *ret,
                          socklen_t *ret_len)
{
    uint16_t port = htons((uint16_t)config->port);
    *ret = (union listener_address){ .any = { .sa_family = AF_UNSPEC } };
    if (inet_pton(AF_INET, config->address, &ret->in.sin_addr) == 1) {
        ret->in.sin_family = AF_INET;
        ret->in.sin_port = port;
        *ret_len = sizeof ret->in;
        return true;
    }
    if (inet_pton(AF_INET6, config->address, &ret->in6.sin6_addr) == 1) {
        ret->in6.sin6_family = AF_INET6;
        ret->in6.sin6_port = port;
        *ret_len = sizeof ret->in6;
        return true;
    }
    return false;
}

static void set_port(union listener_address *address, unsigned port)
{
    if (address->any.sa_family == AF_INET6)
        address->in6.sin6_port = htons((uint16_t)port);
    else
        address->in.sin_port = htons((uint16_t)port);
}

static int close_failed(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* An address may come after us: by DHCP, or when IPv6 has found out that nobody else has it. What
 * bind(2) says of one that is not there is asked for first, though: see is_absent(). */
static bool bind_early(int fd, const union listener_address *address, socklen_t len)
{
    int on = 1;
    bool is_v6 = address->any.sa_family == AF_INET6;
    (void)setsockopt(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_FREEBIND : IP_FREEBIND,
                     &on, sizeof on);
    return bind(fd, &address->any, len) == 0;
}

/* SO_REUSEADDR: a restart need not wait for old connections to leave TIME_WAIT. IPV6_V6ONLY: "::"
 * and "0.0.0.0" are two listeners, whatever the system's default is. */
static int tcp_socket(const union listener_address *address)
{
    int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | LISTENER_FLAGS, 0);
    if (fd < 0)
        return -1;
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    if (good && address->any.sa_family == AF_INET6)
        good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    return good ? fd : close_failed(fd);
}

static int listening_socket(const union listener_address *address, socklen_t len)
{
    int on = 1;
    int fd = tcp_socket(address);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
        bind_early(fd, address, len) && listen(fd, LISTENER_BACKLOG) == 0)
        return fd;
    return close_failed(fd);
}

/* SO_REUSEPORT would also let us share the port with another process of the same user, which would
 * then get half of the connections. A first bind without it finds that out. */
static bool port_is_free(const union listener_address *address, socklen_t len)
{
    int fd = tcp_socket(address);
    if (fd < 0)
        return false;
    bool is_free = bind_early(fd, address, len);
    close_failed(fd);
    return is_free;
}

/* Is there no such address on this machine yet? */
static bool is_absent(union listener_address address, socklen_t len)
{
    int fd = tcp_socket(&address);
    set_port(&address, 0);
    if (fd < 0)
        return false;
    bool absent = bind(fd, &address.any, len) != 0 && errno == EADDRNOTAVAIL;
    close(fd);
    return absent;
}

static bool fail_tcp(const struct listen_config *config, char **reterr)
{
    const char *hint = "";
    if (errno == EADDRINUSE)
        hint = "; stop the program that listens there, or set another `port`";
    else if (errno == EACCES)
        hint = "; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
    else if (errno == EADDRNOTAVAIL)
        hint = "; `address` must be one of this machine's";
    if (config->origins[LISTEN_port].hidden)
        return listener_fail(reterr, "cannot listen on %s: %s%s",
                             listener_told(config, LISTEN_address), strerror(errno), hint);
    return listener_fail(reterr, "cannot listen on %s port %lld: %s%s",
                         listener_told(config, LISTEN_address), (long long)config->port,
                         strerror(errno), hint);
}

static unsigned port_of(int fd)
{
    union listener_address address = { .any = { .sa_family = AF_UNSPEC } };
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port : address.in.sin_port);
}

bool listener_open_tcp(const struct listener_options *options, struct listener *l, char **reterr)
{
    const struct listen_config *config = options->config;
    union listener_address address;
    socklen_t len;
    if (!parse_address(config, &address, &len))
        return listener_fail(reterr,
                             "cannot listen on \"%s\": `address` must be an IPv4 or IPv6 address",
                             listener_told(config, LISTEN_address));
    if (config->port != 0 && !options->shares_port && !port_is_free(&address, len))
        return fail_tcp(config, reterr);
    for (size_t i = 0; i < l->n; i++) {
        l->fds[i] = listening_socket(&address, len);
        if (l->fds[i] < 0)
            return fail_tcp(config, reterr);
        if (i == 0)
            set_port(&address, port_of(l->fds[0]));
    }
    l->is_early = is_absent(address, len);
    listener_name_tcp(l, &address, config);
    return true;
}
