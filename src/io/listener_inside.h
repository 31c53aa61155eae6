/* SPDX-License-Identifier: Apache-2.0 */
/* The listeners' inside, for io/listener*.c only. */
#ifndef RPCGATE_IO_LISTENER_INSIDE_H
#define RPCGATE_IO_LISTENER_INSIDE_H

#include "io/listener.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* Connections that may wait for a worker; the kernel lowers it to net.core.somaxconn. */
#define LISTENER_BACKLOG 4096

#define LISTENER_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

union listener_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Sets the sentence and returns false, so that failing is one expression. */
bool listener_fail(char **reterr, const char *format, ...) PRINTF_LIKE(2, 3);

/* Names a TCP listener after that address, unless that is a secret of the entry. */
void listener_name_tcp(struct listener *l, const union listener_address *address,
                       const struct listen_config *config);

/* Its path, group or `systemd` as messages have it. */
static inline const char *listener_told(const struct listen_config *config, enum listen_index which)
{
    return origin_told(&config->origins[which], which == LISTEN_unix      ? config->unix
                                                : which == LISTEN_group   ? config->group
                                                : which == LISTEN_systemd ? config->systemd
                                                                          : config->address);
}

/* listener_tcp.c, listener_unix.c: open the sockets of `l`, which knows how many. */
bool listener_open_tcp(const struct listener_options *options, struct listener *l,
                       char **reterr) MUST_CHECK;
bool listener_open_unix(const struct listen_config *config, struct listener *l,
                        char **reterr) MUST_CHECK;

#endif
