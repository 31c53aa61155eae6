/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/activation.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_FD 3

/* More sockets than anybody has. */
#define SOCKETS_MAX 1024

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (text == NULL || text[0] == '\0')
        return 0;
    long number = strtol(text, &end, 10);
    return *end == '\0' ? number : 0;
}

/* The next name of a list with colons; without one sd_listen_fds_with_names(3) says "unknown". */
static char *next_name(const char **names)
{
    const char *name = *names;
    if (name == NULL)
        return xstrdup("unknown");
    size_t len = strcspn(name, ":");
    *names = name[len] == ':' ? name + len + 1 : NULL;
    return xmemdup0(name, len);
}

void activation_take(struct activation *a)
{
    const char *names = getenv("LISTEN_FDNAMES");
    long n = number_of("LISTEN_FDS");
    *a = (struct activation){ 0 };
    if (number_of("LISTEN_PID") == (long)getpid() && n > 0 && n <= SOCKETS_MAX) {
        a->sockets = xcalloc((size_t)n, sizeof *a->sockets);
        for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            a->sockets[a->n++] = (struct given_socket){ next_name(&names), fd };
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

void activation_done(struct activation *a)
{
    for (size_t i = 0; i < a->n; i++) {
        close(a->sockets[i].fd);
        free(a->sockets[i].name);
    }
    free(a->sockets);
    *a = (struct activation){ 0 };
}
