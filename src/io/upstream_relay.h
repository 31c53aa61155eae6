/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between libcurl and a server whose head has lines that libcurl refuses: under libcurl's
 * number of the socket there is one end of a pair of sockets, and what the server sends goes
 * through it without these lines (upstream_look.h). One answer of a connection is looked at, so it
 * must not be used for another. Owned by its worker's thread. */
#ifndef RPCGATE_IO_UPSTREAM_RELAY_H
#define RPCGATE_IO_UPSTREAM_RELAY_H

#include "base/list.h"
#include "base/macros.h"
#include "io/loop.h"
#include "io/upstream_look.h"

#include <stdbool.h>

/* Looks at what has come on a socket, and leaves it there. */
enum look_result relay_peek(int fd) MUST_CHECK;

/* Puts one behind a connected socket, where an answer is about to begin; it joins `relays`. The
 * socket must not be on the loop. Where there are no descriptors all is as it was. */
void relay_start(struct list *relays, struct loop *loop, int fd);

/* Is there one behind that number? */
bool relay_is_behind(const struct list *relays, int fd) MUST_CHECK;

/* That number is closed, or is another socket: ends the one behind it, if there is one. */
void relay_end(struct list *relays, int fd);

#endif
