/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for room in limits.memory. Bodies take at most half of it: the other half is for what
 * comes of them, so that requests that hold a body can always end, and give memory back. */
#ifndef RPCGATE_GATEWAY_MEMORY_H
#define RPCGATE_GATEWAY_MEMORY_H

#include "gateway/request.h"

#include <stdbool.h>
#include <stddef.h>

/* May the request's body take so many bytes more now? One that is alone may take all there is. */
bool memory_has_room(const struct request *r, size_t bytes);

/* Puts the request among those that wait for so many bytes; the caller sees to it that it rests.
 * False: it has waited for the upstream's pool.queue_timeout, or nobody could give memory back. */
bool memory_wait(struct request *r, size_t bytes);

/* Lets those go on that have room now, or no time left: they try again. */
void memory_feed(struct worker *w);

/* Does it wait? */
static inline bool memory_waits(const struct request *r)
{
    return !list_empty(&r->in_starved);
}

#endif
