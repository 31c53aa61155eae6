/* SPDX-License-Identifier: Apache-2.0 */
/* The demo upstream: a true XML-RPC server on a free loopback port, in a thread of its own. The
 * gateway reaches it over a socket, as it reaches any other. */
#ifndef RPCGATE_DEMO_SERVER_H
#define RPCGATE_DEMO_SERVER_H

#include "base/macros.h"

struct demo_server;

/* NULL: a sentence is in the log. */
struct demo_server *demo_server_start(void) MUST_CHECK;

/* The port that it listens on. */
unsigned demo_server_port(const struct demo_server *demo);

/* Ends it; NULL is fine. */
void demo_server_stop(struct demo_server *demo);

#endif
