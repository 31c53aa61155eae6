/* SPDX-License-Identifier: Apache-2.0 */
#include "client/upstream_state.h"

#include "base/alloc.h"
#include "base/log.h"
#include "client/introspection.h"
#include "client/session_store.h"
#include "io/upstream_shared.h"

#include <stdlib.h>

size_t upstream_state_targets(const struct upstream_state *s)
{
    size_t n = s->config->n_targets;
    return n < UPSTREAM_TARGETS_MAX ? n : UPSTREAM_TARGETS_MAX;
}

struct upstream_state *upstream_state_new(struct config *snapshot, size_t index,
                                          struct upstream_record *record)
{
    struct upstream_state *s = xcalloc(1, sizeof *s);
    const struct pool_config *pool = &snapshot->upstreams[index].pool;
    s->snapshot = config_ref(snapshot);
    s->config = &snapshot->upstreams[index];
    s->record = record;
    atomic_init(&s->references, 1);
    slots_init(&s->slots, (uint32_t)pool->max_connections, (uint32_t)pool->max_queue,
               record->n_workers);
    once_init(&s->multicall_told);
    kept_shelf_init(&s->kept, s->config->name);
    s->introspection = introspection_new();
    if (s->config->session.present)
        s->sessions = session_store_new(s->config, record);
    s->client = upstream_shared_new(s->config);
    s->left_alone_ms = xcalloc(upstream_state_targets(s), sizeof *s->left_alone_ms);
    return s;
}

struct upstream_state *upstream_state_ref(struct upstream_state *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void upstream_state_unref(struct upstream_state *s)
{
    if (atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1)
        return;
    slots_done(&s->slots);
    kept_shelf_done(&s->kept);
    introspection_free(s->introspection);
    session_store_free(s->sessions);
    once_done(&s->multicall_told);
    upstream_shared_unref(s->client);
    config_unref(s->snapshot);
    free(s->left_alone_ms);
    free(s);
}

static void note_health(struct upstream_state *s, enum breaker_result result)
{
    enum upstream_health health = result == BREAKER_GOOD ? UPSTREAM_UP : UPSTREAM_DOWN;
    if (result != BREAKER_NOTHING && atomic_load_explicit(&s->seen, memory_order_relaxed) != health)
        atomic_store_explicit(&s->seen, health, memory_order_relaxed);
}

enum upstream_health upstream_state_health(const struct upstream_state *s)
{
    bool unreachable = atomic_load_explicit(&s->unreachable, memory_order_relaxed);
    if (unreachable || breaker_state(&s->breaker) != BREAKER_IS_CLOSED)
        return UPSTREAM_DOWN;
    return atomic_load_explicit(&s->seen, memory_order_relaxed);
}

void upstream_state_tell(struct upstream_state *s, int64_t now_ms, enum breaker_result result,
                         bool probe)
{
    note_health(s, result);
    const struct breaker_rule rule = { s->config->breaker.failures, s->config->breaker.open };
    switch (breaker_tell(&s->breaker, &rule, now_ms, result, probe)) {
    case BREAKER_SAME:
        break;
    case BREAKER_OPENED:
        LOG_EVENT(LOG_LEVEL_WARN, "upstream fails and gets no calls for a while",
                  LOG_TEXT("upstream", s->config->name), LOG_TEXT("breaker", "open"),
                  LOG_NUM("failures", rule.failures), LOG_NUM("open_ms", rule.open_ms));
        break;
    case BREAKER_REOPENED:
        LOG_EVENT(LOG_LEVEL_DEBUG, "upstream still fails", LOG_TEXT("upstream", s->config->name),
                  LOG_TEXT("breaker", "open"));
        break;
    case BREAKER_CLOSED:
        LOG_EVENT(LOG_LEVEL_WARN, "upstream works again", LOG_TEXT("upstream", s->config->name),
                  LOG_TEXT("breaker", "closed"));
        break;
    }
}

static void note_target(struct upstream_state *s, size_t target, int64_t now_ms, bool well)
{
    atomic_llong *until = &s->left_alone_ms[target];
    if (well && atomic_load_explicit(until, memory_order_relaxed) == 0)
        return;
    long long before = atomic_exchange_explicit(until, well ? 0 : now_ms + s->config->breaker.open,
                                                memory_order_relaxed);
    if ((before == 0) != well)
        LOG_EVENT(LOG_LEVEL_WARN,
                  well ? "this url of the upstream works again"
                       : "this url of the upstream cannot be connected to, others are used",
                  LOG_TEXT("upstream", s->config->name),
                  LOG_TEXT("url", s->config->targets[target].shown));
}

void upstream_state_connected(struct upstream_state *s, size_t target, int64_t now_ms, bool well)
{
    if (s->config->n_targets > 1)
        note_target(s, target, now_ms, well);
}

void upstream_state_reached(struct upstream_state *s, int64_t now_ms, bool well)
{
    if (!s->config->required)
        return;
    atomic_store_explicit(&s->seen_ms, now_ms, memory_order_relaxed);
    if (atomic_load_explicit(&s->unreachable, memory_order_relaxed) == !well)
        return;
    if (atomic_exchange_explicit(&s->unreachable, !well, memory_order_relaxed) != !well)
        LOG_EVENT(LOG_LEVEL_WARN,
                  well ? "required upstream is reached again" : "required upstream is not reached",
                  LOG_TEXT("upstream", s->config->name));
}

static bool may_try(struct upstream_state *s, size_t target, int64_t now_ms)
{
    atomic_llong *until = &s->left_alone_ms[target];
    long long before = atomic_load_explicit(until, memory_order_relaxed);
    if (LIKELY(before == 0))
        return true;
    return before <= now_ms &&
           atomic_compare_exchange_strong_explicit(until, &before, now_ms + s->config->breaker.open,
                                                   memory_order_relaxed, memory_order_relaxed);
}

size_t upstream_state_target(struct upstream_state *s, int64_t now_ms, uint64_t tried)
{
    size_t n = upstream_state_targets(s);
    size_t first = UPSTREAM_NO_TARGET;
    for (size_t i = 0; i < n; i++) {
        if ((tried >> i & 1) != 0)
            continue;
        if (may_try(s, i, now_ms))
            return i;
        if (first == UPSTREAM_NO_TARGET)
            first = i;
    }
    return first;
}

bool upstream_state_target_is_up(const struct upstream_state *s, size_t target)
{
    return atomic_load_explicit(&s->left_alone_ms[target], memory_order_relaxed) == 0;
}

bool upstream_state_is_down(const struct upstream_state *s, int64_t now_ms)
{
    return s->config->required && (atomic_load_explicit(&s->unreachable, memory_order_relaxed) ||
                                   breaker_is_open(&s->breaker, now_ms));
}
