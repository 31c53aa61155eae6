/* SPDX-License-Identifier: Apache-2.0 */
/* The log of requests whose credentials are wrong: who guesses tokens shall be seen, but must not
 * fill the log. All workers share it. */
#ifndef RPCGATE_GATEWAY_REFUSALS_H
#define RPCGATE_GATEWAY_REFUSALS_H

#include "base/macros.h"
#include "rules/rate.h"

#include <stdatomic.h>
#include <stdbool.h>

struct request;

struct refusals {
    atomic_llong until_ns; /* struct rate_limit's */
    atomic_uint unlogged;  /* since the last line */
};

/* Lines of one kind: so many at once, and then so many a second. */
#define REFUSALS ((struct rate_limit){ .rate = 1, .burst = 10 })
#define STRANGERS ((struct rate_limit){ .rate = 20, .burst = 200 })

/* May a line be written? Then `ret_before` is how many were not since the last one. */
bool refusals_take(struct refusals *refusals, struct rate_limit limit,
                   unsigned *ret_before) MUST_CHECK;

/* Writes a line with how many requests of strangers have had none, if any. */
void refusals_sum_up(struct refusals *strangers);

/* The request was refused for its credentials; its error says why. */
void refusals_log(struct refusals *refusals, const struct request *r);

#endif
