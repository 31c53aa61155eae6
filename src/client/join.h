/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of safe methods that are there in the same turn of a worker go out as one system.multicall,
 * for upstreams with `join` that have it. Each of them stays a call of its own: it has its own
 * deadline, params that are judged, answer, and numbers that are counted. What takes them is a
 * call, too, of nobody's: it has the slot, the attempts and the session.
 *
 * Joined are calls of one site that have the same lines and path from `inject`, whose params are
 * small, and that send nothing of their caller: no traceparent. Whose caller is short of memory
 * goes alone, and so does who finds no others. */
#ifndef RPCGATE_CLIENT_JOIN_H
#define RPCGATE_CLIENT_JOIN_H

#include "base/macros.h"
#include "client/call.h"

#include <stdbool.h>

struct client;
struct join;
struct pool;

/* A worker's for one upstream; NULL: its calls are not joined. */
struct join *join_open(struct pool *pool) MUST_CHECK;
/* None waits. NULL is fine. */
void join_free(struct join *j);

bool join_would_take(const struct call *c) MUST_CHECK;

/* May it go out with others? Calls of other upstreams cost this question. */
static inline bool join_takes(const struct call *c)
{
    return UNLIKELY(c->upstream->join.present) && join_would_take(c);
}

/* It waits for others: until the end of the turn, or for join.wait. It is JOINED then. */
void join_enter(struct call *c);

/* Sends those that wait for no longer than this turn: behind all that begins calls in it. Others of
 * which they are the cause are left for the next one, as client->joins shows. */
void joins_run(struct client *client);

/* One that is JOINED: nobody waits for its answer any more; */
void join_abandon(struct call *c);
/* it is taken back, and what the others do goes on without it. */
void join_leave(struct call *c);

#endif
