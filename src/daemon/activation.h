/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that the service manager has opened for us: sd_listen_fds(3)'s protocol. They stay open
 * to the process's end, so that a reload may come to want them. */
#ifndef RPCGATE_DAEMON_ACTIVATION_H
#define RPCGATE_DAEMON_ACTIVATION_H

#include <stddef.h>

struct activation {
    struct given_socket {
        char *name; /* FileDescriptorName= of its unit */
        int fd;
    } * sockets;
    size_t n;
};

/* Takes what the environment tells of, and takes it out of the environment. Before any thread. */
void activation_take(struct activation *a);

void activation_done(struct activation *a);

#endif
