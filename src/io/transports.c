/* SPDX-License-Identifier: Apache-2.0 */
#include "io/transports.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/upstream.h"

#include <stdlib.h>

struct transports {
    struct transport transport;
    struct transport *rows[TRANSPORTS];
};

static struct transports *all_of(struct transport *t)
{
    return CONTAINER_OF(t, struct transports, transport);
}

static struct remote *open_remote(struct transport *t, const struct upstream_config *config,
                                  struct upstream_shared *shared)
{
    return transport_open(all_of(t)->rows[config->target.transport], config, shared);
}

static void run(struct transport *t)
{
    for (size_t i = 0; i < TRANSPORTS; i++)
        transport_run(all_of(t)->rows[i]);
}

static int64_t deadline_ms(const struct transport *t)
{
    const struct transports *all = CONTAINER_OF(t, const struct transports, transport);
    int64_t due_ms = CLOCK_NEVER;
    for (size_t i = 0; i < TRANSPORTS; i++)
        due_ms = clock_min(due_ms, transport_deadline_ms(all->rows[i]));
    return due_ms;
}

static void done(struct transport *t)
{
    for (size_t i = 0; i < TRANSPORTS; i++)
        transport_done(all_of(t)->rows[i]);
    free(all_of(t));
}

struct transport *transports_new(struct loop *loop)
{
    /* What there is beyond has a remote of its own row. */
    static const struct transport_row row = {
        .open = open_remote, .run = run, .deadline_ms = deadline_ms, .done = done
    };
    static struct transport *(*const makers[])(struct loop *) = {
#define X(word, new) [TRANSPORT_##word] = new,
        TRANSPORT_LIST(X)
#undef X
    };
    struct transports *all = xcalloc(1, sizeof *all);
    all->transport.row = &row;
    for (size_t i = 0; i < TRANSPORTS; i++)
        all->rows[i] = makers[i](loop);
    return &all->transport;
}
