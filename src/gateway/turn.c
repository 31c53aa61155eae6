/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/turn.h"

#include "gateway/worker_state.h"

void turn_ask(struct worker *w, struct turn *turn)
{
    list_add_last(&w->turns, &turn->in_turns);
}

/* A step may end others, which leave their list then. */
void turns_run(struct worker *w)
{
    struct list now;
    list_init(&now);
    list_move_all(&now, &w->turns);
    while (!list_empty(&now)) {
        struct turn *turn = LIST_FIRST(&now, struct turn, in_turns);
        list_remove(&turn->in_turns);
        turn->take(turn);
    }
}
