/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take how much of limits.memory, and waiting for it.
 *
 * Each caller has a share: a quarter of all, counted over all workers; all without a name have one
 * together, which is a half where there are no others. Bodies leave room in it for
 * documents, and these for replies, so that what has begun can end. What does not fit waits in the
 * order in which it came, for pool.queue_timeout at most, and only behind requests of its own
 * caller. While replies of a caller wait, no further call of it takes a slot of an upstream. One
 * request of a caller goes beyond the share where that is too small for it: so there is always one
 * body and one response that can end. Others find room beside it: the last parts of all the memory
 * are for callers who keep within their shares.
 *
 * Many callers together may take all of it. Who has waited for a quarter of its time then has the
 * caller who holds most, if that is more than its own caller would, give memory back: the largest
 * body that is not all there, or reply that is not all read. What is given back is for those who
 * hold less. Within a minute after that nobody waits for it any more. */
#ifndef RPCGATE_WORK_MEMORY_H
#define RPCGATE_WORK_MEMORY_H

#include "base/budget.h"
#include "base/list.h"
#include "base/macros.h"
#include "work/timer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct commons;
struct memory_wait;
struct work;

/* When it is worth coming again. [s] */
#define MEMORY_RETRY_AFTER 1

enum memory_kind {
    MEMORY_BODY,     /* what a caller sends */
    MEMORY_DOCUMENT, /* what goes to the upstream, or work that begins */
    MEMORY_SLOT,     /* a call that is written and would take a slot of its upstream's pool */
    MEMORY_REPLY,
    MEMORY_KINDS
};

/* What one caller holds. It stays where it is to the process's end. */
struct memory_share {
    struct budget budget;                /* a part of limits.memory; counts without a bound */
    atomic_bool is_only;                 /* are there no other callers? */
    _Atomic(const void *) privileged;    /* the request that may go beyond the share; or NULL */
    _Atomic(struct memory_wait *) going; /* the part of it that does now; or NULL */

    pthread_mutex_t lock;
    struct list waiting[MEMORY_KINDS]; /* of struct memory_wait, in their order */
    atomic_uint n_waiting[MEMORY_KINDS];
    atomic_llong yielded_ms; /* when one of it last gave way (client/pool.h, too); 0: never */
    atomic_uint n_holds;     /* struct memory_hold of it, in all workers */
    struct list in_press;    /* on commons->press.shares */
};

/* For whom others give memory back: one at a time. Any thread. */
struct memory_press {
    pthread_mutex_t lock;
    struct list shares;                   /* of struct memory_share: all there are */
    _Atomic(struct memory_share *) whom;  /* who has waited for long; NULL: nobody */
    atomic_size_t bytes;                  /* what that caller would hold with what it wants */
    _Atomic(struct memory_share *) asked; /* who is to give way; NULL: nobody, or it does */
    atomic_bool yields;                   /* somebody does: it is waited for */
    atomic_llong yielded_ms;              /* when somebody last did; 0: never */
};

void memory_init(struct commons *c);
void memory_done(struct commons *c);

void memory_share_init(struct memory_share *s, struct commons *c);
void memory_share_done(struct memory_share *s);

/* Whether there are no other callers: it is a half then, and a quarter otherwise. */
void memory_share_set_only(struct memory_share *s, bool is_only);

/* Did one of it have to give way within the last minute? */
bool memory_share_yielded(const struct memory_share *s, int64_t now_ms);
void memory_share_set_yielded(struct memory_share *s, int64_t now_ms);

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

    struct list in_waiters;  /* on work->waiters */
    struct list in_share;    /* on share->waiting[kind] */
    size_t wanted, reserved; /* bytes that it waits for, or has waited for and may take now */
    int64_t since_ms, until_ms;
    struct timer timer; /* when others give way to it, and when its patience is over */
    size_t over;        /* who holds more may have to [bytes] */
    bool presses;       /* others do */
    bool yields;        /* it gives way */
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

/* Lets those go on that have room now, or no time left. When the worker was told NEWS_ROOM. */
void memory_feed(struct work *w);

/* Does it wait? */
static inline bool memory_waits(const struct memory_wait *wait)
{
    return !list_empty(&wait->in_waiters);
}

/* What a request holds that can be given back: a body that is not all there, a reply that is not
 * all read. Zeroed but for `give_way` before it is used. */
struct memory_hold {
    void (*give_way)(struct memory_hold *hold); /* gives it back, soon; in a turn of the loop */

    struct memory_share *share;
    struct work *work;
    struct list in_work; /* work->holds */
    size_t bytes;        /* 0: it is not there */
    bool yields;         /* it gives way */
};

/* It holds so much now. What is small is not worth the trouble. */
void memory_hold(struct memory_hold *hold, struct work *w, struct memory_share *share,
                 size_t bytes);

/* It was given back, or cannot be any more. */
void memory_release(struct memory_hold *hold);

/* When the worker was told NEWS_YIELD. */
void memory_yield(struct work *w);

#endif
