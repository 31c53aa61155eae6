/* SPDX-License-Identifier: Apache-2.0 */
/* A call's place in a trace: what its upstream is told of that, and, where the trace is sampled, a
 * span for the collector. OpenTelemetry's semantic conventions for RPC: one client span of a call
 * with all its attempts and what it has waited for. */
#ifndef RPCGATE_CLIENT_SPAN_H
#define RPCGATE_CLIENT_SPAN_H

#include "base/str.h"
#include "rules/trace.h"

#include <stdint.h>

struct call;
struct verdict;

struct span {
    char id[SPAN_ID_LEN];
    char traceparent[TRACEPARENT_SIZE]; /* for the upstream */
    int64_t began_us;                   /* on the monotonic clock */
    int64_t began_wall_us;              /* since 1970 */
};

/* The call's origin.trace is set; its origin.traceparent becomes ours. */
void span_begin(struct call *c);

/* The call has ended: gives the span to client/traces.h, and frees it. */
void span_end(struct call *c, const struct verdict *verdict);

/* Nobody wants to know. */
void span_drop(struct call *c);

#endif
