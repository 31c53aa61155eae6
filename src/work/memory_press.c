/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds most gives memory back to those who wait for it. */
#include "base/clock.h"
#include "work/memory_inside.h"
#include "work/work.h"

#include <string.h>

/* What part of its patience one waits before others give way. */
#define PRESS_PART 4

/* How long it is known that one has had to give way. */
#define YIELD_AGAIN_MS 60000

/* What is worth giving back. [bytes] */
#define HOLD_LEAST ((size_t)4 * 1024)

static size_t held_by(const struct memory_share *s)
{
    return atomic_load_explicit(&s->budget.used, memory_order_relaxed);
}

static struct memory_press *press_of(const struct work *w)
{
    return &w->commons->press;
}

static void on_given(struct budget *memory)
{
    commons_tell(CONTAINER_OF(memory, struct commons, memory), NEWS_ROOM);
}

void memory_init(struct commons *c)
{
    c->memory.given = on_given;
    pthread_mutex_init(&c->press.lock, NULL);
    list_init(&c->press.shares);
}

void memory_done(struct commons *c)
{
    pthread_mutex_destroy(&c->press.lock);
}

void commons_set_memory(struct commons *c, size_t bytes)
{
    atomic_store(&c->memory.max, bytes);
    commons_tell(c, NEWS_ROOM);
}

/* ---- Shares --------------------------------------------------------------------------------- */

void memory_share_init(struct memory_share *s, struct commons *c)
{
    memset(s, 0, sizeof *s);
    atomic_init(&s->budget.used, 0);
    atomic_init(&s->budget.max, SIZE_MAX);
    s->budget.parent = &c->memory;
    atomic_init(&s->is_only, false);
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < MEMORY_KINDS; i++)
        list_init(&s->waiting[i]);
    pthread_mutex_lock(&c->press.lock);
    list_add_last(&c->press.shares, &s->in_press);
    pthread_mutex_unlock(&c->press.lock);
}

/* No worker runs any more. */
void memory_share_done(struct memory_share *s)
{
    list_remove(&s->in_press);
    pthread_mutex_destroy(&s->lock);
}

static bool is_lately(const atomic_llong *at_ms, int64_t now_ms)
{
    int64_t then_ms = atomic_load_explicit(at_ms, memory_order_relaxed);
    return then_ms != 0 && now_ms - then_ms < YIELD_AGAIN_MS;
}

bool memory_share_yielded(const struct memory_share *s, int64_t now_ms)
{
    return is_lately(&s->yielded_ms, now_ms);
}

void memory_share_set_yielded(struct memory_share *s, int64_t now_ms)
{
    atomic_store_explicit(&s->yielded_ms, now_ms, memory_order_relaxed);
}

/* ---- Those who wait ------------------------------------------------------------------------- */

int64_t memory_press_ms(const struct memory_wait *wait)
{
    return wait->since_ms + wait->patience_ms / PRESS_PART;
}

static bool can_yield(const struct memory_share *s)
{
    return atomic_load_explicit(&s->n_holds, memory_order_relaxed) > 0 || memory_share_is_short(s);
}

static struct memory_share *larger(struct memory_share *a, struct memory_share *b)
{
    return a == NULL || held_by(b) > held_by(a) ? b : a;
}

static void find_largest(struct memory_press *p, struct memory_look *look)
{
    if (look->done)
        return;
    look->done = true;
    pthread_mutex_lock(&p->lock);
    LIST_EACH (&p->shares, at, following) {
        struct memory_share *s = CONTAINER_OF(at, struct memory_share, in_press);
        look->largest = larger(look->largest, s);
        if (can_yield(s))
            look->yielding = larger(look->yielding, s);
    }
    pthread_mutex_unlock(&p->lock);
}

static bool holds_more(const struct memory_share *s, const struct memory_wait *wait)
{
    return s != NULL && s != wait->share && held_by(s) > wait->over;
}

static bool take_place(struct memory_press *p, struct memory_wait *wait)
{
    struct memory_share *nobody = NULL;
    if (!wait->presses && !atomic_compare_exchange_strong(&p->whom, &nobody, wait->share))
        return false;
    wait->presses = true;
    atomic_store(&p->bytes, held_by(wait->share) + wait->wanted);
    return true;
}

/* Where nobody can give anything back, what will be free is kept for it all the same. */
void memory_press(struct memory_wait *wait, struct memory_look *look)
{
    struct memory_press *p = press_of(wait->work);
    if (!wait->presses && atomic_load(&p->whom) != NULL)
        return; /* it is told of the other one's end */
    find_largest(p, look);
    if (!holds_more(look->largest, wait)) {
        memory_press_end(wait);
        return;
    }
    bool yields = holds_more(look->yielding, wait);
    bool is_due = look->now_ms >= memory_press_ms(wait) || is_lately(&p->yielded_ms, look->now_ms);
    if (!is_due || !take_place(p, wait) || !yields || atomic_load(&p->yields))
        return;
    atomic_store(&p->asked, look->yielding);
    commons_tell(wait->work->commons, NEWS_YIELD);
}

void memory_press_end(struct memory_wait *wait)
{
    struct memory_press *p = press_of(wait->work);
    if (!wait->presses)
        return;
    wait->presses = false;
    atomic_store(&p->asked, NULL);
    atomic_store(&p->whom, NULL);
    commons_tell(wait->work->commons, NEWS_ROOM);
}

/* A reply of what has begun ends, whoever waits: that gives memory back, too. */
bool memory_is_for_others(const struct memory_wait *wait, size_t bytes)
{
    struct memory_press *p = press_of(wait->work);
    const struct memory_share *whom = atomic_load_explicit(&p->whom, memory_order_relaxed);
    return UNLIKELY(whom != NULL) && whom != wait->share && wait->kind != MEMORY_REPLY &&
           held_by(wait->share) + bytes > atomic_load(&p->bytes);
}

/* ---- Those who give way --------------------------------------------------------------------- */

void memory_hold(struct memory_hold *hold, struct work *w, struct memory_share *share, size_t bytes)
{
    if (LIKELY(bytes < HOLD_LEAST))
        return;
    if (hold->bytes > 0) {
        hold->bytes = bytes;
        return;
    }
    hold->work = w;
    hold->share = share;
    hold->bytes = bytes;
    list_add_last(&w->holds, &hold->in_work);
    atomic_fetch_add_explicit(&share->n_holds, 1, memory_order_relaxed);
}

void memory_yield_end(struct work *w)
{
    atomic_store(&press_of(w)->yields, false);
    commons_tell(w->commons, NEWS_ROOM);
}

void memory_release(struct memory_hold *hold)
{
    if (LIKELY(hold->bytes == 0))
        return;
    list_remove(&hold->in_work);
    atomic_fetch_sub_explicit(&hold->share->n_holds, 1, memory_order_relaxed);
    hold->bytes = 0;
    if (hold->yields)
        memory_yield_end(hold->work);
    hold->yields = false;
}

static struct memory_hold *largest_hold(struct work *w, const struct memory_share *share)
{
    struct memory_hold *found = NULL;
    LIST_EACH (&w->holds, at, following) {
        struct memory_hold *hold = CONTAINER_OF(at, struct memory_hold, in_work);
        if (hold->share == share && (found == NULL || hold->bytes > found->bytes))
            found = hold;
    }
    return found;
}

/* Replies that wait hold what has come of them. */
static struct memory_wait *largest_reply(struct work *w, const struct memory_share *share)
{
    struct memory_wait *found = NULL;
    LIST_EACH (&w->waiters, at, following) {
        struct memory_wait *wait = CONTAINER_OF(at, struct memory_wait, in_waiters);
        if (wait->share == share && wait->kind == MEMORY_REPLY &&
            (found == NULL || wait->held > found->held))
            found = wait;
    }
    return found;
}

/* The first worker that can: nobody else does before that has happened. */
static bool take_over(struct memory_press *p, struct memory_share *asked)
{
    bool nobody = false;
    if (!atomic_compare_exchange_strong(&p->yields, &nobody, true))
        return false;
    if (atomic_compare_exchange_strong(&p->asked, &asked, NULL))
        return true;
    atomic_store(&p->yields, false);
    return false;
}

void memory_yield(struct work *w)
{
    struct memory_press *p = press_of(w);
    struct memory_share *asked = atomic_load(&p->asked);
    struct memory_hold *hold = asked != NULL ? largest_hold(w, asked) : NULL;
    struct memory_wait *reply = asked != NULL ? largest_reply(w, asked) : NULL;
    if ((hold == NULL && reply == NULL) || !take_over(p, asked))
        return;
    memory_share_set_yielded(asked, clock_now_ms());
    atomic_store_explicit(&p->yielded_ms, clock_now_ms(), memory_order_relaxed);
    if (hold != NULL && (reply == NULL || hold->bytes >= reply->held)) {
        hold->yields = true;
        hold->give_way(hold);
        return;
    }
    reply->yields = true;
    memory_hurry(reply);
}
