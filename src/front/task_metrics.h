/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: with many upstreams it is written in steps. */
#ifndef RPCGATE_FRONT_TASK_METRICS_H
#define RPCGATE_FRONT_TASK_METRICS_H

#include "work/turn.h"

#include <stddef.h>

/* How far it is. */
struct exposition {
    struct turn turn;
    size_t family;   /* of those with lines for each upstream */
    size_t upstream; /* whose lines of it come next */
};

#endif
