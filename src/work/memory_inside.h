/* SPDX-License-Identifier: Apache-2.0 */
/* Between memory.c, which knows who may take how much, and memory_press.c, which has others give
 * memory back. */
#ifndef RPCGATE_WORK_MEMORY_INSIDE_H
#define RPCGATE_WORK_MEMORY_INSIDE_H

#include "work/memory.h"

/* While a worker looks at those who wait: who holds most is looked for once. */
struct memory_look {
    int64_t now_ms;
    bool done;
    struct memory_share *largest;  /* of all; NULL: nobody holds anything */
    struct memory_share *yielding; /* of those who can give something back; NULL: nobody can */
};

/* When others give way to one that has begun to wait. */
int64_t memory_press_ms(const struct memory_wait *wait);

/* It waits for what other callers hold. */
void memory_press(struct memory_wait *wait, struct memory_look *look);

/* Nobody is to give way to it any more. */
void memory_press_end(struct memory_wait *wait);

/* One of this worker that had to give way has done so. */
void memory_yield_end(struct work *w);

/* Is it for one of another caller, who holds less, that others give memory back? */
bool memory_is_for_others(const struct memory_wait *wait, size_t bytes);

#endif
