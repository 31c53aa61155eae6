/* SPDX-License-Identifier: Apache-2.0 */
/* The one budget of memory that bodies, documents and replies of all callers share
 * (`limits.memory`). Any thread may use it: a relaxed atomic count, no lock. */
#ifndef RPCGATE_BASE_BUDGET_H
#define RPCGATE_BASE_BUDGET_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    atomic_size_t used; /* [bytes] */
    atomic_size_t max;  /* [bytes]; a reload may change it, also below `used` */
};

/* Takes `bytes`, or nothing and false if that would exceed the maximum. `b` may be NULL: no
 * limit. */
static inline MUST_CHECK bool budget_take(struct budget *b, size_t bytes)
{
    if (b == NULL)
        return true;
    size_t max = atomic_load_explicit(&b->max, memory_order_relaxed);
    size_t before = atomic_fetch_add_explicit(&b->used, bytes, memory_order_relaxed);
    if (bytes <= max && before <= max - bytes)
        return true;
    atomic_fetch_sub_explicit(&b->used, bytes, memory_order_relaxed);
    return false;
}

static inline void budget_give(struct budget *b, size_t bytes)
{
    if (b != NULL)
        atomic_fetch_sub_explicit(&b->used, bytes, memory_order_relaxed);
}

#endif
