/* SPDX-License-Identifier: Apache-2.0 */
/* A request that is several calls: POST /v1/{upstream}, and POST /jsonrpc/{upstream} whether it is
 * several or one. Its text is read call by call; what fails here gets its problem and is not sent.
 * The others go out as round trips of system.multicall, or side by side, and the reply has their
 * results in order. */
#ifndef RPCGATE_FRONT_BATCH_H
#define RPCGATE_FRONT_BATCH_H

struct batch;
struct request;

/* The whole body is there. */
void batch_start(struct request *r);

/* Nobody waits for the reply any more: what was sent goes on to its end, nothing more is sent. */
void batch_abandon(struct batch *b);

/* Ends it without a reply. */
void batch_drop(struct batch *b);

/* At the end of limits.drain, after its calls were cut off: what has not begun gets `draining`, and
 * the request its reply. */
void batch_cut_off(struct batch *b);

#endif
