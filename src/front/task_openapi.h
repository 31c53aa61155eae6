/* SPDX-License-Identifier: Apache-2.0 */
/* A request for an OpenAPI document: GET /openapi.json and GET /openapi/{upstream}.json. It waits
 * until what upstreams tell of their methods is known, one after the other. */
#ifndef RPCGATE_FRONT_TASK_OPENAPI_H
#define RPCGATE_FRONT_TASK_OPENAPI_H

#include "client/introspection.h"
#include "front/openapi.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stddef.h>

struct openapi_work {
    struct openapi document;
    struct introspection_waiter waiter;
    struct turn turn;
    size_t upstream;             /* index of the one at hand */
    struct description *methods; /* its own, referenced; NULL: not asked for yet */
    size_t at;                   /* in their text: what comes next */
    size_t n_asked;              /* methods of it that were asked for */
};

#endif
