/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The socket is the process's, as stderr is. It is kept: when descriptors have run out the watchdog
 * is still to be told that all goes on. */
static int notify_fd = -1;

bool notify_open(void)
{
    if (getenv("NOTIFY_SOCKET") == NULL)
        return true;
    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return notify_fd >= 0;
}

void notify_send(const char *format, ...)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    char text[512];
    va_list args;
    if (notify_fd < 0 || path == NULL || (path[0] != '/' && path[0] != '@'))
        return;
    if (strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* a name in the abstract namespace */
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        return;
    ssize_t ignored = sendto(notify_fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT,
                             (const struct sockaddr *)(const void *)&to, to_len);
    (void)ignored;
}
