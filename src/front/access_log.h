/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says of callers: a line for each request, and those of wrong credentials and of TLS
 * that fails. Who guesses tokens shall be seen, but must not fill the log. */
#ifndef RPCGATE_FRONT_ACCESS_LOG_H
#define RPCGATE_FRONT_ACCESS_LOG_H

#include "base/macros.h"
#include "rules/rate.h"

#include <stdatomic.h>
#include <stdbool.h>

struct request;

/* Lines of one kind that all workers write. */
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

/* Writes a line with how many of them have had none, if any; `what` is its text. */
#define REFUSALS_OF_STRANGERS "requests of unknown callers that have no line of their own"
#define REFUSALS_OF_HANDSHAKES "failed TLS handshakes that have no line of their own"
void refusals_sum_up(struct refusals *refusals, const char *what);

/* The request was refused for its credentials; its error says why. */
void refusals_log(struct refusals *refusals, const struct request *r);

/* A caller at that listener did not get as far as a request. */
void refusals_log_handshake(struct refusals *refusals, const char *listener, const char *ip,
                            const char *reason);

/* The line of a request that ends; never params or results. `sent`: its caller has the reply. */
void request_log(const struct request *r, bool sent);

#endif
