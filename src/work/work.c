/* SPDX-License-Identifier: Apache-2.0 */
#include "work/work.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void commons_init(struct commons *c, size_t n_workers)
{
    atomic_init(&c->phase, PHASE_STARTING);
    memory_init(c);
    memory_share_init(&c->own, c);
    c->works = xcalloc(n_workers, sizeof(struct work *));
    c->calls = xcalloc(n_workers, sizeof *c->calls);
    c->n_workers = n_workers;
}

void commons_done(struct commons *c)
{
    memory_share_done(&c->own);
    memory_done(c);
    free(c->works);
    free(c->calls);
}

void commons_tell(struct commons *c, enum news news)
{
    for (size_t i = 0; i < c->n_workers; i++)
        if (c->works[i] != NULL)
            work_tell(c->works[i], news);
}

bool work_init(struct work *w, struct commons *commons, size_t index)
{
    w->index = index;
    w->commons = commons;
    w->timers_until_ms = INT64_MIN;
    list_init(&w->awaiting);
    list_init(&w->turns);
    list_init(&w->waiters);
    list_init(&w->holds);
    if (getrandom(&w->next_number, sizeof w->next_number, 0) != (ssize_t)sizeof w->next_number)
        w->next_number = (uint64_t)clock_now_us() * (index + 1);
    w->loop = loop_new();
    commons->works[index] = w;
    return w->loop != NULL;
}

void work_done(struct work *w)
{
    if (w->loop != NULL)
        loop_free(w->loop);
    work_free_spare(w);
    w->commons->works[w->index] = NULL;
}

void work_wake(struct work *w)
{
    loop_wake(w->loop);
}

void work_tell(struct work *w, enum news news)
{
    if ((atomic_fetch_or_explicit(&w->news, (unsigned)news, memory_order_acq_rel) & news) == 0)
        loop_wake(w->loop);
}

/* An odd step walks through all of them from a random start: no two alike. */
uint64_t work_next_number(struct work *w)
{
    return w->next_number += UINT64_C(0x9E3779B97F4A7C15);
}
