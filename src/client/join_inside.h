/* SPDX-License-Identifier: Apache-2.0 */
/* What client/join.h is made of. For these files alone:
 *
 *   join.c          who waits, who goes together, and whether the upstream has a system.multicall
 *   join_carrier.c  what takes some of them to the upstream, and reads the answer
 *   join_told.c     what becomes of each of them then */
#ifndef RPCGATE_CLIENT_JOIN_INSIDE_H
#define RPCGATE_CLIENT_JOIN_INSIDE_H

#include "client/client.h"
#include "client/join.h"
#include "client/multicall.h"
#include "client/pool.h"
#include "work/timer.h"
#include "work/turn.h"

#include <stddef.h>
#include <stdint.h>

/* Behind each result in a carrier's reply. In JSON it is always escaped. */
#define END_OF_RESULT '\x1e'

struct join {
    struct pool *pool;
    const struct join_config *config; /* borrowed from the upstream's state */
    struct list waiting;              /* of struct call.in_queue, in their order */
    size_t n_waiting;
    struct list in_client;  /* client->joins */
    struct timer due;       /* where there is a join.wait */
    struct turn turn;       /* some are left of a turn that took long */
    int64_t rests_until_ms; /* calls go alone: what they were in was no use */
    int64_t asked_ms;       /* when it was last asked for a system.multicall; 0: never */
};

/* One call in a carrier. */
struct seat {
    struct carrier *carrier;
    struct call *call;  /* NULL: it has ended */
    bool is_written;    /* it stands in the document */
    bool is_value;      /* its result stands in the carrier's reply; else call->error says why */
    bool is_expired;    /* that is that its session has, and it may be sent again */
    bool has_fault;     /* whose texts stand in the carrier's reply: */
    struct fault fault; /* (only the lengths of its texts count) */
    size_t repaired;    /* values of its params that the text policy has changed */
};

struct carrier {
    struct call call;
    struct join *join;
    struct chain reply; /* results and faults' texts in the order of the seats, each with an end */
    struct document_members members;
    struct answer_members answers;
    size_t n, n_left; /* seats, and those whose call has not ended */
    size_t at;        /* the seat that is written, answered, or told its answer */
    size_t n_written;
    size_t item_begin;               /* where the result that is read begins in the reply */
    size_t n_repaired;               /* values in the document, so far, */
    size_t repaired_before;          /* and all of them before the answer */
    const struct chain_block *block; /* of the reply, while answers are told, */
    size_t block_at;                 /* and the place in it */
    bool is_busy;                    /* it is up the stack */
    struct turn turn;                /* while answers are told */
    char *name;                      /* for the verbose log; owned; NULL: nothing is logged */
    struct seat seats[];
};

/* Sends the first `n` of that list together, which leave it. */
void carrier_begin(struct join *j, struct list *calls, size_t n);

static inline struct work *carrier_work(const struct carrier *k)
{
    return k->join->pool->client->work;
}

void carrier_free(struct carrier *k);

/* The whole answer was good: each is told its part of it. The carrier is freed behind the last. */
void carrier_tell(struct carrier *k);

/* There is none: all are told, or go alone. The carrier is freed. */
void carrier_fail(struct carrier *k, const struct verdict *verdict);

/* The call is by itself again, with what has come of it so far. */
struct call *seat_take_call(struct seat *seat);

/* Fills the call's error: its time is over. */
void seat_error_late(struct seat *seat);

/* Its call ends otherwise. */
void seat_leave(struct seat *seat);

/* Nobody waits for it. */
void seat_abandon(struct seat *seat);

/* Those whose session had expired wait for others again. */
void join_again(struct call *c);

/* What several were sent in was no use, for a reason that may be there for some time. */
void join_rest(struct join *j);

#endif
