/* SPDX-License-Identifier: Apache-2.0 */
/* How many calls of an upstream may run at once, over all workers: slots, without a lock. A call
 * takes one and gives it back. If all are out, a worker keeps its calls in a queue of its own, and
 * a slot that comes back goes to the worker whose first call has waited longest.
 *
 * One word holds how many are out and how many calls wait, so that both change together: a slot
 * is laid down only while nobody waits. A worker's slot says since when its first call waits. It
 * does so before the call is counted as waiting and until it is not any more; so where calls are
 * counted there is a slot to be found. */
#ifndef RPCGATE_CLIENT_SLOTS_H
#define RPCGATE_CLIENT_SLOTS_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_LINE 64 /* of the processor's cache [bytes] */

/* A worker's; no two share a line. */
struct slots_slot {
    atomic_llong since_us;         /* since when its first call waits; 0: none does */
    atomic_uint given;             /* slots that are its own now and not yet picked up */
    _Atomic(const void *) presser; /* as slots_press() tells */
    char unused[SLOTS_LINE - 2 * sizeof(atomic_llong) - sizeof(void *)];
};

struct slots {
    atomic_ullong word; /* low half: slots that are out; high half: waiting calls */
    char unused[SLOTS_LINE - sizeof(atomic_ullong)]; /* what follows is only read */
    uint32_t max, max_waiting;
    size_t n_slots;
    struct slots_slot *slots; /* by the worker's number; owned */
};

enum slots_answer { SLOTS_TAKEN, SLOTS_WAIT, SLOTS_FULL };

void slots_init(struct slots *p, uint32_t max, uint32_t max_waiting, size_t n_workers);
void slots_done(struct slots *p);

/* Takes a slot if there is one and nobody waits. */
bool slots_try(struct slots *p) MUST_CHECK;

/* When that failed. SLOTS_WAIT: the call is counted as waiting now. Before, slots_show() must
 * have said that calls of this worker wait; after another answer it must say so no more if that is
 * not so. */
enum slots_answer slots_join(struct slots *p) MUST_CHECK;

/* A call waits no longer, with a slot or without. */
void slots_leave(struct slots *p);

/* Since when the worker's first call waits; 0: none does. */
void slots_show(struct slots *p, size_t worker, int64_t since_us);

/* Is it another worker's turn? One keeps its slots, and the connections that belong to them,
 * while that is fair: until another's first call has waited a third longer than its own. */
bool slots_due_elsewhere(const struct slots *p, size_t worker, int64_t since_us, int64_t now_us);

#define SLOTS_NOBODY SIZE_MAX

/* Gives a slot back. The answer is the worker that has it now and must be told, or
 * SLOTS_NOBODY. */
size_t slots_give(struct slots *p) MUST_CHECK;

/* How many slots were given to this worker; they are the caller's now, to use or to give on. */
unsigned slots_pick_up(struct slots *p, size_t worker);

/* One of this worker's calls waits on behalf of `who`, who could go on with a slot; NULL: none.
 * Any name will do, it is only compared. Is it another one than before? */
bool slots_press(struct slots *p, size_t worker, const void *who);

/* Does a call wait so on behalf of anybody but `who`? */
bool slots_is_pressed(const struct slots *p, const void *who);

/* How many are out, and how many calls wait. */
uint32_t slots_out(const struct slots *p);
uint32_t slots_waiting(const struct slots *p);

#endif
