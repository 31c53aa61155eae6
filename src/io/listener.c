/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Connections that may wait for a worker; the kernel lowers it to net.core.somaxconn. */
#define BACKLOG 4096

/* Room for a group's names and members. [bytes] */
#define GROUP_BYTES ((size_t)64 * 1024)

#define SOCKET_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Sets the sentence and returns false, so that failing is one expression. */
PRINTF_LIKE(2, 3) static bool fail(char **reterr, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(reterr, format, args) < 0)
        *reterr = xstrdup("no memory for an error message");
    va_end(args);
    return false;
}

static bool parse_address(const struct listen_config *config, union address *ret,
                          socklen_t *ret_len)
{
    uint16_t port = htons((uint16_t)config->port);
    *ret = (union address){ .any = { .sa_family = AF_UNSPEC } };
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

/* SO_REUSEADDR: a restart need not wait for old connections to leave TIME_WAIT. IPV6_V6ONLY: "::"
 * and "0.0.0.0" are two listeners, whatever the system's default is. */
static int tcp_socket(const union address *address, socklen_t len)
{
    int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return -1;
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
    if (good && address->any.sa_family == AF_INET6)
        good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    if (good && bind(fd, &address->any, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* SO_REUSEPORT would also let us share the port with another process of the same user, which would
 * then get half of the connections. A first bind without it finds that out. */
static bool port_is_free(const union address *address, socklen_t len)
{
    int on = 1;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return false;
    bool is_free = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    if (is_free && address->any.sa_family == AF_INET6)
        is_free = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    is_free = is_free && bind(fd, &address->any, len) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return is_free;
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
    return fail(reterr, "cannot listen on %s port %lld: %s%s", config->address,
                (long long)config->port, strerror(errno), hint);
}

static unsigned port_of(int fd)
{
    union address address = { .any = { .sa_family = AF_UNSPEC } };
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.in6.sin6_port : address.in.sin_port);
}

static void set_port(union address *address, unsigned port)
{
    if (address->any.sa_family == AF_INET6)
        address->in6.sin6_port = htons((uint16_t)port);
    else
        address->in.sin_port = htons((uint16_t)port);
}

static bool open_tcp(const struct listen_config *config, struct listener *l, char **reterr)
{
    union address address;
    socklen_t len;
    if (!parse_address(config, &address, &len))
        return fail(reterr, "cannot listen on \"%s\": `address` must be an IPv4 or IPv6 address",
                    config->address);
    if (config->port != 0 && !port_is_free(&address, len))
        return fail_tcp(config, reterr);
    for (size_t i = 0; i < l->n; i++) {
        l->fds[i] = tcp_socket(&address, len);
        if (l->fds[i] < 0)
            return fail_tcp(config, reterr);
        if (i == 0)
            l->port = port_of(l->fds[0]);
        set_port(&address, l->port);
    }
    bool v6 = address.any.sa_family == AF_INET6;
    snprintf(l->name, sizeof l->name, "%s://%s%s%s:%u", config->tls.present ? "https" : "http",
             v6 ? "[" : "", config->address, v6 ? "]" : "", l->port);
    return true;
}

static bool find_group(const char *name, gid_t *ret, char **reterr)
{
    struct group entry, *found = NULL;
    CLEANUP(free_charp) char *names = xcalloc(1, GROUP_BYTES);
    int error = getgrnam_r(name, &entry, names, GROUP_BYTES, &found);
    if (found == NULL)
        return fail(reterr, "the group \"%s\" %s; create it, or set another `group`", name,
                    error == 0 ? "does not exist" : "cannot be looked up");
    *ret = found->gr_gid;
    return true;
}

/* A socket file outlives its process. One where nobody listens any more is removed. */
static bool remove_stale(const struct sockaddr_un *address, char **reterr)
{
    const char *path = address->sun_path;
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
        return fail(reterr,
                    "cannot listen on %s: there is a file that is no socket; remove it, "
                    "or set another path",
                    path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return fail(reterr, "cannot make a socket: %s", strerror(errno));
    bool answered = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    int error = errno;
    close(fd);
    if (answered || error == EAGAIN)
        return fail(reterr,
                    "cannot listen on %s: another process answers there; stop it, or set "
                    "another path",
                    path);
    if (error != ECONNREFUSED && error != ENOENT)
        return fail(reterr, "cannot listen on %s: %s", path, strerror(error));
    if (unlink(path) != 0 && errno != ENOENT)
        return fail(reterr, "cannot remove the old socket %s: %s", path, strerror(errno));
    return true;
}

/* The file begins with no right for anybody else, whatever the process's umask is; it gets its
 * group and mode before anybody can connect. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0177);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);
    int saved = errno;
    umask(before);
    errno = saved;
    return result;
}

static bool fail_unix(const char *path, char **reterr)
{
    const char *hint = "";
    if (errno == ENOENT)
        hint = "; its folder does not exist: create it (under systemd: RuntimeDirectory=)";
    else if (errno == EACCES || errno == EROFS)
        hint = "; this process must be allowed to write to its folder";
    return fail(reterr, "cannot listen on %s: %s%s", path, strerror(errno), hint);
}

static bool bind_unix(int fd, const struct sockaddr_un *address, char **reterr)
{
    if (bind_private(fd, address) == 0)
        return true;
    if (errno != EADDRINUSE)
        return fail_unix(address->sun_path, reterr);
    if (!remove_stale(address, reterr))
        return false;
    return bind_private(fd, address) == 0 || fail_unix(address->sun_path, reterr);
}

static bool hand_out(const struct listen_config *config, char **reterr)
{
    gid_t group = (gid_t)-1;
    if (config->group != NULL) {
        if (!find_group(config->group, &group, reterr))
            return false;
        if (chown(config->unix, (uid_t)-1, group) != 0)
            return fail(reterr, "cannot give %s to the group \"%s\": %s; run as a member of it",
                        config->unix, config->group, strerror(errno));
    }
    if (chmod(config->unix, (mode_t)config->mode) != 0)
        return fail(reterr, "cannot set the mode of %s: %s", config->unix, strerror(errno));
    return true;
}

static bool open_unix(const struct listen_config *config, struct listener *l, char **reterr)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(config->unix);
    if (len >= sizeof address.sun_path)
        return fail(reterr,
                    "cannot listen on %s: the path is %zu bytes long, a socket's may be %zu",
                    config->unix, len, sizeof address.sun_path - 1);
    memcpy(address.sun_path, config->unix, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCKET_FLAGS, 0);
    if (fd < 0)
        return fail(reterr, "cannot make a socket: %s", strerror(errno));
    for (size_t i = 0; i < l->n; i++)
        l->fds[i] = fd;
    if (!bind_unix(fd, &address, reterr))
        return false;
    if (hand_out(config, reterr) && (listen(fd, BACKLOG) == 0 || fail_unix(config->unix, reterr))) {
        snprintf(l->name, sizeof l->name, "unix:%s", config->unix);
        return true;
    }
    unlink(config->unix);
    return false;
}

bool listener_open(const struct listen_config *config, size_t n_workers, struct listener *ret,
                   char **reterr)
{
    struct listener l = { .config = config, .n = n_workers, .is_unix = config->unix != NULL };
    l.fds = xcalloc(n_workers, sizeof *l.fds);
    for (size_t i = 0; i < n_workers; i++)
        l.fds[i] = -1;
    if (l.is_unix ? open_unix(config, &l, reterr) : open_tcp(config, &l, reterr)) {
        *ret = l;
        return true;
    }
    listener_close(&l, /* unlink_path */ false);
    return false;
}

/* The path goes first: while the socket listens nobody else can have taken its place. */
void listener_close(struct listener *l, bool unlink_path)
{
    if (l->is_unix && unlink_path)
        unlink(l->config->unix);
    for (size_t i = 0; i < l->n; i++)
        if (l->fds[i] >= 0 && (i == 0 || !l->is_unix))
            close(l->fds[i]);
    free(l->fds);
    *l = (struct listener){ .config = l->config, .is_unix = l->is_unix };
}
