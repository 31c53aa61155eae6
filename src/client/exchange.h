/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt does with its slot: the exchange with one of the upstream's addresses, or with
 * each until one can be connected to, and what comes back to the call. */
#ifndef RPCGATE_CLIENT_EXCHANGE_H
#define RPCGATE_CLIENT_EXCHANGE_H

#include "client/call.h"

#include <stdbool.h>
#include <stdint.h>

/* Sends the call to an address that the attempt has not tried. False: all were. */
bool exchange_submit(struct call *c, int64_t now_ms) MUST_CHECK;

/* There is an answer, complete or all of it that was wanted: the end of the call, or of its
 * session. */
void exchange_judge(struct call *c, const struct upstream_result *result);

#endif
