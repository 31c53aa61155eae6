/* SPDX-License-Identifier: Apache-2.0 */
#include "work/memory.h"

#include "base/clock.h"
#include "work/memory_inside.h"
#include "work/work.h"

/* What a request holds beside that which it knows of: blocks that are not full, names. [bytes] */
#define HELD_SPARE ((size_t)128 * 1024)

/* Up to what part of limits.memory, in sixteenths, may be taken: by those within their caller's
 * share, and by those beyond it. Behind the latter there is always room for the former. */
#define PARTS 16
static const size_t within_parts[MEMORY_KINDS] = { 13, 14, 15, 15 };
static const size_t beyond_parts[MEMORY_KINDS] = { 8, 10, 12, 12 };
static const size_t only_beyond_parts[MEMORY_KINDS] = { 12, 13, 14, 14 };

/* A caller's share, in such parts. */
#define SHARE_PARTS 4
#define ONLY_SHARE_PARTS 8

/* Up to what part of the share, in sixteenths of it, may be taken. */
static const size_t share_parts[MEMORY_KINDS] = { 8, 12, 14, 16 };

/* In one order with who waits: see budget_give(). */
static size_t load(const atomic_size_t *n)
{
    return atomic_load(n);
}

static struct commons *commons_of(const struct memory_wait *wait)
{
    return wait->work->commons;
}

static size_t used(const struct memory_wait *wait)
{
    return load(&commons_of(wait)->memory.used);
}

static size_t limit(const struct memory_wait *wait)
{
    return load(&commons_of(wait)->memory.max);
}

void memory_share_set_only(struct memory_share *s, bool is_only)
{
    atomic_store_explicit(&s->is_only, is_only, memory_order_relaxed);
}

static struct memory_wait *first_of(const struct memory_share *s, enum memory_kind kind)
{
    return list_empty(&s->waiting[kind])
               ? NULL
               : LIST_FIRST(&s->waiting[kind], struct memory_wait, in_share);
}

/* Those who wait for others of their caller, in whatever worker. */
static void tell_next(struct memory_share *s)
{
    pthread_mutex_lock(&s->lock);
    for (enum memory_kind kind = 0; kind < MEMORY_KINDS; kind++)
        if (first_of(s, kind) != NULL)
            work_tell(first_of(s, kind)->work, NEWS_ROOM);
    pthread_mutex_unlock(&s->lock);
}

void memory_share_leave(struct memory_share *s, const void *request)
{
    const void *mine = request;
    if (atomic_load_explicit(&s->privileged, memory_order_relaxed) == request &&
        atomic_compare_exchange_strong(&s->privileged, &mine, NULL))
        tell_next(s);
}

static void on_time(struct timer *timer)
{
    struct memory_wait *wait = CONTAINER_OF(timer, struct memory_wait, timer);
    if (timer->due_ms < wait->until_ms)
        timer_set(wait->work, timer, wait->until_ms);
    work_tell(wait->work, NEWS_ROOM);
}

void memory_wait_init(struct memory_wait *wait, struct work *w, struct memory_share *share,
                      const void *request)
{
    *wait = (struct memory_wait){ .work = w, .share = share, .request = request };
    list_init(&wait->in_waiters);
    list_init(&wait->in_share);
    wait->timer.fire = on_time;
}

/* ---- May it? -------------------------------------------------------------------------------- */

static bool is_alone(const struct memory_wait *wait)
{
    return used(wait) <= wait->held + wait->reserved + HELD_SPARE;
}

static bool fits_all(const struct memory_wait *wait, size_t bytes, size_t parts)
{
    size_t bound = limit(wait) / PARTS * parts, taken = used(wait);
    return bytes <= bound && taken <= bound - bytes;
}

static bool is_only(const struct memory_wait *wait)
{
    return atomic_load_explicit(&wait->share->is_only, memory_order_relaxed);
}

static bool fits_share(const struct memory_wait *wait, size_t bytes, size_t parts)
{
    size_t share = is_only(wait) ? ONLY_SHARE_PARTS : SHARE_PARTS;
    size_t bound = limit(wait) / PARTS / PARTS * share * parts;
    size_t taken = load(&wait->share->budget.used);
    return bytes <= bound && taken <= bound - bytes;
}

/* Takes a place that there is only one of, unless somebody else has it. */
static bool take_place(_Atomic(struct memory_wait *) *place, struct memory_wait *wait)
{
    struct memory_wait *holder = NULL;
    return atomic_compare_exchange_strong(place, &holder, wait) || holder == wait;
}

static bool leave_place(_Atomic(struct memory_wait *) *place, struct memory_wait *wait)
{
    struct memory_wait *holder = wait;
    return atomic_load_explicit(place, memory_order_relaxed) == wait &&
           atomic_compare_exchange_strong(place, &holder, NULL);
}

static bool is_privileged(const struct memory_wait *wait)
{
    return atomic_load_explicit(&wait->share->privileged, memory_order_relaxed) == wait->request;
}

/* Calls of our own ask for little, and others wait for what they find. */
static bool fits_within(const struct memory_wait *wait, size_t bytes)
{
    bool is_own = wait->share == &commons_of(wait)->own;
    return fits_all(wait, bytes, within_parts[is_own ? MEMORY_REPLY : wait->kind]);
}

static size_t beyond_max(const struct memory_wait *wait)
{
    return (is_only(wait) ? only_beyond_parts : beyond_parts)[wait->kind];
}

static bool fits_beyond(const struct memory_wait *wait, size_t bytes)
{
    return fits_all(wait, bytes, beyond_max(wait));
}

/* Some parts of the privileged request may be under way at once: one of them goes on. */
static bool go_beyond(struct memory_wait *wait)
{
    const void *holder = NULL;
    struct memory_share *s = wait->share;
    return (atomic_compare_exchange_strong(&s->privileged, &holder, wait->request) ||
            holder == wait->request) &&
           take_place(&s->going, wait);
}

/* When many callers together have taken nearly all, one reply of all goes on, so that it can end:
 * else all would hold a part, and none could. */
static bool may_take(struct memory_wait *wait, size_t bytes)
{
    bool alone = is_alone(wait);
    if (!alone && memory_is_for_others(wait, bytes))
        return false;
    if (!fits_share(wait, bytes, share_parts[wait->kind]))
        return (alone || fits_beyond(wait, bytes)) && (go_beyond(wait) || alone);
    if (alone)
        return true;
    return fits_within(wait, bytes) ||
           (wait->kind == MEMORY_REPLY && fits_all(wait, bytes, PARTS) &&
            take_place(&commons_of(wait)->privileged, wait));
}

bool memory_may_answer(const struct memory_wait *wait)
{
    return fits_share(wait, 0, 2 * PARTS) && fits_all(wait, 0, within_parts[MEMORY_REPLY]);
}

/* What would come of the call could only wait, too, and keep its slot from others. */
static bool is_held_up(const struct memory_wait *wait)
{
    return wait->kind == MEMORY_SLOT && memory_share_is_short(wait->share);
}

/* Nobody passes by those who wait already, but the one whose end makes room for them. */
static bool is_its_turn(const struct memory_wait *wait)
{
    const struct memory_share *s = wait->share;
    bool none_waits = atomic_load_explicit(&s->n_waiting[wait->kind], memory_order_relaxed) == 0;
    return (none_waits && !is_held_up(wait)) || is_privileged(wait);
}

enum memory_answer memory_ask(struct memory_wait *wait, size_t bytes)
{
    size_t reserved = wait->reserved;
    if (reserved > 0) {
        wait->reserved = 0;
        budget_give(&wait->share->budget, reserved);
    }
    if (bytes <= reserved || ((is_its_turn(wait) || is_alone(wait)) && may_take(wait, bytes)))
        return MEMORY_GO;
    return memory_wait(wait, bytes) ? MEMORY_WAIT : MEMORY_NONE;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

/* Its caller's calls press no others for slots now, or do so again. */
static void tell_short(const struct memory_wait *wait)
{
    if (wait->kind == MEMORY_REPLY)
        commons_tell(commons_of(wait), NEWS_STALLED);
}

bool memory_wait(struct memory_wait *wait, size_t bytes)
{
    struct memory_share *s = wait->share;
    if (wait->patience_ms <= 0 || is_alone(wait) || bytes > limit(wait))
        return false;
    wait->wanted = bytes;
    wait->since_ms = clock_now_ms();
    wait->until_ms = wait->since_ms + wait->patience_ms;
    list_add_last(&wait->work->waiters, &wait->in_waiters);
    pthread_mutex_lock(&s->lock);
    list_add_last(&s->waiting[wait->kind], &wait->in_share);
    atomic_fetch_add_explicit(&s->n_waiting[wait->kind], 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_add(&commons_of(wait)->memory.n_waiting, 1);
    timer_set(wait->work, &wait->timer, memory_press_ms(wait));
    tell_short(wait);
    work_tell(wait->work, NEWS_ROOM); /* what was given before it was counted is not told */
    return true;
}

static void stop_waiting(struct memory_wait *wait)
{
    struct memory_share *s = wait->share;
    if (!memory_waits(wait))
        return;
    list_remove(&wait->in_waiters);
    wait->patience_ms -= clock_now_ms() - wait->since_ms;
    pthread_mutex_lock(&s->lock);
    list_remove(&wait->in_share);
    atomic_fetch_sub_explicit(&s->n_waiting[wait->kind], 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_sub(&commons_of(wait)->memory.n_waiting, 1);
    timer_stop(wait->work, &wait->timer);
    memory_press_end(wait);
    tell_short(wait);
    if (wait->yields)
        memory_yield_end(wait->work);
    wait->yields = false;
    tell_next(s);
}

void memory_leave(struct memory_wait *wait)
{
    if (wait->work == NULL)
        return;
    stop_waiting(wait);
    if (wait->reserved > 0)
        budget_give(&wait->share->budget, wait->reserved);
    wait->reserved = 0;
    if (leave_place(&wait->share->going, wait))
        tell_next(wait->share);
    if (leave_place(&commons_of(wait)->privileged, wait))
        commons_tell(commons_of(wait), NEWS_ROOM);
}

static bool is_first(const struct memory_wait *wait)
{
    struct memory_share *s = wait->share;
    pthread_mutex_lock(&s->lock);
    bool first = first_of(s, wait->kind) == wait;
    pthread_mutex_unlock(&s->lock);
    return (first && !is_held_up(wait)) || is_privileged(wait);
}

/* What it waits for is its own until it asks again: so many are let go as there is room for. */
static bool may_go_on(struct memory_wait *wait, int64_t now_ms)
{
    if (now_ms >= wait->until_ms)
        return true;
    if (!(is_first(wait) || is_alone(wait)) || !may_take(wait, wait->wanted))
        return false;
    if (!budget_take(&wait->share->budget, wait->wanted))
        return is_alone(wait);
    wait->reserved = wait->wanted;
    return true;
}

/* Would it go on if the others held less? Then `over`: those who hold more than that. One who goes
 * beyond the share takes nothing from others within theirs. */
static bool is_pressed(struct memory_wait *wait)
{
    const struct memory_share *s = wait->share;
    const void *privileged = atomic_load_explicit(&s->privileged, memory_order_relaxed);
    const void *going = atomic_load_explicit(&s->going, memory_order_relaxed);
    if (!is_first(wait))
        return false;
    wait->over = load(&s->budget.used) + wait->wanted;
    if (fits_share(wait, wait->wanted, share_parts[wait->kind]))
        return true;
    if (wait->over < limit(wait) / SHARE_PARTS)
        wait->over = limit(wait) / SHARE_PARTS;
    size_t bound = limit(wait) / PARTS * beyond_max(wait);
    return (privileged == NULL || privileged == wait->request) &&
           (going == NULL || going == wait) && wait->wanted <= bound &&
           load(&s->budget.used) <= bound - wait->wanted;
}

void memory_hurry(struct memory_wait *wait)
{
    if (!memory_waits(wait))
        return;
    wait->until_ms = 0;
    wait->patience_ms = 0;
    work_tell(wait->work, NEWS_ROOM);
}

/* One that goes on may end others, or wait again. */
void memory_feed(struct work *w)
{
    struct list now;
    struct memory_look look = { .now_ms = clock_now_ms() };
    list_init(&now);
    list_move_all(&now, &w->waiters);
    while (!list_empty(&now)) {
        struct memory_wait *wait = LIST_FIRST(&now, struct memory_wait, in_waiters);
        list_remove(&wait->in_waiters);
        list_add_last(&w->waiters, &wait->in_waiters);
        if (may_go_on(wait, look.now_ms)) {
            stop_waiting(wait);
            wait->on_room(wait);
        } else if (is_pressed(wait)) {
            memory_press(wait, &look);
        } else {
            memory_press_end(wait);
        }
    }
}
