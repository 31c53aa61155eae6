/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/multicall.h"

#include "base/clock.h"
#include "codec/decode.h"
#include "gateway/worker_state.h"

static enum multicall_plan plan_of(enum multicall_known known)
{
    switch (known) {
    case MULTICALL_KNOWN_WRAPPED:
        return MULTICALL_WRAPPED;
    case MULTICALL_KNOWN_BARE:
        return MULTICALL_BARE;
    case MULTICALL_KNOWN_NONE:
        return MULTICALL_ASIDE;
    case MULTICALL_ASKED:
        return MULTICALL_WAIT;
    case MULTICALL_UNKNOWN:
        break;
    }
    return MULTICALL_ASK;
}

/* Of all that need to know it at once, one asks. */
static enum multicall_plan ask_or_wait(struct upstream_state *s)
{
    enum multicall_known before = MULTICALL_UNKNOWN;
    if (atomic_compare_exchange_strong(&s->multicall, &before, MULTICALL_ASKED))
        return MULTICALL_ASK;
    return plan_of(before);
}

enum multicall_plan multicall_plan(struct upstream_state *s)
{
    enum multicall_use use = s->config->multicall;
    enum multicall_known known = atomic_load_explicit(&s->multicall, memory_order_relaxed);
    bool has_none = known == MULTICALL_KNOWN_NONE;
    if (use == MULTICALL_USE_NEVER || (use == MULTICALL_USE_AUTO && has_none))
        return MULTICALL_ASIDE;
    switch (s->config->multicall_results) {
    case MULTICALL_SHAPE_WRAPPED:
        return MULTICALL_WRAPPED;
    case MULTICALL_SHAPE_BARE:
        return MULTICALL_BARE;
    case MULTICALL_SHAPE_AUTO:
        break;
    }
    if (has_none) /* it is to be used always */
        return MULTICALL_WRAPPED;
    return known == MULTICALL_UNKNOWN ? ask_or_wait(s) : plan_of(known);
}

void multicall_learn(struct upstream_state *s, enum multicall_known known)
{
    atomic_store_explicit(&s->multicall, known, memory_order_relaxed);
}

enum multicall_known multicall_read_answer(const struct chain *json)
{
    enum items_shape shape;
    if (decode_items_shape(json, &shape) && shape == ITEMS_BARE)
        return MULTICALL_KNOWN_BARE;
    return MULTICALL_KNOWN_WRAPPED;
}

void multicall_wait(struct worker *w, struct multicall_wait *wait)
{
    list_add_last(&w->awaiting, &wait->in_wait);
}

static bool is_over(const struct multicall_wait *wait, int64_t now_ms)
{
    return now_ms >= wait->until_ms ||
           atomic_load_explicit(&wait->shared->multicall, memory_order_relaxed) != MULTICALL_ASKED;
}

/* Who asks may be another worker, which tells nobody: so it is looked at. */
void multicall_feed(struct worker *w)
{
    struct list now;
    if (LIKELY(list_empty(&w->awaiting)))
        return;
    int64_t now_ms = clock_now_ms();
    list_init(&now);
    list_move_all(&now, &w->awaiting);
    while (!list_empty(&now)) {
        struct multicall_wait *wait = LIST_FIRST(&now, struct multicall_wait, in_wait);
        list_remove(&wait->in_wait);
        if (is_over(wait, now_ms))
            wait->on_known(wait);
        else
            list_add_last(&w->awaiting, &wait->in_wait);
    }
}
