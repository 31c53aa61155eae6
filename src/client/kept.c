/* SPDX-License-Identifier: Apache-2.0 */
#include "client/kept.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A slot of the table for so many bytes of limits.cache. */
#define SLOT_BYTES 1024
#define SLOTS_MIN ((size_t)64)
#define SLOTS_MAX ((size_t)1 << 20)

#define MAKING_SLOTS 1024

/* How many go, or are looked at, while the lock is held. */
#define AT_ONCE 256

/* What malloc takes beside a result's own bytes, about. [bytes] */
#define OVERHEAD 32

#define SECRET_BYTES 32

/* Of all upstreams of a name. */
struct kept_tally {
    atomic_ullong n[KEPT_RESULTS];
    struct kept_tally *next;
    char name[];
};

struct kept_store {
    pthread_mutex_t lock;
    struct kept_tally *tallies; /* owned */
    atomic_size_t max, bytes;
    atomic_size_t outside; /* of them: of results that had to go, and that somebody still reads */
    char secret[SECRET_BYTES];
    uint64_t n_shelves;
    struct kept **slots; /* NULL: nothing was kept yet; owned */
    size_t n_slots;      /* a power of two */
    size_t sweep_at;
    struct list by_use; /* the one that was not asked for the longest time is first */
    struct kept_making *making[MAKING_SLOTS];
};

struct kept_store *kept_store_new(void)
{
    struct kept_store *store = xcalloc(1, sizeof *store);
    pthread_mutex_init(&store->lock, NULL);
    list_init(&store->by_use);
    random_bytes(store->secret, sizeof store->secret);
    return store;
}

/* ---- Results -------------------------------------------------------------------------------- */

static size_t size_of(const struct kept *kept)
{
    return sizeof *kept + kept->len + OVERHEAD;
}

struct kept *kept_new(struct chain *from, size_t at, size_t repaired)
{
    size_t len = chain_len(from) - at;
    bool is_flat = len <= KEPT_LEN_MAX;
    struct kept *kept = malloc(sizeof *kept + (is_flat ? len : 0));
    if (kept == NULL)
        return NULL;
    memset(kept, 0, sizeof *kept);
    atomic_init(&kept->references, 1);
    atomic_init(&kept->was_moved, false);
    kept->repaired = repaired;
    kept->len = len;
    kept->is_flat = is_flat;
    list_init(&kept->in_use);
    list_init(&kept->in_shelf);
    if (!is_flat) {
        if (at > 0)
            chain_cut(from, 0, at);
        chain_move(&kept->chain, from);
        return kept;
    }
    kept->budget = from->budget;
    budget_count(kept->budget, size_of(kept));
    for (const struct chain_block *b = from->first; b != NULL; b = b->next) {
        size_t skip = b->start < at ? at - b->start : 0;
        if (skip < b->len)
            memcpy(kept->data + (b->start + skip - at), b->data + skip, b->len - skip);
    }
    return kept;
}

struct kept *kept_ref(struct kept *kept)
{
    atomic_fetch_add_explicit(&kept->references, 1, memory_order_relaxed);
    return kept;
}

void kept_unref(struct kept *kept)
{
    if (kept == NULL || atomic_fetch_sub_explicit(&kept->references, 1, memory_order_acq_rel) > 1)
        return;
    size_t size = size_of(kept);
    if (!kept->is_flat)
        chain_done(&kept->chain);
    if (kept->store != NULL) {
        atomic_fetch_sub_explicit(&kept->store->bytes, size, memory_order_relaxed);
        atomic_fetch_sub_explicit(&kept->store->outside, size, memory_order_relaxed);
    }
    budget_give(kept->budget, size);
    free(kept);
}

void kept_append(const struct kept *kept, size_t at, size_t len, struct chain *to)
{
    if (kept->is_flat)
        chain_append(to, (struct str){ kept->data + at, len });
    else
        chain_append_range(to, &kept->chain, at, len);
}

bool kept_move(struct kept *kept, size_t at, size_t len, struct chain *to)
{
    if (kept->budget == NULL || kept->budget != to->budget ||
        atomic_exchange(&kept->was_moved, true))
        return false;
    chain_append_moved(to, (struct str){ kept->data + at, len });
    return true;
}

/* ---- The table ------------------------------------------------------------------------------ */

static size_t slot_of(const struct digest *key, size_t n_slots)
{
    uint64_t number;
    memcpy(&number, key->bytes, sizeof number);
    return (size_t)number & (n_slots - 1);
}

/* The keys are hashes already, and no secrets. */
static bool is_same(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static struct kept *find(const struct kept_store *store, const struct digest *key)
{
    if (store->slots == NULL)
        return NULL;
    struct kept *kept = store->slots[slot_of(key, store->n_slots)];
    while (kept != NULL && !is_same(&kept->key, key))
        kept = kept->next;
    return kept;
}

static void take_out(struct kept_store *store, struct kept *kept)
{
    struct kept **at = &store->slots[slot_of(&kept->key, store->n_slots)];
    while (*at != kept)
        at = &(*at)->next;
    *at = kept->next;
    list_remove(&kept->in_use);
    list_remove(&kept->in_shelf);
    atomic_fetch_add_explicit(&store->outside, size_of(kept), memory_order_relaxed);
    kept_unref(kept);
}

static bool is_over(const struct kept_store *store)
{
    return atomic_load_explicit(&store->bytes, memory_order_relaxed) >
           atomic_load_explicit(&store->max, memory_order_relaxed);
}

static void make_room(struct kept_store *store)
{
    for (size_t n = 0; n < AT_ONCE && is_over(store) && !list_empty(&store->by_use); n++)
        take_out(store, LIST_FIRST(&store->by_use, struct kept, in_use));
}

static void need_slots(struct kept_store *store)
{
    size_t max = atomic_load_explicit(&store->max, memory_order_relaxed), n = SLOTS_MIN;
    if (store->slots != NULL)
        return;
    while (n < SLOTS_MAX && n < max / SLOT_BYTES)
        n *= 2;
    store->slots = xcalloc(n, sizeof *store->slots);
    store->n_slots = n;
}

static void put(struct kept_store *store, struct kept_shelf *shelf, const struct digest *key,
                struct kept *kept)
{
    need_slots(store);
    struct kept *before = find(store, key);
    if (before != NULL)
        take_out(store, before);
    struct kept **slot = &store->slots[slot_of(key, store->n_slots)];
    kept->key = *key;
    kept->next = *slot;
    kept->store = store;
    *slot = kept_ref(kept);
    list_add_last(&store->by_use, &kept->in_use);
    list_add_last(&shelf->results, &kept->in_shelf);
    atomic_fetch_add_explicit(&store->bytes, size_of(kept), memory_order_relaxed);
    make_room(store);
}

/* ---- What is being made --------------------------------------------------------------------- */

static struct kept_making *find_making(const struct kept_store *store, const struct digest *key)
{
    struct kept_making *making = store->making[slot_of(key, MAKING_SLOTS)];
    while (making != NULL && !is_same(&making->key, key))
        making = making->next;
    return making;
}

static void show(struct kept_store *store, struct kept_making *making)
{
    struct kept_making **slot = &store->making[slot_of(&making->key, MAKING_SLOTS)];
    making->is_shown = true;
    making->next = *slot;
    *slot = making;
}

static void hide(struct kept_store *store, struct kept_making *making)
{
    struct kept_making **at = &store->making[slot_of(&making->key, MAKING_SLOTS)];
    if (!making->is_shown)
        return;
    while (*at != making)
        at = &(*at)->next;
    *at = making->next;
    making->is_shown = false;
}

/* ---- Asking --------------------------------------------------------------------------------- */

static struct kept *take(struct kept_store *store, const struct digest *key, int64_t oldest_ms)
{
    struct kept *kept = find(store, key);
    if (kept == NULL || kept->made_ms < oldest_ms)
        return NULL;
    list_remove(&kept->in_use);
    list_add_last(&store->by_use, &kept->in_use);
    return kept_ref(kept);
}

static enum kept_answer ask_locked(struct kept_store *store, struct kept_ask *ask)
{
    struct kept_making *found = ask->waits ? find_making(store, ask->key) : NULL;
    ask->result = take(store, ask->key, ask->oldest_ms);
    if (ask->result != NULL)
        return KEPT_HIT;
    if (found != NULL) {
        atomic_fetch_add_explicit(&found->references, 1, memory_order_relaxed);
        ask->making = found;
        return KEPT_MAKING;
    }
    if (ask->making != NULL && ask->waits)
        show(store, ask->making);
    return KEPT_NONE;
}

enum kept_answer kept_ask(struct kept_store *store, struct kept_ask *ask)
{
    pthread_mutex_lock(&store->lock);
    enum kept_answer answer = ask_locked(store, ask);
    pthread_mutex_unlock(&store->lock);
    return answer;
}

struct kept *kept_find(struct kept_store *store, const struct digest *key, int64_t oldest_ms)
{
    pthread_mutex_lock(&store->lock);
    struct kept *kept = take(store, key, oldest_ms);
    pthread_mutex_unlock(&store->lock);
    return kept;
}

/* Those that went count until nobody reads them; who keeps them from going is given no more. */
static bool has_place(const struct kept_store *store)
{
    return atomic_load_explicit(&store->outside, memory_order_relaxed) <=
           atomic_load_explicit(&store->max, memory_order_relaxed) / 2;
}

bool kept_made(struct kept_store *store, struct kept_shelf *shelf, struct kept_making *making,
               struct kept *result, int64_t until_ms)
{
    bool is_kept =
        result != NULL && result->is_flat && kept_fits(store, result->len) && has_place(store);
    struct budget *budget = is_kept ? TAKE(result->budget) : NULL;
    pthread_mutex_lock(&store->lock);
    if (is_kept) {
        result->until_ms = until_ms;
        put(store, shelf, &making->key, result);
    }
    hide(store, making);
    pthread_mutex_unlock(&store->lock);
    if (is_kept)
        budget_give(budget, size_of(result));
    return is_kept;
}

/* ---- The whole ------------------------------------------------------------------------------ */

static struct kept_tally *tally_of(struct kept_store *store, const char *name)
{
    size_t size = strlen(name) + 1;
    struct kept_tally *tally = store->tallies;
    while (tally != NULL && strcmp(tally->name, name) != 0)
        tally = tally->next;
    if (tally != NULL)
        return tally;
    tally = xcalloc(1, sizeof *tally + size);
    memcpy(tally->name, name, size);
    tally->next = store->tallies;
    store->tallies = tally;
    return tally;
}

void kept_shelf_bind(struct kept_shelf *shelf, struct kept_store *store)
{
    if (atomic_load_explicit(&shelf->tally, memory_order_acquire) != NULL)
        return;
    pthread_mutex_lock(&store->lock);
    if (atomic_load_explicit(&shelf->tally, memory_order_relaxed) == NULL) {
        shelf->store = store;
        shelf->number = ++store->n_shelves;
        atomic_store_explicit(&shelf->tally, tally_of(store, shelf->name), memory_order_release);
    }
    pthread_mutex_unlock(&store->lock);
}

void kept_count(struct kept_shelf *shelf, enum kept_result result)
{
    struct kept_tally *tally = atomic_load_explicit(&shelf->tally, memory_order_acquire);
    atomic_fetch_add_explicit(&tally->n[result], 1, memory_order_relaxed);
}

uint64_t kept_counted(const struct kept_shelf *shelf, enum kept_result result)
{
    const struct kept_tally *tally = atomic_load_explicit(&shelf->tally, memory_order_acquire);
    return tally != NULL ? atomic_load_explicit(&tally->n[result], memory_order_relaxed) : 0;
}

const char *kept_result_name(enum kept_result result)
{
    static const char *const names[KEPT_RESULTS] = {
#define X(word, name) [KEPT_RESULT_##word] = name,
        KEPT_RESULT_LIST(X)
#undef X
    };
    return names[result];
}

void kept_key(const struct kept_shelf *shelf, const struct str *texts, size_t n, struct digest *ret)
{
    const struct kept_store *store = shelf->store;
    struct str *all = xcalloc(n + 2, sizeof *all);
    all[0] = (struct str){ store->secret, sizeof store->secret };
    all[1] = (struct str){ (const char *)&shelf->number, sizeof shelf->number };
    for (size_t i = 0; i < n; i++)
        all[2 + i] = texts[i];
    digest_of_all(all, n + 2, ret);
    free(all);
}

void kept_set_max(struct kept_store *store, size_t bytes)
{
    atomic_store_explicit(&store->max, bytes, memory_order_relaxed);
    kept_sweep(store, INT64_MIN);
}

size_t kept_bytes(const struct kept_store *store)
{
    return store != NULL ? atomic_load_explicit(&store->bytes, memory_order_relaxed) : 0;
}

bool kept_fits(const struct kept_store *store, size_t len)
{
    size_t max = atomic_load_explicit(&store->max, memory_order_relaxed);
    return len <= KEPT_LEN_MAX && sizeof(struct kept) + len + OVERHEAD <= max / KEPT_PART;
}

static void sweep_slot(struct kept_store *store, size_t slot, int64_t now_ms)
{
    struct kept *kept = store->slots[slot];
    while (kept != NULL) {
        struct kept *next = kept->next;
        if (kept->until_ms <= now_ms)
            take_out(store, kept);
        kept = next;
    }
}

void kept_sweep(struct kept_store *store, int64_t now_ms)
{
    size_t n = 0;
    bool is_done;
    do {
        pthread_mutex_lock(&store->lock);
        size_t end = n + AT_ONCE < store->n_slots ? n + AT_ONCE : store->n_slots;
        for (; n < end; n++)
            sweep_slot(store, n, now_ms);
        make_room(store);
        is_done = n == store->n_slots;
        pthread_mutex_unlock(&store->lock);
    } while (!is_done);
}

void kept_shelf_init(struct kept_shelf *shelf, const char *name)
{
    *shelf = (struct kept_shelf){ .name = name };
    list_init(&shelf->results);
}

void kept_shelf_done(struct kept_shelf *shelf)
{
    struct kept_store *store = shelf->store;
    bool is_done = store == NULL;
    while (!is_done) {
        pthread_mutex_lock(&store->lock);
        for (size_t n = 0; n < AT_ONCE && !list_empty(&shelf->results); n++)
            take_out(store, LIST_FIRST(&shelf->results, struct kept, in_shelf));
        is_done = list_empty(&shelf->results);
        pthread_mutex_unlock(&store->lock);
    }
}

void kept_store_free(struct kept_store *store)
{
    while (!list_empty(&store->by_use))
        take_out(store, LIST_FIRST(&store->by_use, struct kept, in_use));
    for (size_t i = 0; i < MAKING_SLOTS; i++)
        assert(store->making[i] == NULL);
    while (store->tallies != NULL) {
        struct kept_tally *tally = store->tallies;
        store->tallies = tally->next;
        free(tally);
    }
    wipe(store->secret, sizeof store->secret);
    free(store->slots);
    pthread_mutex_destroy(&store->lock);
    free(store);
}
