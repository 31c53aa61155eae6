/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread with a loop, a client (client/client.h) and what faces callers
 * (front/front.h). Workers share nothing but struct gateway and the generation. */
#ifndef RPCGATE_DAEMON_WORKER_H
#define RPCGATE_DAEMON_WORKER_H

#include "base/macros.h"
#include "daemon/generation.h"

#include <stddef.h>

struct worker;

/* Makes a worker of that number and starts its thread. `g` is borrowed, of the generation it takes
 * a reference. NULL: errno says why. */
struct worker *worker_start(struct gateway *g, size_t index,
                            struct generation *generation) MUST_CHECK;

/* Hands the worker a new generation, of which it takes a reference. The main thread. */
void worker_tell(struct worker *worker, struct generation *generation);

/* Number of the newest generation that it has made its own: it needs the listeners of former ones
 * no more. Any thread; gateway.main_fd tells when that changes. */
unsigned worker_followed(const struct worker *worker);

/* Makes the worker's loop take a turn, and look at the gateway's phase. Any thread. */
void worker_wake(struct worker *worker);

/* Makes it free what it keeps for the next requests. Any thread. */
void worker_trim(struct worker *worker);

/* How many turns its loop has taken. Any thread. */
unsigned worker_turns(const struct worker *worker);

/* How many requests run. Any thread. */
size_t worker_running(const struct worker *worker);

/* Waits for the thread's end, which comes after the phase PHASE_STOPPING. */
void worker_join(struct worker *worker);

/* When all have ended: until then the others may wake it. */
void worker_free(struct worker *worker);

#endif
