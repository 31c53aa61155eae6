/* SPDX-License-Identifier: Apache-2.0 */
#include "client/slots.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

#define ONE_WAITING (1ULL << 32)

static uint32_t out_of(unsigned long long word)
{
    return (uint32_t)word;
}

static uint32_t waiting_of(unsigned long long word)
{
    return (uint32_t)(word >> 32);
}

static unsigned long long look(const struct slots *p)
{
    return atomic_load_explicit(&p->word, memory_order_acquire);
}

/* False: the word has changed, and `word` is what it is now. */
static bool change(struct slots *p, unsigned long long *word, unsigned long long to)
{
    return atomic_compare_exchange_weak_explicit(&p->word, word, to, memory_order_acq_rel,
                                                 memory_order_acquire);
}

void slots_init(struct slots *p, uint32_t max, uint32_t max_waiting, size_t n_workers)
{
    *p = (struct slots){ .max = max, .max_waiting = max_waiting, .n_slots = n_workers };
    p->slots = xcalloc(n_workers, sizeof *p->slots);
}

void slots_done(struct slots *p)
{
    free(p->slots);
}

bool slots_try(struct slots *p)
{
    unsigned long long word = look(p);
    while (LIKELY(out_of(word) < p->max && waiting_of(word) == 0))
        if (LIKELY(change(p, &word, word + 1)))
            return true;
    return false;
}

enum slots_answer slots_join(struct slots *p)
{
    unsigned long long word = look(p);
    for (;;) {
        bool is_free = out_of(word) < p->max && waiting_of(word) == 0;
        if (!is_free && waiting_of(word) >= p->max_waiting)
            return SLOTS_FULL;
        if (change(p, &word, is_free ? word + 1 : word + ONE_WAITING))
            return is_free ? SLOTS_TAKEN : SLOTS_WAIT;
    }
}

void slots_leave(struct slots *p)
{
    unsigned long long before =
        atomic_fetch_sub_explicit(&p->word, ONE_WAITING, memory_order_acq_rel);
    assert(waiting_of(before) > 0);
}

void slots_show(struct slots *p, size_t worker, int64_t since_us)
{
    atomic_store_explicit(&p->slots[worker].since_us, since_us, memory_order_release);
}

bool slots_due_elsewhere(const struct slots *p, size_t worker, int64_t since_us, int64_t now_us)
{
    int64_t own = now_us - since_us;
    for (size_t i = 0; i < p->n_slots; i++) {
        int64_t since = atomic_load_explicit(&p->slots[i].since_us, memory_order_relaxed);
        if (i != worker && since != 0 && (now_us - since) * 3 > own * 4 &&
            atomic_load_explicit(&p->slots[i].given, memory_order_relaxed) == 0)
            return true;
    }
    return false;
}

/* The one whose first call has waited longest; one that has not even picked up what it was given
 * only if there is no other. SLOTS_NOBODY: none waits. */
static size_t longest_waiting(const struct slots *p)
{
    size_t found = SLOTS_NOBODY;
    bool found_given = true;
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < p->n_slots; i++) {
        int64_t since = atomic_load_explicit(&p->slots[i].since_us, memory_order_acquire);
        if (since == 0)
            continue;
        bool given = atomic_load_explicit(&p->slots[i].given, memory_order_relaxed) > 0;
        if (given == found_given ? since < oldest : found_given) {
            found = i;
            found_given = given;
            oldest = since;
        }
    }
    return found;
}

size_t slots_give(struct slots *p)
{
    unsigned long long word = look(p);
    for (;;) {
        assert(out_of(word) > 0);
        if (LIKELY(waiting_of(word) == 0)) {
            if (LIKELY(change(p, &word, word - 1)))
                return SLOTS_NOBODY;
            continue;
        }
        size_t to = longest_waiting(p);
        if (to != SLOTS_NOBODY) {
            atomic_fetch_add_explicit(&p->slots[to].given, 1, memory_order_acq_rel);
            return to;
        }
        /* The call that was waiting has left meanwhile. */
        word = look(p);
    }
}

unsigned slots_pick_up(struct slots *p, size_t worker)
{
    return atomic_exchange_explicit(&p->slots[worker].given, 0, memory_order_acq_rel);
}

bool slots_press(struct slots *p, size_t worker, const void *who)
{
    _Atomic(const void *) *presser = &p->slots[worker].presser;
    if (atomic_load_explicit(presser, memory_order_relaxed) == who)
        return false;
    atomic_store_explicit(presser, who, memory_order_relaxed);
    return true;
}

bool slots_is_pressed(const struct slots *p, const void *who)
{
    for (size_t i = 0; i < p->n_slots; i++) {
        const void *presser = atomic_load_explicit(&p->slots[i].presser, memory_order_relaxed);
        if (presser != NULL && presser != who)
            return true;
    }
    return false;
}

uint32_t slots_out(const struct slots *p)
{
    return out_of(look(p));
}

uint32_t slots_waiting(const struct slots *p)
{
    return waiting_of(look(p));
}
