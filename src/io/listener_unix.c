/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "io/listener_inside.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Room for a group's names and members. [bytes] */
#define GROUP_BYTES ((size_t)64 * 1024)

static bool find_group(const struct listen_config *config, gid_t *ret, char **reterr)
{
    const char *name = config->group;
    struct group entry, *found = NULL;
    CLEANUP(free_charp) char *names = xcalloc(1, GROUP_BYTES);
    int error = getgrnam_r(name, &entry, names, GROUP_BYTES, &found);
    if (found == NULL)
        return listener_fail(reterr, "the group \"%s\" %s; create it, or set another `group`",
                             listener_told(config, LISTEN_group),
                             error == 0 ? "does not exist" : "cannot be looked up");
    *ret = found->gr_gid;
    return true;
}

/* A socket file outlives its process. One where nobody listens any more is removed. */
static bool remove_stale(const struct listen_config *config, const struct sockaddr_un *address,
                         char **reterr)
{
    const char *path = listener_told(config, LISTEN_unix);
    struct stat status;
    if (lstat(address->sun_path, &status) == 0 && !S_ISSOCK(status.st_mode))
        return listener_fail(reterr,
                             "cannot listen on %s: there is a file that is no socket; remove it, "
                             "or set another path",
                             path);
    int fd = socket(AF_UNIX, SOCK_STREAM | LISTENER_FLAGS, 0);
    if (fd < 0)
        return listener_fail(reterr, "cannot make a socket: %s", strerror(errno));
    bool answered = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    int error = errno;
    close(fd);
    if (answered || error == EAGAIN)
        return listener_fail(reterr,
                             "cannot listen on %s: another process answers there; stop it, or set "
                             "another path",
                             path);
    if (error != ECONNREFUSED && error != ENOENT)
        return listener_fail(reterr, "cannot listen on %s: %s", path, strerror(error));
    if (unlink(address->sun_path) != 0 && errno != ENOENT)
        return listener_fail(reterr, "cannot remove the old socket %s: %s", path, strerror(errno));
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

static bool fail_unix(const struct listen_config *config, char **reterr)
{
    const char *path = listener_told(config, LISTEN_unix);
    const char *hint = "";
    if (errno == ENOENT)
        hint = "; its folder does not exist: create it (under systemd: RuntimeDirectory=)";
    else if (errno == EACCES || errno == EROFS)
        hint = "; this process must be allowed to write to its folder";
    return listener_fail(reterr, "cannot listen on %s: %s%s", path, strerror(errno), hint);
}

static bool bind_unix(const struct listen_config *config, int fd, const struct sockaddr_un *address,
                      char **reterr)
{
    if (bind_private(fd, address) == 0)
        return true;
    if (errno != EADDRINUSE)
        return fail_unix(config, reterr);
    if (!remove_stale(config, address, reterr))
        return false;
    return bind_private(fd, address) == 0 || fail_unix(config, reterr);
}

/* A service that may not change owners at all has it so from the start. */
static bool has_group(const char *path, gid_t group)
{
    struct stat now;
    return stat(path, &now) == 0 && now.st_gid == group;
}

bool listener_hand_out(const struct listen_config *config, char **reterr)
{
    gid_t group = (gid_t)-1;
    if (config->group != NULL) {
        if (!find_group(config, &group, reterr))
            return false;
        if (!has_group(config->unix, group) && chown(config->unix, (uid_t)-1, group) != 0)
            return listener_fail(reterr,
                                 "cannot give %s to the group \"%s\": %s; run as a member of it",
                                 listener_told(config, LISTEN_unix),
                                 listener_told(config, LISTEN_group), strerror(errno));
    }
    if (chmod(config->unix, (mode_t)config->mode) != 0)
        return listener_fail(reterr, "cannot set the mode of %s: %s",
                             listener_told(config, LISTEN_unix), strerror(errno));
    return true;
}

/* A path that is a secret is not told, but names stay different. */
static void name_unix(struct listener *l, const struct listen_config *config)
{
    if (config->origins[LISTEN_unix].hidden)
        snprintf(l->name, sizeof l->name, "unix:*** (line %u)", config->place.line);
    else
        snprintf(l->name, sizeof l->name, "unix:%s", config->unix);
}

bool listener_open_unix(const struct listen_config *config, struct listener *l, char **reterr)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(config->unix);
    if (len >= sizeof address.sun_path)
        return listener_fail(
            reterr, "cannot listen on %s: the path is %zu bytes long, a socket's may be %zu",
            listener_told(config, LISTEN_unix), len, sizeof address.sun_path - 1);
    memcpy(address.sun_path, config->unix, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | LISTENER_FLAGS, 0);
    if (fd < 0)
        return listener_fail(reterr, "cannot make a socket: %s", strerror(errno));
    for (size_t i = 0; i < l->n; i++)
        l->fds[i] = fd;
    if (!bind_unix(config, fd, &address, reterr))
        return false;
    if (listener_hand_out(config, reterr) &&
        (listen(fd, LISTENER_BACKLOG) == 0 || fail_unix(config, reterr))) {
        name_unix(l, config);
        return true;
    }
    unlink(config->unix);
    return false;
}
