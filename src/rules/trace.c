/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/trace.h"

#include "settings/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RATIO_MASK ((UINT64_C(1) << TRACE_RATIO_BITS) - 1)

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static void write_hex(uint64_t number, char to[16])
{
    for (int i = 15; i >= 0; i--, number >>= 4)
        to[i] = "0123456789abcdef"[number & 15];
}

/* The finalizer of splitmix64: the numbers walk by an odd step from a random start, and this makes
 * of different ones what looks random in each bit. */
static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return n ^ n >> 31;
}

void trace_continue(struct trace *t, struct str traceparent)
{
    const char *flags = traceparent.data + 53;
    t->begun = true;
    t->has_parent = true;
    t->flags = hex_digit(flags[0]) << 4 | hex_digit(flags[1]);
    memcpy(t->id, traceparent.data + 3, TRACE_ID_LEN);
    memcpy(t->parent, traceparent.data + 36, SPAN_ID_LEN);
}

void trace_begin(struct trace *t, uint64_t one, uint64_t two, uint64_t threshold)
{
    uint64_t high = mix(one), low = mix(two);
    *t = (struct trace){ .begun = true };
    if ((low & RATIO_MASK) < threshold)
        t->flags = TRACE_SAMPLED;
    write_hex(high != 0 ? high : 1, t->id); /* an id of zeros is none */
    write_hex(low, t->id + 16);
}

void trace_span_id(uint64_t number, char to[SPAN_ID_LEN])
{
    uint64_t id = mix(number);
    write_hex(id != 0 ? id : 1, to);
}

void trace_write_parent(const struct trace *t, const char span[SPAN_ID_LEN],
                        char to[TRACEPARENT_SIZE])
{
    snprintf(to, TRACEPARENT_SIZE, "00-%.*s-%.*s-%02x", TRACE_ID_LEN, t->id, SPAN_ID_LEN, span,
             t->flags & 0xff);
}
