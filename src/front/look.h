/* SPDX-License-Identifier: Apache-2.0 */
/* A request that asks what an upstream has: GET /v1/{upstream} and GET /v1/{upstream}/{method}. It
 * waits in its worker until all it asks for is known, from whichever worker. */
#ifndef RPCGATE_FRONT_LOOK_H
#define RPCGATE_FRONT_LOOK_H

#include "client/introspection.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

struct look {
    struct curious curious;
    struct fact *methods; /* referenced; NULL: not asked for yet */
    struct turn turn;     /* of writing */
    size_t at;            /* in the methods' text: what comes next */
    bool any;             /* a name was written */
};

/* Of a request that has just begun. */
void look_init(struct request *r);

/* The whole request is there: answers it, now or later. */
void look_begin(struct request *r);

/* Its request goes, or has another answer. */
void look_drop(struct request *r);

#endif
