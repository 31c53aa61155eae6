/* SPDX-License-Identifier: Apache-2.0 */
#include "work/metrics.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

static const int64_t bounds_us[] = {
#define X(bound) bound,
    METRICS_BOUNDS(X)
#undef X
};

static_assert(ARRAY_LEN(bounds_us) + 1 == METRICS_BUCKETS, "one bucket has the rest");

/* The worker is the only one who writes: no locked instruction is needed. */
static void add(atomic_ullong *number, uint64_t more)
{
    uint64_t before = atomic_load_explicit(number, memory_order_relaxed);
    atomic_store_explicit(number, before + more, memory_order_relaxed);
}

void histogram_observe(struct histogram *h, int64_t us)
{
    size_t i = 0;
    while (i < ARRAY_LEN(bounds_us) && us > bounds_us[i])
        i++;
    add(&h->buckets[i], 1);
    add(&h->sum_us, us > 0 ? (uint64_t)us : 0);
}

/* FNV-1a. */
static size_t slot_of(struct str name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * UINT64_C(0x100000001B3);
    return (size_t)(hash % METHOD_NAMES_SLOTS);
}

/* Puts a name into an empty slot. What another thread has put there meanwhile is left in
 * `ret_there`. */
static bool put(struct method_names *names, size_t slot, struct str name, char **ret_there)
{
    char *copy = xmemdup0(name.data, name.len);
    *ret_there = NULL;
    if (atomic_compare_exchange_strong(&names->names[slot], ret_there, copy)) {
        atomic_fetch_add(&names->n, 1);
        return true;
    }
    free(copy);
    return false;
}

/* The place of a name, METHOD_OTHER where it has none. With `add_it` it gets one, if there is
 * room. */
static size_t find_name(struct method_names *names, struct str name, bool add_it)
{
    size_t slot = slot_of(name);
    for (size_t i = 0; i < METHOD_NAMES_SLOTS; i++, slot = (slot + 1) % METHOD_NAMES_SLOTS) {
        char *there = atomic_load_explicit(&names->names[slot], memory_order_acquire);
        if (there == NULL) {
            if (!add_it || atomic_load(&names->n) >= METHOD_NAMES_MAX)
                return METHOD_OTHER;
            if (put(names, slot, name, &there))
                return slot;
        }
        if (str_eq_c(name, there))
            return slot;
    }
    return METHOD_OTHER;
}

struct upstream_record *upstream_record_new(const char *name, size_t n_workers)
{
    struct upstream_record *record = xcalloc(1, sizeof *record);
    record->name = xstrdup(name);
    record->by_worker = xcalloc(n_workers, sizeof *record->by_worker);
    record->n_workers = n_workers;
    return record;
}

void upstream_record_free(struct upstream_record *record)
{
    for (size_t i = 0; i < METHOD_NAMES_SLOTS; i++)
        free(atomic_load(&record->methods.names[i]));
    for (size_t i = 0; i < record->n_workers; i++)
        for (size_t k = 0; k <= METHOD_NAMES_SLOTS; k++)
            free(atomic_load(&record->by_worker[i].outcomes[k]));
    free(record->by_worker);
    free(record->name);
    free(record);
}

static void count_outcome(struct upstream_metrics *u, size_t method, size_t outcome)
{
    atomic_ullong *row = atomic_load_explicit(&u->outcomes[method], memory_order_relaxed);
    if (row == NULL) {
        row = xcalloc(METRICS_OUTCOMES, sizeof *row);
        atomic_store_explicit(&u->outcomes[method], row, memory_order_release);
    }
    add(&row[outcome], 1);
}

void metrics_count_outcome(struct upstream_record *record, size_t worker, struct str method,
                           size_t outcome)
{
    size_t slot = METHOD_OTHER;
    if (method.len > 0)
        slot = find_name(&record->methods, method, outcome == 0);
    count_outcome(&record->by_worker[worker], slot, outcome);
}

void metrics_count_request(struct upstream_record *record, size_t worker, enum face face,
                           int64_t us)
{
    struct upstream_metrics *u = &record->by_worker[worker];
    size_t at = 0;
    histogram_observe(&u->request, us);
    while (at < METRICS_FACES && (unsigned)face != 1U << at)
        at++;
    if (at < METRICS_FACES)
        add(&u->faces[at], 1);
}

void metrics_count_call(struct upstream_record *record, size_t worker,
                        const struct call_times *times)
{
    struct upstream_metrics *u = &record->by_worker[worker];
    if (times->attempts > 0)
        histogram_observe(&u->upstream, times->upstream_us);
    histogram_observe(&u->queue, times->queue_us);
    if (times->attempts > 1)
        add(&u->retries, times->attempts - 1);
}
