/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/memory.h"

#include "base/clock.h"

static size_t used(const struct request *r)
{
    return atomic_load_explicit(&r->worker->gateway->memory.used, memory_order_relaxed);
}

static size_t limit(const struct request *r)
{
    return atomic_load_explicit(&r->worker->gateway->memory.max, memory_order_relaxed);
}

static bool is_alone(const struct request *r)
{
    return used(r) <= r->body.cap;
}

bool memory_has_room(const struct request *r, size_t bytes)
{
    size_t half = limit(r) / 2;
    if (r->body.len + bytes < r->body.cap)
        return true;
    return is_alone(r) || (used(r) <= half && bytes <= half - used(r));
}

bool memory_wait(struct request *r, size_t bytes)
{
    int64_t now = clock_now_ms();
    int64_t patience = r->upstream != NULL ? r->upstream->pool.queue_timeout : 0;
    if (r->starved_until_ms == 0)
        r->starved_until_ms = now + patience;
    if (now >= r->starved_until_ms || is_alone(r) || bytes > limit(r))
        return false;
    r->starved_of = bytes;
    if (r->body.state == BUF_NO_MEMORY)
        r->body.state = BUF_OK;
    list_add_last(&r->worker->starved, &r->in_starved);
    return true;
}

static bool may_go_on(const struct request *r, int64_t now)
{
    size_t taken = used(r), max = limit(r);
    if (now >= r->starved_until_ms || is_alone(r))
        return true;
    if (r->state == REQUEST_READING)
        return memory_has_room(r, r->starved_of);
    return taken <= max && r->starved_of <= max - taken;
}

/* Memory may be given back by other workers, too, which tell nobody: so it is looked at. */
void memory_feed(struct worker *w)
{
    int64_t now = list_empty(&w->starved) ? 0 : clock_now_ms();
    LIST_EACH (&w->starved, at, following) {
        struct request *r = CONTAINER_OF(at, struct request, in_starved);
        if (!may_go_on(r, now))
            continue;
        list_remove(&r->in_starved);
        if (r->state == REQUEST_READING)
            http_resume(r->exchange);
    }
}
