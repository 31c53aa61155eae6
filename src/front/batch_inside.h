/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is several calls: POST /v1/{upstream}, and POST /jsonrpc/{upstream} whether it is
 * several or one. Its text is read call by call; what fails here gets its problem and is not sent.
 * The others go out as round trips of system.multicall, or in parallel, and the reply has their
 * results in order. For these files alone:
 *
 *   task_batch.c        from the body to the reply: what is to be done next
 *   batch_entries.c     the calls as they are read, and their answers in order
 *   batch_parallel.c    calls by themselves
 *   batch_plan.c        which way it is, and the question that finds it out
 *   batch_round_trip.c  one of system.multicall: its calls, and its answer */
#ifndef RPCGATE_FRONT_BATCH_INSIDE_H
#define RPCGATE_FRONT_BATCH_INSIDE_H

#include "base/chain.h"
#include "client/multicall.h"
#include "codec/error.h"
#include "codec/json/batch_read.h"
#include "codec/xml/decode.h"
#include "front/form.h"
#include "front/request.h"
#include "work/memory.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much text is read or written before others get their turn: some milliseconds of work.
 * [bytes] */
#define BATCH_STEP ((size_t)256 * 1024)

enum entry_state {
    ENTRY_READY,   /* to be sent */
    ENTRY_RUNNING, /* written into a document, or its call runs */
    ENTRY_DONE
};

/* A call of the batch. */
struct entry {
    struct batch *batch;
    enum entry_state state;
    size_t index;      /* in the batch */
    struct str method; /* in the body, or: */
    char *method_copy; /* owned */
    struct str params; /* JSON in the body; NULL data: none */
    struct str id;     /* as codec/json/batch_read.h tells */
    bool silent;       /* a notification: nothing is answered */
    struct chain text; /* of its answer, where that is not in the reply; DONE */
    bool failed;       /* for the metrics: */
    enum problem_type problem;
    struct call *call; /* owned, while it runs by itself */
    bool is_kept;      /* results of it are, so it goes by itself */
    bool again;        /* its session had expired: it is to be sent again, */
    bool renewed;      /* as it was once already */
};

enum batch_phase {
    BATCH_CHECKING, /* its text; there are no entries yet, */
    BATCH_OPENING,  /* nor here, where it waits for the memory they take */
    BATCH_READING
};

/* The round trip at hand. */
struct round_trip {
    struct document_members members;
    size_t at; /* the entry that is written, or the first that may be the next */
    size_t n_sent;
    bool is_sent;                /* all of them are written */
    const struct inject *inject; /* of the entry that is written; NULL: none */
    bool is_renewed;             /* all of them were sent before */
    struct method_rule rule;     /* of all its calls together */
    struct answer_members answers;
    size_t reply_begin; /* where its results begin in the reply, */
    bool reply_began;   /* whether others stand before them, */
    bool reply_whole;   /* and whether there was memory for all of those */
    size_t answer_at;   /* the entry whose result is read, */
    size_t item_begin;  /* and where that begins in the reply, */
    size_t item_at;     /* with what stands before it */
    size_t held_from;   /* answers from this entry on wait for one that is sent again */
};

struct batch {
    struct request *request;
    const struct form *form;
    struct batch_reader *reader;
    enum batch_phase phase;
    struct turn turn;
    struct memory_wait memory;
    int64_t began_ms;
    int64_t timeout_ms; /* the greatest of its calls' so far */
    bool keeps;         /* results of some of its upstream's methods are kept */
    bool going_on;      /* batch_go_on() is up the stack */
    bool is_over;       /* what has not begun gets this: */
    struct error over;

    struct entry *entries; /* a ring of those that are at hand; owned */
    size_t cap, first, n;
    struct json_place place; /* of the last call's error in the body */
    size_t ready_from;       /* none before it in the ring is READY */
    bool at_end;             /* all were read */
    bool wrote;              /* the reply has a result or problem already */

    bool has_plan;
    enum multicall_plan plan; /* WRAPPED, BARE or PARALLEL */
    bool asks;                /* finds out for all */
    struct chain known;       /* the answer to that */
    struct once_wait wait;
    bool busy; /* with the question, or a round trip */
    struct round_trip round_trip;

    size_t n_running; /* calls of their own: in parallel, or the only one */
};

/* task_batch.c */

/* Does what is to be done next; the batch may be gone afterwards. */
void batch_go_on(struct batch *b);

/* Asks for a turn in that phase, if it has not asked. */
void batch_ask_turn(struct batch *b, enum batch_phase phase);

struct upstream_state *batch_shared(const struct batch *b);

/* Fills a call; the batch's own deadline holds for it, too. */
void batch_fill_call(struct batch *b, struct call *c, const struct method_rule *rule);
void batch_limit_call(struct batch *b, struct call *c, const struct method_rule *rule);

/* batch_entries.c */

/* Takes memory for as many as there may be at hand, or waits for it. */
enum memory_answer entries_open(struct batch *b) MUST_CHECK;
void entries_close(struct batch *b);

/* The one of that place in the ring. */
struct entry *entry_at(const struct batch *b, size_t i);

/* Reads some; b->at_end behind the last. */
void entries_read(struct batch *b);

static inline bool entries_full(const struct batch *b)
{
    return b->n == b->cap;
}

/* The first that is READY, or NULL. */
struct entry *entries_first_ready(struct batch *b);

/* So, of those of which results are kept, behind that place in the ring; moves it there. */
struct entry *entries_next_kept(struct batch *b, size_t *at);

/* Those RUNNING have not run. */
void entries_take_back(struct batch *b);

/* It gets a problem for an answer, and is DONE. `verdict` tells what belongs to the error; NULL:
 * nothing. */
void entry_fail(struct entry *e, const struct error *err, const struct verdict *verdict);

/* Its own call has failed: as above. */
void entry_fail_call(struct entry *e, const struct verdict *verdict);

/* Writes a problem as its answer. */
void entry_write_problem(struct entry *e, const struct error *err, const struct verdict *verdict,
                         struct chain *to);

/* What is written of it for its upstream. */
void entry_fill_text(struct entry *e, struct document_call *ret);

/* What is added to it; NULL: nothing. */
const struct inject *entry_inject(const struct entry *e);

/* An error's pointer begins at the params: makes it begin at the batch. */
void entry_point_at_params(const struct entry *e, struct error *err);

/* Counts how it ended. */
void entry_count(const struct entry *e);

/* What stands between two answers in the reply. */
void entry_separate(const struct entry *e);

/* Appends the answers of those DONE to the reply, in order, and lets them go. */
void entries_emit(struct batch *b);

/* Lets those before the first that is READY go, or all; their answers are in the reply. */
void entries_forget(struct batch *b);

/* batch_parallel.c: the only call of a text that is no list; one of several, and how many of these
 * may run at once. */
void single_begin(struct entry *e);
size_t parallel_max(const struct batch *b);
void parallel_begin(struct entry *e);

/* batch_plan.c: finds the way; b->has_plan, or batch_go_on() is called later. */
void plan_find(struct batch *b);
void plan_drop(struct batch *b);

/* batch_round_trip.c: one call of all that are READY. */
void round_trip_begin(struct batch *b);

#endif
