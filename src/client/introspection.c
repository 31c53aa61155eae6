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
#define TOPICS_MAX ((size_t)1024)
#define BYTES_MAX ((size_t)4 * 1024 * 1024)

/* What could not be fetched is not asked for again at once, whoever wants it. */
#define AGAIN_MS 1000

struct failure {
    struct error *error; /* owned; NULL: the last fetch has not failed */
    int64_t when_ms;
};

struct topic {
    struct list in_topics; /* of its introspection; the last one that was asked for is first */
    struct str name;       /* its bytes are behind the struct */
    struct fact *fact;     /* the newest; NULL: none */
    int64_t fetched_ms;    /* when that came */
    struct failure failure;
    bool is_fetched; /* now */
    unsigned round;  /* how many fetches have ended */
    size_t n_waiting;
};

struct introspection {
    pthread_mutex_t lock;
    struct list topics;
    size_t n_topics;
    size_t bytes;           /* of the facts of methods */
    struct once told;       /* all who wait for a fetch; each looks whether it was for that */
    struct failure failure; /* of the upstream, whatever it was asked about */
    atomic_bool no_multicall;
};

struct fact *fact_new(struct budget *budget, bool there, struct str text)
{
    size_t size = sizeof(struct fact) + text.len + 1;
    if (!budget_take(budget, size))
        return NULL;
    struct fact *fact = malloc(size);
    if (fact == NULL) {
        budget_give(budget, size);
        return NULL;
    }
    fact->budget = budget;
    fact->there = there;
    fact->len = text.len;
    atomic_init(&fact->references, 1);
    if (text.len > 0)
        memcpy(fact->text, text.data, text.len);
    fact->text[text.len] = '\0';
    return fact;
}

static struct fact *fact_ref(struct fact *fact)
{
    atomic_fetch_add_explicit(&fact->references, 1, memory_order_relaxed);
    return fact;
}

void fact_unref(struct fact *fact)
{
    if (fact == NULL || atomic_fetch_sub_explicit(&fact->references, 1, memory_order_acq_rel) > 1)
        return;
    budget_give(fact->budget, sizeof *fact + fact->len + 1);
    free(fact);
}

struct introspection *introspection_new(void)
{
    struct introspection *i = xcalloc(1, sizeof *i);
    pthread_mutex_init(&i->lock, NULL);
    once_init(&i->told);
    list_init(&i->topics);
    return i;
}

static void topic_free(struct introspection *i, struct topic *t)
{
    if (t->fact != NULL && t->name.len > 0)
        i->bytes -= t->fact->len;
    list_remove(&t->in_topics);
    i->n_topics--;
    fact_unref(t->fact);
    free(t->failure.error);
    free(t);
}

void introspection_free(struct introspection *i)
{
    LIST_EACH (&i->topics, at, following)
        topic_free(i, CONTAINER_OF(at, struct topic, in_topics));
    pthread_mutex_destroy(&i->lock);
    free(i->failure.error);
    once_done(&i->told);
    free(i);
}

struct str topic_name(const struct topic *topic)
{
    return topic->name;
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

static struct topic *topic_add(struct introspection *i, struct str name)
{
    struct topic *t = xcalloc(1, sizeof *t + name.len);
    if (name.len > 0)
        memcpy(t + 1, name.data, name.len);
    t->name = (struct str){ (const char *)(t + 1), name.len };
    list_add_first(&i->topics, &t->in_topics);
    i->n_topics++;
    return t;
}

static struct topic *topic_find(struct introspection *i, struct str name)
{
    LIST_EACH (&i->topics, at, following) {
        struct topic *t = CONTAINER_OF(at, struct topic, in_topics);
        if (!str_eq(t->name, name))
            continue;
        list_remove(at);
        list_add_first(&i->topics, at);
        return t;
    }
    return topic_add(i, name);
}

/* Forgets the methods that were not asked for for the longest time. */
static void shrink(struct introspection *i)
{
    for (struct list *at = i->topics.prev, *before = at->prev;
         at != &i->topics && (i->n_topics > TOPICS_MAX || i->bytes > BYTES_MAX);
         at = before, before = at->prev) {
        struct topic *t = CONTAINER_OF(at, struct topic, in_topics);
        if (!t->is_fetched && t->n_waiting == 0 && t->name.len > 0)
            topic_free(i, t);
    }
}

static struct introspection *of(const struct curious *curious)
{
    return curious->site->pools[curious->upstream->index]->shared->introspection;
}

static void stop_waiting(struct curious *curious)
{
    if (curious->waits_for == NULL)
        return;
    assert(curious->waits_for->n_waiting > 0);
    curious->waits_for->n_waiting--;
    curious->waits_for = NULL;
    once_leave(&curious->wait);
}

static void begin_waiting(struct curious *curious, struct topic *t)
{
    t->n_waiting++;
    curious->waits_for = t;
    curious->round = t->round;
    once_wait(&of(curious)->told, &curious->wait, curious->site->client->work, curious->until_ms);
}

/* Why the topic is not asked for now; NULL: nothing against it. */
static const struct error *recent_failure(const struct introspection *i, const struct topic *t)
{
    int64_t now_ms = clock_now_ms();
    if (t->failure.error != NULL && now_ms < t->failure.when_ms + AGAIN_MS)
        return t->failure.error;
    if (i->failure.error != NULL && now_ms < i->failure.when_ms + AGAIN_MS)
        return i->failure.error;
    return NULL;
}

/* Is it to be fetched? Then the caller does that. */
static bool want(const struct introspection *i, struct topic *t, int64_t ttl_ms)
{
    bool is_new = t->fact != NULL && clock_now_ms() < t->fetched_ms + ttl_ms;
    if (t->is_fetched || is_new || recent_failure(i, t) != NULL)
        return false;
    t->is_fetched = true;
    return true;
}

/* Has the fetch ended that it waits for? */
static bool is_told(const struct curious *curious, const struct topic *t)
{
    return curious->waits_for == t && curious->round != t->round;
}

static enum introspection_answer answer(struct curious *curious, struct topic *t, struct fact **ret,
                                        struct error *err)
{
    const struct error *failure = is_told(curious, t) ? t->failure.error : NULL;
    if (failure == NULL && !t->is_fetched)
        failure = recent_failure(of(curious), t);
    stop_waiting(curious);
    if (t->fact != NULL) {
        *ret = fact_ref(t->fact);
        return INTROSPECTION_READY;
    }
    if (failure != NULL) {
        *err = *failure;
        return INTROSPECTION_FAILED;
    }
    begin_waiting(curious, t);
    return INTROSPECTION_WAIT;
}

static void put_fact(struct introspection *i, struct topic *t, struct fact *fact)
{
    if (t->name.len > 0) {
        i->bytes += fact->len;
        i->bytes -= t->fact != NULL ? t->fact->len : 0;
    }
    fact_unref(t->fact);
    t->fact = fact;
    t->fetched_ms = clock_now_ms();
    free(TAKE(t->failure.error));
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
static void put_failure(struct introspection *i, struct topic *t, const struct error *err)
{
    set_failure(&t->failure, err);
    if (err->type != PROBLEM_BAD_RESPONSE && err->type != PROBLEM_RESPONSE_TOO_LARGE)
        set_failure(&i->failure, err);
}

/* ---- */

enum introspection_answer introspection_ask(struct curious *curious, struct str topic,
                                            struct fact **ret, struct error *err)
{
    struct introspection *i = of(curious);
    pthread_mutex_lock(&i->lock);
    struct topic *t = topic_find(i, topic);
    bool may_want = !is_told(curious, t);
    enum introspection_answer how = answer(curious, t, ret, err);
    bool wanted = may_want && want(i, t, curious->upstream->introspection.ttl);
    pthread_mutex_unlock(&i->lock);
    if (wanted)
        introspection_fetch(curious->site, curious->upstream, i, t);
    return how;
}

void introspection_leave(struct curious *curious)
{
    if (curious->waits_for == NULL)
        return;
    struct introspection *i = of(curious);
    pthread_mutex_lock(&i->lock);
    stop_waiting(curious);
    pthread_mutex_unlock(&i->lock);
}

void introspection_tell(struct introspection *i, struct topic *topic, struct fact *fact,
                        const struct error *err)
{
    pthread_mutex_lock(&i->lock);
    topic->is_fetched = false;
    topic->round++;
    if (fact != NULL)
        put_fact(i, topic, fact);
    else
        put_failure(i, topic, err);
    shrink(i);
    once_tell(&i->told);
    pthread_mutex_unlock(&i->lock);
}
