/* SPDX-License-Identifier: Apache-2.0 */
/* One makes it, the others wait and are woken: what holds for all workers is asked for by the first
 * who needs it. Who makes it, and whether it was made well, is the owner's to know. */
#ifndef RPCGATE_WORK_ONCE_H
#define RPCGATE_WORK_ONCE_H

#include "base/list.h"
#include "work/timer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct work;

/* Any thread. */
struct once {
    pthread_mutex_t lock;
    struct list waiting; /* of struct once_wait, of all workers */
};

void once_init(struct once *once);

/* Nobody waits. */
void once_done(struct once *once);

/* It was made, or was tried: all who wait go on, each in its own worker. */
void once_tell(struct once *once);

/* One who waits, in a worker. Zeroed but for `go_on` before it begins. */
struct once_wait {
    void (*go_on)(struct once_wait *wait, bool in_time); /* in a later turn of the loop */

    struct once *once; /* NULL: it does not wait */
    struct work *work;
    struct list in_once;     /* once->waiting; only under its lock */
    struct list in_awaiting; /* work->awaiting */
    atomic_bool told;
    struct timer timer;
};

/* Waits until then (CLOCK_NEVER: as long as it takes). */
void once_wait(struct once *once, struct once_wait *wait, struct work *w, int64_t until_ms);

/* Goes on in the loop's next turn, as if it had been told. */
void once_hurry(struct once_wait *wait);

/* Waits no longer; fine if it does not. */
void once_leave(struct once_wait *wait);

/* Those who were told go on. When the worker was told NEWS_MADE. */
void once_feed(struct work *w);

#endif
