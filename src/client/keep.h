/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of which results are kept (`cache`). Such a call is only written, for its key: then it
 * takes a result that is kept, or waits for a call that is made for all who ask for the same
 * (client/flight.h). It takes no slot and no session itself. docs/decisions/0026. */
#ifndef RPCGATE_CLIENT_KEEP_H
#define RPCGATE_CLIENT_KEEP_H

#include "base/macros.h"

#include <stdbool.h>

struct call;
struct keep;

/* At a call's beginning: is it such a one? Then c->keep is there from now on. */
bool keep_applies(struct call *c) MUST_CHECK;

/* Its document is written, and it might be sent. It may end before this returns. */
void keep_begin(struct call *c);

/* Nobody waits for it any more. */
void keep_hurry(struct call *c);

/* It has room. */
void keep_go_on(struct call *c);

/* It waits no longer. */
void keep_leave(struct keep *keep);

/* A failure's texts are in it until then. NULL is fine. */
void keep_free(struct keep *keep);

#endif
