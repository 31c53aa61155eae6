/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/memory.h"

#include "base/clock.h"
#include "gateway/gateway.h"
#include "gateway/worker_state.h"

static size_t used(const struct memory_wait *wait)
{
    return atomic_load_explicit(&wait->worker->gateway->memory.used, memory_order_relaxed);
}

static size_t limit(const struct memory_wait *wait)
{
    return atomic_load_explicit(&wait->worker->gateway->memory.max, memory_order_relaxed);
}

static bool is_alone(const struct memory_wait *wait)
{
    return used(wait) <= wait->held;
}

bool memory_has_room(const struct memory_wait *wait, size_t bytes)
{
    size_t half = limit(wait) / 2;
    return is_alone(wait) || (used(wait) <= half && bytes <= half - used(wait));
}

bool memory_fits(struct memory_wait *wait, size_t bytes)
{
    size_t taken = used(wait), max = limit(wait);
    if (taken > max || bytes > max - taken)
        return false;
    if (!wait->is_reply || taken + bytes <= max / 2)
        return true;
    struct memory_wait *favoured = NULL;
    return atomic_compare_exchange_strong(&wait->worker->gateway->favoured, &favoured, wait) ||
           favoured == wait;
}

void memory_leave(struct memory_wait *wait)
{
    list_remove(&wait->in_starved);
    if (wait->worker == NULL)
        return;
    struct gateway *g = wait->worker->gateway;
    if (atomic_load_explicit(&g->favoured, memory_order_relaxed) == wait)
        atomic_store_explicit(&g->favoured, NULL, memory_order_relaxed);
}

bool memory_wait(struct memory_wait *wait, size_t bytes)
{
    int64_t now = clock_now_ms();
    if (wait->until_ms == 0)
        wait->until_ms = now + wait->patience_ms;
    if (now >= wait->until_ms || is_alone(wait) || bytes > limit(wait))
        return false;
    wait->wanted = bytes;
    list_add_last(&wait->worker->starved, &wait->in_starved);
    return true;
}

static bool may_go_on(struct memory_wait *wait, int64_t now)
{
    if (now >= wait->until_ms || is_alone(wait))
        return true;
    return wait->is_body ? memory_has_room(wait, wait->wanted) : memory_fits(wait, wait->wanted);
}

/* Memory may be given back by other workers, too, which tell nobody: so it is looked at. */
void memory_feed(struct worker *w)
{
    int64_t now = list_empty(&w->starved) ? 0 : clock_now_ms();
    LIST_EACH (&w->starved, at, following) {
        struct memory_wait *wait = CONTAINER_OF(at, struct memory_wait, in_starved);
        if (!may_go_on(wait, now))
            continue;
        list_remove(&wait->in_starved);
        if (wait->on_room != NULL)
            wait->on_room(wait);
    }
}
