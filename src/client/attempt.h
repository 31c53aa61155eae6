/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a call to its upstream and back: a slot, one attempt or more with pauses between
 * them, and what each tells of the upstream. One deadline holds for all of it. What goes over the
 * wire and comes back is client/exchange.h's. */
#ifndef RPCGATE_CLIENT_ATTEMPT_H
#define RPCGATE_CLIENT_ATTEMPT_H

#include "client/call.h"

/* The document is ready, or the pause before the next attempt is over: asks for a slot. */
void attempt_start(struct call *c);

/* It has a slot: the call goes out. */
void attempt_run(struct call *c);

/* The exchange has ended, at the last of the upstream's addresses. */
void attempt_done(struct call *c, const struct upstream_result *result);

/* It has waited long enough for a slot. */
void attempt_give_up(struct call *c);

/* Its reply waits for memory, which others that wait for a slot may end; it goes on. */
void attempt_stall(struct call *c);
void attempt_go_on(struct call *c);

/* Fills c->error for one that ran out of time: before it had its turn, or at the upstream. */
void attempt_error_late(struct call *c);
void attempt_error_timeout(struct call *c);

/* So for one whose caller has left before it was sent. */
void attempt_error_unwanted(struct call *c);

/* Takes the call back from wherever it is, without an answer. */
void attempt_drop(struct call *c);

#endif
