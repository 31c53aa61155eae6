/* SPDX-License-Identifier: Apache-2.0 */
/* A request that asks what an upstream has: GET /v1/{upstream} and GET /v1/{upstream}/{method}. It
 * waits in its worker until all it asks for is known, from whichever worker. */
#ifndef RPCGATE_FRONT_LOOK_H
#define RPCGATE_FRONT_LOOK_H

#include "base/list.h"
#include "client/introspection.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stdint.h>

struct request;
struct front;

struct look {
    struct list in_looks; /* on front->looks, while it waits */
    int64_t until_ms;     /* for so long; CLOCK_NEVER: until the fetch has ended */
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

/* Goes on with those that wait, if there is news or no time left. */
void looks_run(struct front *front);

/* When looks_run() has something to do without news. */
int64_t looks_deadline_ms(const struct front *front);

#endif
