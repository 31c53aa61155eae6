/* SPDX-License-Identifier: Apache-2.0 */
/* A request that asks what an upstream has: GET /v1/{upstream} and GET /v1/{upstream}/{method}. It
 * waits in its worker until all it asks for is known, from whichever worker. */
#ifndef RPCGATE_FRONT_TASK_DESCRIBE_H
#define RPCGATE_FRONT_TASK_DESCRIBE_H

#include "client/introspection.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stdint.h>

struct describe {
    struct introspection_waiter waiter;
    struct description *methods; /* referenced; NULL: not asked for yet */
    struct turn turn;            /* of writing */
    size_t at;                   /* in the methods' text: what comes next */
    bool any;                    /* a name was written */
};

#endif
