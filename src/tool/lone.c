/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/lone.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/session_store.h"
#include "client/site.h"
#include "client/upstream_state.h"
#include "io/loop.h"
#include "io/transports.h"
#include "io/upstream.h"
#include "rules/redacted.h"
#include "work/memory.h"
#include "work/metrics.h"
#include "work/once.h"
#include "work/turn.h"
#include "work/work.h"

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
    struct upstream_record **records; /* these two of all upstreams */
    struct upstream_state **states;   /* NULL: it is not open */
    bool has_left;
};

static void open_client(struct lone *lone)
{
    size_t n = lone->config->n_upstreams;
    lone->records = xcalloc(n, sizeof(struct upstream_record *));
    lone->states = xcalloc(n, sizeof(struct upstream_state *));
    for (size_t i = 0; i < n; i++) {
        lone->records[i] = upstream_record_new(lone->config->upstreams[i].name, 1);
        lone->states[i] = upstream_state_new(lone->config, i, lone->records[i]);
    }
    client_init(&lone->client, &lone->work, transports_new(lone->work.loop));
    site_open(&lone->client, xcalloc(1, sizeof(struct site)), lone->config, lone->states);
}

struct lone *lone_open(struct config *config)
{
    struct lone *lone = xcalloc(1, sizeof *lone);
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

static void close_client(struct lone *lone)
{
    lone_log_out(lone);
    client_done(&lone->client);
    for (size_t i = 0; i < lone->config->n_upstreams; i++) {
        upstream_state_unref(lone->states[i]);
        upstream_record_free(lone->records[i]);
    }
    free(lone->states);
    free(lone->records);
    upstreams_global_done();
}

void lone_close(struct lone *lone)
{
    if (lone->states != NULL)
        close_client(lone);
    work_done(&lone->work);
    memory_share_done(&lone->share);
    commons_done(&lone->commons);
    free(lone);
}

void lone_fill_call(struct lone *lone, struct call *c, struct str method, int64_t timeout_ms)
{
    static const struct query plain = { .has_types = false };
    c->site = lone->client.site;
    c->share = &lone->share;
    c->request = lone;
    c->rule = method_rule_find(c->upstream, method);
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

struct site *lone_site(struct lone *lone)
{
    return lone->client.site;
}

void lone_tell_detail(const struct lone *lone, const struct upstream_config *upstream,
                      const struct error *err, struct buf *to)
{
    struct hidden *hidden = session_hidden(lone->client.site, upstream);
    redacted_detail(hidden_redactor(hidden, lone->config), err, to);
    hidden_unref(hidden);
}

void lone_run(struct lone *lone, const bool *done)
{
    while (!*done)
        run_once(lone);
}

void lone_log_out(struct lone *lone)
{
    if (!lone->has_left)
        sites_leave(&lone->client);
    lone->has_left = true;
    while (lone->client.n_leaving > 0)
        run_once(lone);
}

void lone_run_call(struct lone *lone, struct call *c)
{
    call_begin(c);
    while (call_runs(c))
        run_once(lone);
}
