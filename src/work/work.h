/* SPDX-License-Identifier: Apache-2.0 */
/* The ground that everything in a worker stands on: its loop, the work that waits there for its
 * turn or for memory, and how other workers tell it something. It knows no call and no caller. */
#ifndef RPCGATE_WORK_WORK_H
#define RPCGATE_WORK_WORK_H

#include "base/list.h"
#include "base/macros.h"
#include "base/spare.h"
#include "io/loop.h"
#include "work/commons.h"
#include "work/spares.h"
#include "work/timer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a worker may be told. */
enum news {
    NEWS_SLOTS = 1 << 0,  /* others have given it slots (client/slots.h) */
    NEWS_MADE = 1 << 1,   /* what someone waits for is made (work/once.h) */
    NEWS_TRIM = 1 << 2,   /* what it keeps for the next calls is to be freed */
    NEWS_ROOM = 1 << 3,   /* those who wait for memory may find some (work/memory.h) */
    NEWS_YIELD = 1 << 4,  /* somebody is to give memory back (work/memory.h) */
    NEWS_STALLED = 1 << 5 /* replies wait for memory, or do so no more; others want their slots */
};

struct work {
    size_t index; /* the worker's number */
    struct commons *commons;
    struct loop *loop;       /* owned */
    struct timer *timers;    /* the first that is due; NULL: none is set */
    int64_t timers_until_ms; /* while they are fired: none is set for before this */
    struct list awaiting;    /* of struct once_wait: those that wait for what another one makes */
    struct list turns;       /* of struct turn: work that waits for its next step */
    struct list waiters;     /* of struct memory_wait: those that wait for memory */
    struct list holds;       /* of struct memory_hold: what can be given back when others wait */
    atomic_uint news;        /* set of enum news */
    bool quiet;              /* nothing new begins by itself */
    uint64_t next_number;    /* for ids and pauses */
    struct spare encoders, decoders, readers;
};

/* False: errno says why. */
bool work_init(struct work *w, struct commons *commons, size_t index) MUST_CHECK;
void work_done(struct work *w);

/* Makes its loop take a turn. Any thread. */
void work_wake(struct work *w);

/* The same, and tells it why; once for what it has not yet looked at. Any thread. */
void work_tell(struct work *w, enum news news);

/* Was it told that since the last time? */
static inline bool work_was_told(struct work *w, enum news news)
{
    return UNLIKELY((atomic_load_explicit(&w->news, memory_order_relaxed) & news) != 0) &&
           (atomic_fetch_and_explicit(&w->news, ~(unsigned)news, memory_order_acq_rel) & news) != 0;
}

/* Tells all workers. Any thread. */
void commons_tell(struct commons *c, enum news news);

/* A number of 64 bits that this worker has not given before. */
uint64_t work_next_number(struct work *w);

#endif
