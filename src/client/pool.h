/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's part of an upstream's pool: the calls that wait here for one of the upstream's
 * slots, first come first served, and the slots that pass through.
 *
 * A reply that waits for its caller's memory keeps its slot: the upstream is not done with it. It
 * gives way to a call of another caller that waits for a slot, after a while, which is for
 * callers who are only late in reading. One whose replies had to give way lately has no such
 * while. Who waits in a queue, and whose replies wait, is told to all workers where such replies
 * are. */
#ifndef RPCGATE_CLIENT_POOL_H
#define RPCGATE_CLIENT_POOL_H

#include "base/list.h"
#include "base/macros.h"
#include "client/slots.h"
#include "client/upstream_state.h"

#include <stdbool.h>
#include <stddef.h>

struct call;
struct join;
struct probe;
struct remote;
struct client;

struct pool {
    struct client *client;
    struct list in_client; /* on client->pools */
    size_t n_sites;        /* that have it; the others' calls may still need it without any */
    struct upstream_state *shared; /* referenced */
    struct remote *remote;         /* its connections in this worker; owned */
    struct probe *probe;           /* owned; NULL: none */
    struct session_keeper *keeper; /* owned; NULL: none */
    struct join *join;             /* owned; NULL: calls are not joined */
    struct list waiting;           /* struct call.in_queue; all are in CALL_QUEUED */
    struct list stalled;           /* struct call.in_stalled: their replies wait for memory */
    size_t in_hand;                /* slots that wait to be used or given on */
    bool serving;                  /* it is being done */
    bool has_left;                 /* no call of this worker will need a session */
};

struct pool *pool_open(struct client *client, struct upstream_state *shared) MUST_CHECK;

/* No call may wait in it or run. */
void pool_close(struct pool *pool);

/* Asks for a slot. SLOTS_WAIT: the call is in the queue, and attempt_run() is called when it
 * has one. SLOTS_FULL: there are pool.max_queue calls there already. */
enum slots_answer pool_enter(struct pool *pool, struct call *c) MUST_CHECK;

/* Takes a call out of the queue that will have no slot. */
void pool_leave(struct pool *pool, struct call *c);

/* Gives a slot back, which goes to the next call. With `reported` from an upstream_call's
 * on_done(): where the slot leaves the worker, the connection is closed. */
void pool_give(struct pool *pool, bool reported);

/* The call's reply waits for memory, or does so no more. */
void pool_stall(struct pool *pool, struct call *c);
void pool_unstall(struct pool *pool, struct call *c);

/* Uses slots that other workers have given, and has replies give way where others' calls want
 * their slots. In each turn of the loop. */
void pools_run(struct client *client);

#endif
