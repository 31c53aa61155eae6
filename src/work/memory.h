/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take how much of limits.memory, and waiting for it.
 *
 * Each caller has a share: a quarter of all, counted over all workers; all without a name have one
 * together, which is a half where there are no others. Bodies leave room in it for
 * documents, and these for replies, so that what has begun can end. What does not fit waits in the
 * order in which it came, for pool.queue_timeout at most, and only behind requests of its own
 * caller. While replies of a caller wait, no further call of it takes a permit of an upstream. One
 * request of a caller goes beyond the share where that is too small for it: so there is always one
 * body and one response that can end. Others find room beside it: the last parts of all the memory
 * are for callers who keep within their shares. */
#ifndef RPCGATE_WORK_MEMORY_H
#define RPCGATE_WORK_MEMORY_H

#include "base/budget.h"
#include "base/list.h"
#include "base/macros.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_wait;
struct work;

/* When it is worth coming again. [s] */
#define MEMORY_RETRY_AFTER 1

enum memory_kind {
    MEMORY_BODY,     /* what a caller sends */
    MEMORY_DOCUMENT, /* what goes to the upstream, or work that begins */
    MEMORY_PERMIT,   /* a call that is written and would take a permit of its upstream's pool */
    MEMORY_REPLY,
    MEMORY_KINDS
};

/* What one caller holds. It stays where it is to the process's end. */
struct memory_share {
    struct budget budget;                /* a part of limits.memory; counts without a bound */
    atomic_bool is_only;                 /* are there no other callers? */
    _Atomic(const void *) favoured;      /* the request that may go beyond the share; or NULL */
    _Atomic(struct memory_wait *) going; /* the part of it that does now; or NULL */

    pthread_mutex_t lock;
    struct list waiting[MEMORY_KINDS]; /* of struct memory_wait, in their order */
    atomic_uint n_waiting[MEMORY_KINDS];
    atomic_llong yielded_ms; /* when a reply of it last gave way (client/pool.h); 0: never */
};

void memory_share_init(struct memory_share *s, struct budget *all);
void memory_share_done(struct memory_share *s);

/* Whether there are no other callers: it is a half then, and a quarter otherwise. */
void memory_share_set_only(struct memory_share *s, bool is_only);

/* Do replies wait for room in it? */
static inline bool memory_share_is_short(const struct memory_share *s)
{
    return atomic_load_explicit(&s->n_waiting[MEMORY_REPLY], memory_order_relaxed) > 0;
}

/* The request goes: another one may go beyond the share. */
void memory_share_leave(struct memory_share *s, const void *request);

/* One who takes memory, and may have to wait for it: a body, a document, a reply. The first five
 * are set by its owner. */
struct memory_wait {
    struct work *work;
    struct memory_share *share;
    const void *request; /* whose part it is: only a name */
    enum memory_kind kind;
    void (*on_room)(struct memory_wait *wait); /* asks again, in a moment */
    int64_t patience_ms;                       /* how long it may still wait in all */
    size_t held;                               /* bytes that its request holds, about */

    struct list in_starved;  /* on work->starved */
    struct list in_share;    /* on share->waiting[kind] */
    size_t wanted, reserved; /* bytes that it waits for, or has waited for and may take now */
    int64_t since_ms, until_ms;
};

void memory_wait_init(struct memory_wait *wait, struct work *w, struct memory_share *share,
                      const void *request);

enum memory_answer {
    MEMORY_GO,   /* take it now */
    MEMORY_WAIT, /* on_room() is called; the caller sees to it that the work rests until then */
    MEMORY_NONE  /* its patience is over */
};

/* May it take so many bytes more? Whoever holds all that is taken may always try: it would wait for
 * nobody. */
enum memory_answer memory_ask(struct memory_wait *wait, size_t bytes) MUST_CHECK;

/* May something small be answered that asks no upstream? Such answers are given to those, too, who
 * have taken their share, but not without end. */
bool memory_may_answer(const struct memory_wait *wait) MUST_CHECK;

/* It was let go, and there was no room after all: waits for so many bytes. False: as
 * MEMORY_NONE, or nobody could give memory back. */
bool memory_wait(struct memory_wait *wait, size_t bytes) MUST_CHECK;

/* It waits no longer, nor does it go beyond the share. */
void memory_leave(struct memory_wait *wait);

/* How long one that waits may still do so. */
static inline int64_t memory_patience_ms(const struct memory_wait *wait, int64_t now_ms)
{
    return wait->until_ms - now_ms;
}

/* Its patience is over, if it waits. */
void memory_hurry(struct memory_wait *wait);

/* Lets those go on that have room now, or no time left. */
void memory_feed(struct work *w);

/* Does it wait? */
static inline bool memory_waits(const struct memory_wait *wait)
{
    return !list_empty(&wait->in_starved);
}

#endif
