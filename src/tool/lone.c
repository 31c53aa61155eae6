/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/lone.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/site.h"
#include "client/upstream_state.h"
#include "io/loop.h"
#include "io/upstream.h"
#include "work/memory.h"
#include "work/metrics.h"
#include "work/once.h"
#include "work/turn.h"
#include "work/work.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Who works for one caller alone counts nothing: shares of it must not overflow. [bytes] */
#define MEMORY_MAX (SIZE_MAX / 64)

struct lone {
    struct config *config; /* borrowed */
    struct commons commons;
    struct memory_share share;
    struct work work;
    struct client client;
    struct upstream_record *record;
    struct upstream_state *state;
};

static void open_client(struct lone *lone)
{
    lone->record = upstream_record_new(lone->config->upstreams[0].name, 1);
    lone->state = upstream_state_new(lone->config, 0, lone->record);
    client_init(&lone->client, &lone->work, upstreams_transport_new(lone->work.loop));
    site_open(&lone->client, xcalloc(1, sizeof(struct site)), lone->config, &lone->state);
}

struct lone *lone_open(struct config *config)
{
    struct lone *lone = xcalloc(1, sizeof *lone);
    assert(config->n_upstreams == 1);
    lone->config = config;
    lone->commons.main_fd = -1;
    commons_init(&lone->commons, 1);
    commons_set_memory(&lone->commons, MEMORY_MAX);
    memory_share_init(&lone->share, &lone->commons);
    if (work_init(&lone->work, &lone->commons, 0) && upstreams_global_init()) {
        open_client(lone);
        return lone;
    }
    int error = errno;
    lone_close(lone);
    errno = error;
    return NULL;
}

void lone_close(struct lone *lone)
{
    if (lone->state != NULL) {
        client_done(&lone->client);
        upstream_state_unref(lone->state);
        upstream_record_free(lone->record);
        upstreams_global_done();
    }
    work_done(&lone->work);
    memory_share_done(&lone->share);
    commons_done(&lone->commons);
    free(lone);
}

void lone_fill_call(struct lone *lone, struct call *c, struct str method, int64_t timeout_ms)
{
    static const struct query plain = { .has_types = false };
    const struct upstream_config *upstream = &lone->config->upstreams[0];
    c->site = lone->client.site;
    c->upstream = upstream;
    c->share = &lone->share;
    c->request = lone;
    c->rule = method_rule_find(upstream, method);
    c->text.method = method;
    c->query = &plain;
    if (timeout_ms > 0)
        c->rule.timeout_ms = timeout_ms;
    c->deadline_ms = clock_now_ms() + c->rule.timeout_ms;
}

static int64_t next_deadline(const struct lone *lone)
{
    if (!list_empty(&lone->work.turns))
        return 0;
    return clock_min(client_deadline_ms(&lone->client), timers_deadline_ms(&lone->work));
}

/* As daemon/worker.c has it, without callers and other workers. */
static void run_once(struct lone *lone)
{
    loop_wait(lone->work.loop, next_deadline(lone));
    transport_run(lone->client.transport);
    pools_run(&lone->client);
    timers_run(&lone->work);
    memory_feed(&lone->work);
    if (work_was_told(&lone->work, NEWS_MADE))
        once_feed(&lone->work);
    turns_run(&lone->work);
    transport_run(lone->client.transport);
}

void lone_run_call(struct lone *lone, struct call *c)
{
    call_begin(c);
    while (call_runs(c))
        run_once(lone);
}
