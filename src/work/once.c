/* SPDX-License-Identifier: Apache-2.0 */
#include "work/once.h"

#include "base/macros.h"
#include "work/work.h"

#include <assert.h>

void once_init(struct once *once)
{
    pthread_mutex_init(&once->lock, NULL);
    list_init(&once->waiting);
}

void once_done(struct once *once)
{
    assert(list_empty(&once->waiting));
    pthread_mutex_destroy(&once->lock);
}

/* Under the lock: until it is let go the wait cannot end elsewhere. */
static void tell(struct once_wait *wait)
{
    list_remove(&wait->in_once);
    atomic_store_explicit(&wait->told, true, memory_order_release);
    work_tell(wait->work, NEWS_MADE);
}

void once_tell(struct once *once)
{
    pthread_mutex_lock(&once->lock);
    while (!list_empty(&once->waiting))
        tell(LIST_FIRST(&once->waiting, struct once_wait, in_once));
    pthread_mutex_unlock(&once->lock);
}

static void on_late(struct timer *timer)
{
    struct once_wait *wait = CONTAINER_OF(timer, struct once_wait, timer);
    once_leave(wait);
    wait->go_on(wait, false);
}

void once_wait(struct once *once, struct once_wait *wait, struct work *w, int64_t until_ms)
{
    assert(wait->once == NULL);
    wait->once = once;
    wait->work = w;
    atomic_init(&wait->told, false);
    list_add_last(&w->awaiting, &wait->in_awaiting);
    wait->timer.fire = on_late;
    timer_set(w, &wait->timer, until_ms);
    pthread_mutex_lock(&once->lock);
    list_add_last(&once->waiting, &wait->in_once);
    pthread_mutex_unlock(&once->lock);
}

void once_hurry(struct once_wait *wait)
{
    pthread_mutex_lock(&wait->once->lock);
    tell(wait);
    pthread_mutex_unlock(&wait->once->lock);
}

void once_leave(struct once_wait *wait)
{
    struct once *once = wait->once;
    if (once == NULL)
        return;
    pthread_mutex_lock(&once->lock);
    list_remove(&wait->in_once);
    pthread_mutex_unlock(&once->lock);
    list_remove(&wait->in_awaiting);
    timer_stop(wait->work, &wait->timer);
    wait->once = NULL;
}

/* One that goes on may end others, or wait again. */
void once_feed(struct work *w)
{
    struct list now;
    list_init(&now);
    list_move_all(&now, &w->awaiting);
    while (!list_empty(&now)) {
        struct once_wait *wait = LIST_FIRST(&now, struct once_wait, in_awaiting);
        list_remove(&wait->in_awaiting);
        list_add_last(&w->awaiting, &wait->in_awaiting);
        if (!atomic_load_explicit(&wait->told, memory_order_acquire))
            continue;
        once_leave(wait);
        wait->go_on(wait, true);
    }
}
