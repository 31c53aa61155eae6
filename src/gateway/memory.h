/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for room in limits.memory. Bodies take at most half of it: the other half is for what
 * comes of them, so that requests that hold a body can always end, and give memory back. */
#ifndef RPCGATE_GATEWAY_MEMORY_H
#define RPCGATE_GATEWAY_MEMORY_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

/* A body that cannot be taken or a document that cannot be written now. */
struct memory_wait {
    struct list in_starved; /* on worker->starved */
    struct worker *worker;
    bool is_body;
    bool is_reply;                             /* or it has neither: a document for the upstream */
    size_t held;                               /* bytes that the one who waits holds itself */
    size_t wanted;                             /* bytes that limits.memory has no room for, */
    int64_t patience_ms;                       /* how long it waits for them in all, */
    int64_t until_ms;                          /* and until when; 0: it has not waited */
    void (*on_room)(struct memory_wait *wait); /* NULL: it looks itself, on its next turn */
};

/* May a body take so many bytes more now? One that is alone may take all there is. */
bool memory_has_room(const struct memory_wait *wait, size_t bytes);

/* Is there so much room, for what is no body? When half of all is taken, only one reply
 * goes on, so that it can end: else all would hold a part, and none could. */
bool memory_fits(struct memory_wait *wait, size_t bytes);

/* It waits no longer, nor is it the one that goes on. */
void memory_leave(struct memory_wait *wait);

/* Waits for so many bytes; the caller sees to it that the work rests. False: it has waited for its
 * patience, or nobody could give memory back. */
bool memory_wait(struct memory_wait *wait, size_t bytes);

/* Lets those go on that have room now, or no time left: they try again. */
void memory_feed(struct worker *w);

/* Does it wait? */
static inline bool memory_waits(const struct memory_wait *wait)
{
    return !list_empty(&wait->in_starved);
}

#endif
