/* SPDX-License-Identifier: Apache-2.0 */
/* A request that asks what an upstream has: GET /v1/{upstream} and GET /v1/{upstream}/{method}. It
 * waits in its worker until all it asks for is known, from whichever worker. */
#ifndef RPCGATE_FRONT_TASK_DESCRIBE_H
#define RPCGATE_FRONT_TASK_DESCRIBE_H

#include "client/introspection.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stdint.h>

/* What is answered, and in which words. */
enum describe_form {
    DESCRIBE_AS_REST,
    DESCRIBE_NAMES, /* JSON as the three methods of XML-RPC's introspection answer, in an array */
    DESCRIBE_SIGNATURES,
    DESCRIBE_HELP
};

struct describe {
    enum describe_form form;
    struct introspection_waiter waiter;
    struct description *methods; /* referenced; NULL: not asked for yet */
    struct turn turn;            /* of writing */
    size_t at;                   /* in the methods' text: what comes next */
    bool any;                    /* a name was written */
};

#endif
