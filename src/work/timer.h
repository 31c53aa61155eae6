/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines: the worker's loop sleeps until the first of them. Setting one costs the same whatever
 * their number is, ending one grows with its logarithm (a pairing heap: Fredman and others, 1986).
 */
#ifndef RPCGATE_WORK_TIMER_H
#define RPCGATE_WORK_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct work;

/* Zeroed but for `fire` before it is set; embedded in what it is the deadline of. */
struct timer {
    void (*fire)(struct timer *timer); /* it is not set any more then */

    bool is_set;
    int64_t due_ms;
    struct timer *child, *next, *before; /* `before`: the sibling, or the parent of a first child */
};

/* Sets it, or another time for it. CLOCK_NEVER: it does not fire. */
void timer_set(struct work *w, struct timer *t, int64_t due_ms);

/* It does not fire. */
void timer_stop(struct work *w, struct timer *t);

/* The first deadline; CLOCK_NEVER: there is none. */
int64_t timers_deadline_ms(const struct work *w);

/* Fires those that are due. One may set or stop others, and itself; what is set anew fires in the
 * next turn of the loop at the earliest. */
void timers_run(struct work *w);

#endif
