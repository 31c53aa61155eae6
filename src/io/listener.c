/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener_inside.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

bool listener_fail(char **reterr, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(reterr, format, args) < 0)
        *reterr = xstrdup("no memory for an error message");
    va_end(args);
    return false;
}

void listener_key(const struct listen_config *config, char key[LISTENER_KEY])
{
    const char *tls = config->tls.present ? "tls:" : "";
    if (config->unix != NULL)
        snprintf(key, LISTENER_KEY, "unix:%s", config->unix);
    else if (config->systemd != NULL)
        snprintf(key, LISTENER_KEY, "systemd:%s%s", tls, config->systemd);
    else
        snprintf(key, LISTENER_KEY, "tcp:%s%lld:%s", tls, (long long)config->port, config->address);
}

void listener_name_tcp(struct listener *l, const union listener_address *address,
                       const struct listen_config *config)
{
    const char *scheme = config->tls.present ? "https" : "http";
    char ip[INET6_ADDRSTRLEN] = "";
    bool is_v6 = address->any.sa_family == AF_INET6;
    const void *bytes = is_v6 ? (const void *)&address->in6.sin6_addr : &address->in.sin_addr;
    inet_ntop(address->any.sa_family, bytes, ip, sizeof ip);
    l->port = ntohs(is_v6 ? address->in6.sin6_port : address->in.sin_port);
    if (config->origins[LISTEN_address].hidden || config->origins[LISTEN_port].hidden)
        snprintf(l->name, sizeof l->name, "%s://*** (line %u)", scheme, config->place.line);
    else
        snprintf(l->name, sizeof l->name, "%s://%s%s%s:%u", scheme, is_v6 ? "[" : "", ip,
                 is_v6 ? "]" : "", l->port);
}

static void begin(const struct listener_options *options, struct listener *l)
{
    *l = (struct listener){ .n = options->n_workers };
    listener_key(options->config, l->key);
    l->fds = xcalloc(l->n, sizeof *l->fds);
    for (size_t i = 0; i < l->n; i++)
        l->fds[i] = -1;
}

bool listener_open(const struct listener_options *options, struct listener *ret, char **reterr)
{
    struct listener l;
    begin(options, &l);
    l.is_unix = l.is_shared = options->config->unix != NULL;
    if (l.is_unix ? listener_open_unix(options->config, &l, reterr)
                  : listener_open_tcp(options, &l, reterr)) {
        *ret = l;
        return true;
    }
    listener_close(&l, /* unlink_path */ false);
    return false;
}

static bool is_loopback(const union listener_address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

/* Finds out what the socket is, and names the listener after it. */
static bool examine(const struct listener_options *options, int fd, struct listener *l,
                    char **reterr)
{
    const char *name = listener_told(options->config, LISTEN_systemd);
    union {
        union listener_address tcp;
        struct sockaddr_un un;
    } a = { .un = { .sun_family = AF_UNSPEC } };
    socklen_t len = sizeof a, type_len = sizeof(int), accepts_len = sizeof(int);
    int type = 0, accepts = 0;
    if (getsockname(fd, &a.tcp.any, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &accepts_len) != 0 ||
        type != SOCK_STREAM || accepts == 0)
        return listener_fail(reterr,
                             "the socket \"%s\" does not listen for connections: give its socket "
                             "unit ListenStream=, and Accept=no",
                             name);
    if (a.un.sun_family == AF_UNIX) {
        size_t path_len = len - offsetof(struct sockaddr_un, sun_path);
        l->is_unix = true;
        snprintf(l->name, sizeof l->name, "unix:%.*s", (int)path_len, a.un.sun_path);
        return true;
    }
    if (a.tcp.any.sa_family != AF_INET && a.tcp.any.sa_family != AF_INET6)
        return listener_fail(reterr, "the socket \"%s\" is neither TCP nor a unix socket", name);
    listener_name_tcp(l, &a.tcp, options->config);
    l->faces_network = !is_loopback(&a.tcp);
    return true;
}

bool listener_take(const struct listener_options *options, int fd, struct listener *ret,
                   char **reterr)
{
    struct listener l;
    begin(options, &l);
    l.is_shared = l.is_given = true;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    for (size_t i = 0; i < l.n; i++)
        l.fds[i] = own;
    if (own < 0 || fcntl(own, F_SETFL, O_NONBLOCK) != 0)
        listener_fail(reterr, "cannot listen on the socket \"%s\": %s",
                      listener_told(options->config, LISTEN_systemd), strerror(errno));
    else if (examine(options, own, &l, reterr)) {
        *ret = l;
        return true;
    }
    listener_close(&l, /* unlink_path */ false);
    return false;
}

/* The path goes first: while the socket listens nobody else can have taken its place. */
void listener_close(struct listener *l, bool unlink_path)
{
    if (l->fds == NULL)
        return;
    if (l->is_unix && !l->is_given && unlink_path)
        unlink(l->key + strlen("unix:"));
    for (size_t i = 0; i < l->n; i++)
        if (l->fds[i] >= 0 && (i == 0 || !l->is_shared))
            close(l->fds[i]);
    free(l->fds);
    l->fds = NULL;
}
