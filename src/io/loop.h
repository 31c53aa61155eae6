/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's event loop: one epoll instance that holds everything the worker waits for. All of it
 * belongs to the worker's thread, but for loop_wake(). */
#ifndef RPCGATE_IO_LOOP_H
#define RPCGATE_IO_LOOP_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Something that waits for a file descriptor. Owned by who registers it; it must stay where it is
 * until loop_remove(). */
struct loop_source {
    int fd;
    /* `events` is a set of EPOLLIN … as epoll_wait(2) reports them. */
    void (*ready)(struct loop_source *source, uint32_t events);
};

/* NULL where the system gives no descriptor; errno says why. */
struct loop *loop_new(void) MUST_CHECK;
void loop_free(struct loop *loop);

/* Registers, changes and ends. False: errno says why. After loop_remove() `ready` is not called
 * any more, also not for an event of the batch at hand. */
bool loop_add(struct loop *loop, struct loop_source *source, uint32_t events) MUST_CHECK;
bool loop_change(struct loop *loop, struct loop_source *source, uint32_t events) MUST_CHECK;
void loop_remove(struct loop *loop, struct loop_source *source);

/* Waits until something is ready, loop_wake() is called or `deadline_ms` (CLOCK_NEVER: none) has
 * come, and calls `ready` of what is ready. The only blocking call of a worker. */
void loop_wait(struct loop *loop, int64_t deadline_ms);

/* The monotonic time at which the last loop_wait() returned: cheap, and good enough to find out
 * whether a time is over, since it is late at most. What begins takes its time from the clock
 * itself, or a long step before it in the same turn would count as its own. [ms] */
int64_t loop_now_ms(const struct loop *loop);

/* How long the turn took that the last loop_wait() has ended: nobody was looked at meanwhile. [ms]
 */
int64_t loop_away_ms(const struct loop *loop);

/* Ends a loop_wait() that is under way, or the next one. Any thread. */
void loop_wake(struct loop *loop);

#endif
