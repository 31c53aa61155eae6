/* SPDX-License-Identifier: Apache-2.0 */
/* A listener in one worker, with the HTTP server on it: what the server's handler knows of where a
 * request came in. */
#ifndef RPCGATE_GATEWAY_DOOR_H
#define RPCGATE_GATEWAY_DOOR_H

#include "io/http_server.h"

struct worker;

struct door {
    struct worker *worker;
    struct http_server *server;
};

#endif
