/* SPDX-License-Identifier: Apache-2.0 */
#include "front/listener_state.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

struct listener_state *listener_state_new(const struct listener *listener, size_t n_workers)
{
    struct listener_state *s = xcalloc(1, sizeof *s);
    s->listener = *listener;
    s->connections = xcalloc(n_workers, sizeof *s->connections);
    atomic_init(&s->references, 1);
    return s;
}

struct listener_state *listener_state_ref(struct listener_state *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void listener_state_unref(struct listener_state *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1)
        return;
    assert(s->listener.fds == NULL);
    free(s->connections);
    free(s);
}
