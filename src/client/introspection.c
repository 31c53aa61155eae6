/* SPDX-License-Identifier: Apache-2.0 */
#include "client/introspection.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/list.h"
#include "client/client.h"
#include "client/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* So much is kept of one upstream's methods, beside their names. */
#define ENTRIES_MAX ((size_t)1024)
#define BYTES_MAX ((size_t)4 * 1024 * 1024)

/* What could not be fetched is not asked for again at once, whoever wants it. */
#define AGAIN_MS 1000

struct failure {
    struct error *error; /* owned; NULL: the last fetch has not failed */
    int64_t when_ms;
};

struct introspection_entry {
    struct list in_entries; /* of its introspection; the last one that was asked for is first */
    struct str key;         /* its bytes are behind the struct */
    struct description *description; /* the newest; NULL: none */
    int64_t fetched_ms;              /* when that came */
    struct failure failure;
    bool is_fetched; /* now */
    unsigned round;  /* how many fetches have ended */
    size_t n_waiting;
};

struct introspection {
    pthread_mutex_t lock;
    struct list entries;
    size_t n_entries;
    size_t bytes;           /* of the descriptions of methods */
    struct once news;       /* all who wait for a fetch; each looks whether it was for that */
    struct failure failure; /* of the upstream, whatever it was asked about */
    atomic_bool no_multicall;
};

struct description *description_new(struct budget *budget, bool there, struct str text)
{
    size_t size = sizeof(struct description) + text.len + 1;
    if (!budget_take(budget, size))
        return NULL;
    struct description *description = malloc(size);
    if (description == NULL) {
        budget_give(budget, size);
        return NULL;
    }
    description->budget = budget;
    description->there = there;
    description->len = text.len;
    atomic_init(&description->references, 1);
    if (text.len > 0)
        memcpy(description->text, text.data, text.len);
    description->text[text.len] = '\0';
    return description;
}

static struct description *description_ref(struct description *description)
{
    atomic_fetch_add_explicit(&description->references, 1, memory_order_relaxed);
    return description;
}

void description_unref(struct description *description)
{
    if (description == NULL ||
        atomic_fetch_sub_explicit(&description->references, 1, memory_order_acq_rel) > 1)
        return;
    budget_give(description->budget, sizeof *description + description->len + 1);
    free(description);
}

struct introspection *introspection_new(void)
{
    struct introspection *i = xcalloc(1, sizeof *i);
    pthread_mutex_init(&i->lock, NULL);
    once_init(&i->news);
    list_init(&i->entries);
    return i;
}

static void entry_free(struct introspection *i, struct introspection_entry *e)
{
    if (e->description != NULL && e->key.len > 0)
        i->bytes -= e->description->len;
    list_remove(&e->in_entries);
    i->n_entries--;
    description_unref(e->description);
    free(e->failure.error);
    free(e);
}

void introspection_free(struct introspection *i)
{
    LIST_EACH (&i->entries, at, following)
        entry_free(i, CONTAINER_OF(at, struct introspection_entry, in_entries));
    pthread_mutex_destroy(&i->lock);
    free(i->failure.error);
    once_done(&i->news);
    free(i);
}

struct str introspection_key(const struct introspection_entry *entry)
{
    return entry->key;
}

bool introspection_has_no_multicall(const struct introspection *i)
{
    return atomic_load_explicit(&i->no_multicall, memory_order_relaxed);
}

void introspection_set_no_multicall(struct introspection *i)
{
    atomic_store_explicit(&i->no_multicall, true, memory_order_relaxed);
}

/* ---- Under the lock ---- */

static struct introspection_entry *entry_add(struct introspection *i, struct str key)
{
    struct introspection_entry *e = xcalloc(1, sizeof *e + key.len);
    if (key.len > 0)
        memcpy(e + 1, key.data, key.len);
    e->key = (struct str){ (const char *)(e + 1), key.len };
    list_add_first(&i->entries, &e->in_entries);
    i->n_entries++;
    return e;
}

static struct introspection_entry *entry_find(struct introspection *i, struct str key)
{
    LIST_EACH (&i->entries, at, following) {
        struct introspection_entry *e = CONTAINER_OF(at, struct introspection_entry, in_entries);
        if (!str_eq(e->key, key))
            continue;
        list_remove(at);
        list_add_first(&i->entries, at);
        return e;
    }
    return entry_add(i, key);
}

/* Forgets the methods that were not asked for for the longest time. */
static void shrink(struct introspection *i)
{
    for (struct list *at = i->entries.prev, *before = at->prev;
         at != &i->entries && (i->n_entries > ENTRIES_MAX || i->bytes > BYTES_MAX);
         at = before, before = at->prev) {
        struct introspection_entry *e = CONTAINER_OF(at, struct introspection_entry, in_entries);
        if (!e->is_fetched && e->n_waiting == 0 && e->key.len > 0)
            entry_free(i, e);
    }
}

static struct introspection *of(const struct introspection_waiter *waiter)
{
    return waiter->site->pools[waiter->upstream->index]->shared->introspection;
}

static void stop_waiting(struct introspection_waiter *waiter)
{
    if (waiter->waits_for == NULL)
        return;
    assert(waiter->waits_for->n_waiting > 0);
    waiter->waits_for->n_waiting--;
    waiter->waits_for = NULL;
    once_leave(&waiter->wait);
}

static void begin_waiting(struct introspection_waiter *waiter, struct introspection_entry *e)
{
    e->n_waiting++;
    waiter->waits_for = e;
    waiter->round = e->round;
    once_wait(&of(waiter)->news, &waiter->wait, waiter->site->client->work, waiter->until_ms);
}

/* Why it is not asked for now; NULL: nothing against it. */
static const struct error *recent_failure(const struct introspection *i,
                                          const struct introspection_entry *e)
{
    int64_t now_ms = clock_now_ms();
    if (e->failure.error != NULL && now_ms < e->failure.when_ms + AGAIN_MS)
        return e->failure.error;
    if (i->failure.error != NULL && now_ms < i->failure.when_ms + AGAIN_MS)
        return i->failure.error;
    return NULL;
}

/* Is it to be fetched? Then the caller does that. */
static bool want(const struct introspection *i, struct introspection_entry *e, int64_t ttl_ms)
{
    bool is_new = e->description != NULL && clock_now_ms() < e->fetched_ms + ttl_ms;
    if (e->is_fetched || is_new || recent_failure(i, e) != NULL)
        return false;
    e->is_fetched = true;
    return true;
}

/* Has the fetch ended that it waits for? */
static bool has_news(const struct introspection_waiter *waiter, const struct introspection_entry *e)
{
    return waiter->waits_for == e && waiter->round != e->round;
}

static enum introspection_answer answer(struct introspection_waiter *waiter,
                                        struct introspection_entry *e, struct description **ret,
                                        struct error *err)
{
    const struct error *failure = has_news(waiter, e) ? e->failure.error : NULL;
    if (failure == NULL && !e->is_fetched)
        failure = recent_failure(of(waiter), e);
    stop_waiting(waiter);
    if (e->description != NULL) {
        *ret = description_ref(e->description);
        return INTROSPECTION_READY;
    }
    if (failure != NULL) {
        *err = *failure;
        return INTROSPECTION_FAILED;
    }
    begin_waiting(waiter, e);
    return INTROSPECTION_WAIT;
}

static void put_description(struct introspection *i, struct introspection_entry *e,
                            struct description *description)
{
    if (e->key.len > 0) {
        i->bytes += description->len;
        i->bytes -= e->description != NULL ? e->description->len : 0;
    }
    description_unref(e->description);
    e->description = description;
    e->fetched_ms = clock_now_ms();
    free(TAKE(e->failure.error));
    free(TAKE(i->failure.error));
}

static void set_failure(struct failure *failure, const struct error *err)
{
    if (failure->error == NULL)
        failure->error = xcalloc(1, sizeof *failure->error);
    *failure->error = *err;
    failure->when_ms = clock_now_ms();
}

/* An answer that cannot be used says nothing of what it would answer to other questions. */
static void put_failure(struct introspection *i, struct introspection_entry *e,
                        const struct error *err)
{
    set_failure(&e->failure, err);
    if (err->type != PROBLEM_BAD_RESPONSE && err->type != PROBLEM_RESPONSE_TOO_LARGE)
        set_failure(&i->failure, err);
}

/* ---- */

enum introspection_answer introspection_ask(struct introspection_waiter *waiter, struct str key,
                                            struct description **ret, struct error *err)
{
    struct introspection *i = of(waiter);
    pthread_mutex_lock(&i->lock);
    struct introspection_entry *e = entry_find(i, key);
    bool may_want = !has_news(waiter, e);
    enum introspection_answer how = answer(waiter, e, ret, err);
    bool wanted = may_want && want(i, e, waiter->upstream->introspection.ttl);
    pthread_mutex_unlock(&i->lock);
    if (wanted)
        introspection_fetch(waiter->site, waiter->upstream, i, e);
    return how;
}

void introspection_leave(struct introspection_waiter *waiter)
{
    if (waiter->waits_for == NULL)
        return;
    struct introspection *i = of(waiter);
    pthread_mutex_lock(&i->lock);
    stop_waiting(waiter);
    pthread_mutex_unlock(&i->lock);
}

void introspection_tell(struct introspection *i, struct introspection_entry *entry,
                        struct description *description, const struct error *err)
{
    pthread_mutex_lock(&i->lock);
    entry->is_fetched = false;
    entry->round++;
    if (description != NULL)
        put_description(i, entry, description);
    else
        put_failure(i, entry, err);
    shrink(i);
    once_tell(&i->news);
    pthread_mutex_unlock(&i->lock);
}
