/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client as a row of io/transport.h. */
#include "io/upstream_inside.h"

#include "base/macros.h"

static struct upstreams *all_of(struct transport *t)
{
    return CONTAINER_OF(t, struct upstreams, transport);
}

static struct upstream *upstream_of(struct remote *remote)
{
    return CONTAINER_OF(remote, struct upstream, remote);
}

static struct remote *open_remote(struct transport *t, const struct upstream_config *config,
                                  struct upstream_shared *shared)
{
    struct upstream *u = upstream_open(all_of(t), config, shared);
    u->remote.transport = t;
    return &u->remote;
}

static void close_remote(struct remote *remote)
{
    upstream_close(upstream_of(remote));
}

static void submit(struct remote *remote, struct upstream_call *call)
{
    upstream_submit(upstream_of(remote), call);
}

static void go_on(struct remote *remote, struct upstream_call *call)
{
    (void)remote;
    upstream_go_on(call);
}

static void cancel(struct remote *remote, struct upstream_call *call)
{
    (void)remote;
    upstream_cancel(call);
}

static void drop(struct remote *remote)
{
    upstream_drop_connection(upstream_of(remote));
}

static void run(struct transport *t)
{
    upstreams_run(all_of(t));
}

static int64_t deadline_ms(const struct transport *t)
{
    return upstreams_deadline_ms(CONTAINER_OF(t, const struct upstreams, transport));
}

static void done(struct transport *t)
{
    upstreams_free(all_of(t));
}

struct transport *upstreams_transport_new(struct loop *loop)
{
    static const struct transport_row row = {
        .open = open_remote,
        .close = close_remote,
        .submit = submit,
        .go_on = go_on,
        .cancel = cancel,
        .drop = drop,
        .run = run,
        .deadline_ms = deadline_ms,
        .done = done,
    };
    struct upstreams *all = upstreams_new(loop);
    all->transport.row = &row;
    return &all->transport;
}
