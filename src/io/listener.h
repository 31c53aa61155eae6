/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. */
#ifndef RPCGATE_IO_LISTENER_H
#define RPCGATE_IO_LISTENER_H

#include "base/macros.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* Longer than any name that can be listened on. [bytes] */
#define LISTENER_KEY 320
#define LISTENER_NAME 128

/* What one entry of `listen` has become: of TCP one socket for each worker (SO_REUSEPORT: the
 * kernel spreads the connections), of a unix socket, and of one that was given to the process, one
 * that all share. */
struct listener {
    int *fds; /* owned; n of them, equal ones for a shared socket. NULL: it is closed */
    size_t n;
    bool is_shared;
    bool is_unix;
    bool is_given;            /* by the service manager */
    bool faces_network;       /* is_given, and TCP on an address beyond loopback */
    bool is_early;            /* TCP on an address that this machine did not have then */
    unsigned port;            /* of TCP, the one in use */
    char key[LISTENER_KEY];   /* equal: it can stand for another entry, too */
    char name[LISTENER_NAME]; /* "http://127.0.0.1:8080", "unix:/run/rpcgate/rpcgate.sock": for
                                 the log and the metrics */
};

struct listener_options {
    const struct listen_config *config;
    size_t n_workers;
    bool shares_port; /* another listener of ours, soon to be closed, has it */
};

void listener_key(const struct listen_config *config, char key[LISTENER_KEY]);

/* Opens the sockets for an entry with `unix` or `address`, which the machine need not have yet. A
 * stale unix socket is replaced, one where somebody answers is refused. False: `reterr` has a
 * sentence that says what to do (give it to free()). */
bool listener_open(const struct listener_options *options, struct listener *ret,
                   char **reterr) MUST_CHECK;

/* Listens on a socket that was given to the process for an entry with `systemd`, by a descriptor of
 * its own. */
bool listener_take(const struct listener_options *options, int fd, struct listener *ret,
                   char **reterr) MUST_CHECK;

/* Gives an open unix socket the entry's mode and group. */
bool listener_hand_out(const struct listen_config *config, char **reterr) MUST_CHECK;

/* Closes the sockets. The path of a unix socket that we have made is removed if `unlink_path`. */
void listener_close(struct listener *listener, bool unlink_path);

#endif
