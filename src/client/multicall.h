/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of an upstream's system.multicall: whether it has one, and whether it wraps each
 * result in an array of one. All workers share it; the first who needs to know it asks, others wait
 * for that answer, and it is kept until the configuration is read again. The answer to a
 * system.multicall that carried calls never leads to another way for these: it may be written by
 * hand, and have run some of them before the one that it fails for. */
#ifndef RPCGATE_CLIENT_MULTICALL_H
#define RPCGATE_CLIENT_MULTICALL_H

#include "base/chain.h"
#include "client/upstream_state.h"
#include "rules/verdict.h"
#include "work/once.h"

#include <stdint.h>

/* How the calls of a batch are to be made. */
enum multicall_plan {
    MULTICALL_WRAPPED,  /* by system.multicall, with results of that shape, */
    MULTICALL_BARE,     /* or of that */
    MULTICALL_PARALLEL, /* calls by themselves: there is none, or it may not be used */
    MULTICALL_ASK,      /* not known: who asks this finds out, and says multicall_learn() anyway */
    MULTICALL_WAIT      /* another one finds out: multicall_wait() */
};

enum multicall_plan multicall_plan(struct upstream_state *s);

/* The same without a promise: whoever is told MULTICALL_ASK asks nothing yet. */
enum multicall_plan multicall_look(const struct upstream_state *s);

/* What was asked for is known now; MULTICALL_UNKNOWN: it is not. */
void multicall_learn(struct upstream_state *s, enum multicall_known known);

/* A system.multicall was refused as a method that is not there, although it was known to be: the
 * next one who needs to know it asks again. */
void multicall_doubt(struct upstream_state *s);

/* What the answer to that question says, if it is no fault as a whole. Where it does not tell: most
 * servers wrap. `json` is as decoded. */
enum multicall_known multicall_read_answer(const struct chain *json);

/* What the end of the question says, whose result stands in `json`. Whatever its fault, nothing
 * that a caller wants has run: calls in parallel are right in any case. */
enum multicall_known multicall_judge(const struct verdict *verdict, struct chain *json);

/* The question: params of system.multicall for one harmless call, whose two shapes of result cannot
 * be confused. */
#define MULTICALL_QUESTION "[[{\"methodName\":\"system.listMethods\",\"params\":[]}]]"

/* Waits for another's answer, until then at most (CLOCK_NEVER: as long as it takes). */
void multicall_wait(struct upstream_state *s, struct once_wait *wait, struct work *w,
                    int64_t until_ms);

#endif
