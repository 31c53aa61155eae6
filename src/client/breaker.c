/* SPDX-License-Identifier: Apache-2.0 */
#include "client/breaker.h"

#define BREAKER_PROBING (-1LL)

/* A probe is under way, which may take as long as a call does. */
#define PROBE_WAIT_MS 1000

static long long look(const struct breaker *b)
{
    return atomic_load_explicit(&b->until_ms, memory_order_relaxed);
}

bool breaker_refuses(const struct breaker *b, int64_t now_ms, int64_t *ret_wait_ms)
{
    long long until = look(b);
    if (LIKELY(until == 0))
        return false;
    *ret_wait_ms = until == BREAKER_PROBING ? PROBE_WAIT_MS : until - now_ms;
    return until == BREAKER_PROBING || until > now_ms;
}

enum breaker_answer breaker_ask(struct breaker *b, int64_t now_ms, int64_t *ret_wait_ms)
{
    long long until = look(b);
    if (LIKELY(until == 0))
        return BREAKER_GO;
    if (breaker_refuses(b, now_ms, ret_wait_ms))
        return BREAKER_REFUSED;
    if (atomic_compare_exchange_strong_explicit(&b->until_ms, &until, BREAKER_PROBING,
                                                memory_order_relaxed, memory_order_relaxed))
        return BREAKER_PROBE;
    /* Another call has just become the probe. */
    *ret_wait_ms = PROBE_WAIT_MS;
    return BREAKER_REFUSED;
}

static enum breaker_change count_failure(struct breaker *b, const struct breaker_rule *rule,
                                         int64_t now_ms)
{
    long long closed = 0;
    if (rule->failures == 0 || look(b) != 0)
        return BREAKER_SAME;
    unsigned failed = atomic_fetch_add_explicit(&b->failed, 1, memory_order_relaxed) + 1;
    if (failed >= rule->failures &&
        atomic_compare_exchange_strong_explicit(&b->until_ms, &closed, now_ms + rule->open_ms,
                                                memory_order_relaxed, memory_order_relaxed))
        return BREAKER_OPENED;
    return BREAKER_SAME;
}

static void start_anew(struct breaker *b)
{
    /* Seldom written, so that workers do not fight for it at each call. */
    if (atomic_load_explicit(&b->failed, memory_order_relaxed) != 0)
        atomic_store_explicit(&b->failed, 0, memory_order_relaxed);
}

static enum breaker_change end_probe(struct breaker *b, const struct breaker_rule *rule,
                                     int64_t now_ms, enum breaker_result result)
{
    start_anew(b);
    switch (result) {
    case BREAKER_GOOD:
        atomic_store_explicit(&b->until_ms, 0, memory_order_relaxed);
        return BREAKER_CLOSED;
    case BREAKER_BAD:
        atomic_store_explicit(&b->until_ms, now_ms + rule->open_ms, memory_order_relaxed);
        return BREAKER_REOPENED;
    case BREAKER_NOTHING:
        break;
    }
    atomic_store_explicit(&b->until_ms, now_ms, memory_order_relaxed); /* the next call tries */
    return BREAKER_SAME;
}

enum breaker_change breaker_tell(struct breaker *b, const struct breaker_rule *rule, int64_t now_ms,
                                 enum breaker_result result, bool probe)
{
    if (UNLIKELY(probe))
        return end_probe(b, rule, now_ms, result);
    if (result == BREAKER_BAD)
        return count_failure(b, rule, now_ms);
    if (result == BREAKER_GOOD && look(b) == 0)
        start_anew(b);
    return BREAKER_SAME;
}

bool breaker_is_open(const struct breaker *b, int64_t now_ms)
{
    return look(b) > now_ms;
}

enum breaker_state breaker_state(const struct breaker *b)
{
    int64_t until = look(b);
    if (until == BREAKER_PROBING)
        return BREAKER_IS_PROBING;
    return until == 0 ? BREAKER_IS_CLOSED : BREAKER_IS_OPEN;
}
