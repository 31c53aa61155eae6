/* SPDX-License-Identifier: Apache-2.0 */
/* The log of requests whose credentials are wrong: who guesses tokens shall be seen, but must not
 * fill the log. All workers share it. */
#ifndef RPCGATE_GATEWAY_REFUSALS_H
#define RPCGATE_GATEWAY_REFUSALS_H

#include <stdatomic.h>

struct request;

struct refusals {
    atomic_llong until_ns; /* struct rate_limit's */
    atomic_uint unlogged;  /* since the last line */
};

/* The request was refused for its credentials; its error says why. */
void refusals_log(struct refusals *refusals, const struct request *r);

#endif
