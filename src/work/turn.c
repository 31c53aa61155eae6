/* SPDX-License-Identifier: Apache-2.0 */
#include "work/turn.h"

#include "base/clock.h"
#include "base/step.h"
#include "work/work.h"

void turn_ask(struct work *w, struct turn *turn)
{
    list_add_last(&w->turns, &turn->in_turns);
}

/* How long steps may keep the loop from its next turn, the last one's length not counted. [us] */
#define TURN_US 10000

/* A step may end others, which leave their list then. */
void turns_run(struct work *w)
{
    struct list now, again;
    if (list_empty(&w->turns))
        return;
    int64_t until_us = clock_now_us() + TURN_US;
    list_init(&now);
    list_init(&again);
    list_move_all(&now, &w->turns);
    do {
        struct turn *turn = LIST_FIRST(&now, struct turn, in_turns);
        list_remove(&turn->in_turns);
        step_begin("turn");
        turn->take(turn);
    } while (!list_empty(&now) && clock_now_us() < until_us);
    step_begin("loop");
    list_move_all(&again, &w->turns); /* behind those whose turn is still to come */
    list_move_all(&w->turns, &now);
    list_move_all(&w->turns, &again);
}
