/* SPDX-License-Identifier: Apache-2.0 */
/* How many calls of an upstream may run at once, over all workers: permits, without a lock. A call
 * takes one and gives it back. If all are out, a worker keeps its calls in a queue of its own, and
 * a permit that comes back goes to the worker whose first call has waited longest.
 *
 * One word holds how many are out and how many calls wait, so that both change together: a permit
 * is laid down only while nobody waits. A worker's slot says since when its first call waits. It
 * does so before the call is counted as waiting and until it is not any more; so where calls are
 * counted there is a slot to be found. */
#ifndef RPCGATE_CLIENT_PERMITS_H
#define RPCGATE_CLIENT_PERMITS_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERMITS_LINE 64 /* of the processor's cache [bytes] */

/* A worker's; no two share a line. */
struct permits_slot {
    atomic_llong since_us;         /* since when its first call waits; 0: none does */
    atomic_uint given;             /* permits that are its own now and not yet picked up */
    _Atomic(const void *) presser; /* as permits_press() tells */
    char unused[PERMITS_LINE - 2 * sizeof(atomic_llong) - sizeof(void *)];
};

struct permits {
    atomic_ullong word; /* low half: permits that are out; high half: waiting calls */
    char unused[PERMITS_LINE - sizeof(atomic_ullong)]; /* what follows is only read */
    uint32_t max, max_waiting;
    size_t n_slots;
    struct permits_slot *slots; /* by the worker's number; owned */
};

enum permits_answer { PERMITS_TAKEN, PERMITS_WAIT, PERMITS_FULL };

void permits_init(struct permits *p, uint32_t max, uint32_t max_waiting, size_t n_workers);
void permits_done(struct permits *p);

/* Takes a permit if there is one and nobody waits. */
bool permits_try(struct permits *p) MUST_CHECK;

/* When that failed. PERMITS_WAIT: the call is counted as waiting now. Before, permits_show() must
 * have said that calls of this worker wait; after another answer it must say so no more if that is
 * not so. */
enum permits_answer permits_join(struct permits *p) MUST_CHECK;

/* A call waits no longer, with a permit or without. */
void permits_leave(struct permits *p);

/* Since when the worker's first call waits; 0: none does. */
void permits_show(struct permits *p, size_t worker, int64_t since_us);

/* Is it another worker's turn? One keeps its permits, and the connections that belong to them,
 * while that is fair: until another's first call has waited a third longer than its own. */
bool permits_due_elsewhere(const struct permits *p, size_t worker, int64_t since_us,
                           int64_t now_us);

#define PERMITS_NOBODY SIZE_MAX

/* Gives a permit back. The answer is the worker that has it now and must be told, or
 * PERMITS_NOBODY. */
size_t permits_give(struct permits *p) MUST_CHECK;

/* How many permits were given to this worker; they are the caller's now, to use or to give on. */
unsigned permits_pick_up(struct permits *p, size_t worker);

/* One of this worker's calls waits on behalf of `who`, who could go on with a permit; NULL: none.
 * Any name will do, it is only compared. Is it another one than before? */
bool permits_press(struct permits *p, size_t worker, const void *who);

/* Does a call wait so on behalf of anybody but `who`? */
bool permits_is_pressed(const struct permits *p, const void *who);

/* How many are out, and how many calls wait. */
uint32_t permits_out(const struct permits *p);
uint32_t permits_waiting(const struct permits *p);

#endif
