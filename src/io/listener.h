/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. */
#ifndef RPCGATE_IO_LISTENER_H
#define RPCGATE_IO_LISTENER_H

#include "base/macros.h"
#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

/* What one entry of `listen` has become: of TCP one socket for each worker (SO_REUSEPORT: the
 * kernel spreads the connections), of a unix socket one that all share. */
struct listener {
    const struct listen_config *config; /* borrowed */
    int *fds;                           /* owned; n of them, equal ones for a shared socket */
    size_t n;
    bool is_unix;
    unsigned port;  /* of TCP, the one in use */
    char name[128]; /* "https://127.0.0.1:8443", "unix:/run/rpcgate/rpcgate.sock": for the log */
};

/* Opens the sockets for `n_workers`. A stale unix socket is replaced, one where somebody answers
 * is refused. False: `reterr` has a sentence that says what to do (give it to free()). */
bool listener_open(const struct listen_config *config, size_t n_workers, struct listener *ret,
                   char **reterr) MUST_CHECK;

/* Closes the sockets. A unix socket's path is removed if `unlink_path`. */
void listener_close(struct listener *listener, bool unlink_path);

#endif
