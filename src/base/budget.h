/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of memory: the one that bodies, documents and replies of all callers share
 * (`limits.memory`), and parts of it. Any thread may use them: relaxed atomic counts, no lock. */
#ifndef RPCGATE_BASE_BUDGET_H
#define RPCGATE_BASE_BUDGET_H

#include "base/macros.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    atomic_size_t used;    /* [bytes] */
    atomic_size_t max;     /* [bytes]; a reload may change it, also below `used` */
    struct budget *parent; /* whose part it is: what is taken counts there, too; NULL: of none */
    atomic_uint n_waiting; /* who is told when something is given back; of one without a parent */
    void (*given)(struct budget *b); /* tells them; any thread; NULL: nobody ever waits */
};

/* In one order with n_waiting: whoever is counted there either finds what is given, or is told. */
static inline void budget_give(struct budget *b, size_t bytes)
{
    for (struct budget *parent; b != NULL; b = parent) {
        parent = b->parent;
        atomic_fetch_sub(&b->used, bytes);
        if (parent == NULL && UNLIKELY(atomic_load(&b->n_waiting) > 0))
            b->given(b);
    }
}

/* Counts what is there already and cannot be given back before it was used: beyond the maximum,
 * too, so that others find less. `b` may be NULL. */
static inline void budget_count(struct budget *b, size_t bytes)
{
    for (; b != NULL; b = b->parent)
        atomic_fetch_add_explicit(&b->used, bytes, memory_order_relaxed);
}

/* Takes `bytes`, or nothing and false if that would exceed the maximum, or that of a parent. `b`
 * may be NULL: no limit. */
static inline MUST_CHECK bool budget_take(struct budget *b, size_t bytes)
{
    struct budget *at;
    for (at = b; at != NULL; at = at->parent) {
        size_t max = atomic_load_explicit(&at->max, memory_order_relaxed);
        size_t before = atomic_fetch_add_explicit(&at->used, bytes, memory_order_relaxed);
        if (UNLIKELY(bytes > max || before > max - bytes))
            break;
    }
    if (LIKELY(at == NULL))
        return true;
    for (struct budget *end = at->parent; b != end; b = b->parent)
        atomic_fetch_sub_explicit(&b->used, bytes, memory_order_relaxed);
    if (at->parent == NULL && UNLIKELY(atomic_load(&at->n_waiting) > 0))
        at->given(at);
    return false;
}

#endif
