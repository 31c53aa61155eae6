/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request stands in a trace: W3C Trace Context, as OpenTelemetry samples it. */
#ifndef RPCGATE_RULES_TRACE_H
#define RPCGATE_RULES_TRACE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Lower-case hexadecimal digits. */
#define TRACE_ID_LEN 32
#define SPAN_ID_LEN 16

/* "00-", the trace's id, "-", the span's, "-01", and a NUL. */
#define TRACEPARENT_SIZE (3 + TRACE_ID_LEN + 1 + SPAN_ID_LEN + 3 + 1)

#define TRACE_SAMPLED 0x01u

struct trace {
    bool begun;      /* else all else has no meaning */
    bool has_parent; /* the caller's span */
    unsigned flags;  /* W3C's: TRACE_SAMPLED and others */
    char id[TRACE_ID_LEN], parent[SPAN_ID_LEN];
};

static inline bool trace_is_sampled(const struct trace *t)
{
    return (t->flags & TRACE_SAMPLED) != 0;
}

/* Goes on with that of a caller: `traceparent` is a valid one (rules/media.h). */
void trace_continue(struct trace *t, struct str traceparent);

/* Begins one, with an id made of two numbers that were not given before. It is sampled where the
 * lowest 56 bits of the id are below `threshold`: who else decides by the id and the same ratio
 * does the same. */
void trace_begin(struct trace *t, uint64_t one, uint64_t two, uint64_t threshold);

/* The id of a span, of such a number. */
void trace_span_id(uint64_t number, char to[SPAN_ID_LEN]);

/* What the receiver of a call is told, whose parent is that span. */
void trace_write_parent(const struct trace *t, const char span[SPAN_ID_LEN],
                        char to[TRACEPARENT_SIZE]);

#endif
