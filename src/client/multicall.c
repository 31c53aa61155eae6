/* SPDX-License-Identifier: Apache-2.0 */
#include "client/multicall.h"

#include "codec/xml/decode.h"

static enum multicall_plan plan_of(enum multicall_known known)
{
    switch (known) {
    case MULTICALL_KNOWN_WRAPPED:
        return MULTICALL_WRAPPED;
    case MULTICALL_KNOWN_BARE:
        return MULTICALL_BARE;
    case MULTICALL_KNOWN_NONE:
        return MULTICALL_PARALLEL;
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

/* Whether there is one, or what shape its results have, is to be found out. */
static bool must_know(const struct upstream_config *config)
{
    return config->multicall == MULTICALL_USE_AUTO ||
           config->multicall_results == MULTICALL_SHAPE_AUTO;
}

/* What is set counts more than what is known. */
static enum multicall_plan as_set(const struct upstream_config *config, enum multicall_plan plan)
{
    if (plan == MULTICALL_PARALLEL && config->multicall == MULTICALL_USE_ALWAYS)
        plan = MULTICALL_WRAPPED;
    if (plan != MULTICALL_WRAPPED && plan != MULTICALL_BARE)
        return plan;
    switch (config->multicall_results) {
    case MULTICALL_SHAPE_WRAPPED:
        return MULTICALL_WRAPPED;
    case MULTICALL_SHAPE_BARE:
        return MULTICALL_BARE;
    case MULTICALL_SHAPE_AUTO:
        break;
    }
    return plan;
}

enum multicall_plan multicall_look(const struct upstream_state *s)
{
    const struct upstream_config *config = s->config;
    if (config->multicall == MULTICALL_USE_NEVER)
        return MULTICALL_PARALLEL;
    if (!must_know(config))
        return as_set(config, MULTICALL_WRAPPED);
    return as_set(config, plan_of(atomic_load_explicit(&s->multicall, memory_order_relaxed)));
}

enum multicall_plan multicall_plan(struct upstream_state *s)
{
    enum multicall_plan plan = multicall_look(s);
    return plan == MULTICALL_ASK ? as_set(s->config, ask_or_wait(s)) : plan;
}

void multicall_learn(struct upstream_state *s, enum multicall_known known)
{
    atomic_store(&s->multicall, known);
    once_tell(&s->multicall_told);
}

void multicall_doubt(struct upstream_state *s)
{
    static const enum multicall_known doubted[] = { MULTICALL_KNOWN_WRAPPED, MULTICALL_KNOWN_BARE };
    for (size_t i = 0; i < ARRAY_LEN(doubted); i++) {
        enum multicall_known before = doubted[i];
        atomic_compare_exchange_strong(&s->multicall, &before, MULTICALL_UNKNOWN);
    }
}

enum multicall_known multicall_read_answer(const struct chain *json)
{
    enum items_shape shape;
    if (decode_items_shape(json, &shape) && shape == ITEMS_BARE)
        return MULTICALL_KNOWN_BARE;
    return MULTICALL_KNOWN_WRAPPED;
}

enum multicall_known multicall_judge(const struct verdict *verdict, struct chain *json)
{
    if (verdict->error != NULL)
        return verdict->fault != NULL ? MULTICALL_KNOWN_NONE : MULTICALL_UNKNOWN;
    chain_set_byte(json, 0, '['); /* of the params, which the call has taken off */
    return multicall_read_answer(json);
}

void multicall_wait(struct upstream_state *s, struct once_wait *wait, struct work *w,
                    int64_t until_ms)
{
    once_wait(&s->multicall_told, wait, w, until_ms);
    /* It may have become known before this one stood on the list. */
    if (atomic_load(&s->multicall) != MULTICALL_ASKED)
        once_hurry(wait);
}
