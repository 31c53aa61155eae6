/* SPDX-License-Identifier: Apache-2.0 */
/* Work on large documents goes in steps; between two of them the worker's other callers have their
 * turn. */
#ifndef RPCGATE_WORK_TURN_H
#define RPCGATE_WORK_TURN_H

#include "base/list.h"

struct work;

struct turn {
    struct list in_turns; /* on work->turns */
    void (*take)(struct turn *turn);
};

/* Its step is taken once, in one of the loop's next turns: it asks again if there is more to do. */
void turn_ask(struct work *w, struct turn *turn);

/* Takes steps of those that have asked, in the order in which they did, for some milliseconds. */
void turns_run(struct work *w);

#endif
