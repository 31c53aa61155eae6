/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that need no upstream. */
#include "front/request.h"

#include "base/clock.h"
#include "client/pool.h"
#include "codec/json/write.h"
#include "front/exposition.h"
#include "front/task.h"

#include <stdint.h>
#include <string.h>

static bool is_upstream_down(const struct site *site)
{
    int64_t now_ms = clock_now_ms();
    for (size_t i = 0; i < site->config->n_upstreams; i++)
        if (upstream_state_is_down(site->pools[i]->shared, now_ms))
            return true;
    return false;
}

static const char *readiness(const struct site *site)
{
    switch (phase_of(site->client->work->commons)) {
    case PHASE_STARTING:
        return "starting";
    case PHASE_READY:
        return is_upstream_down(site) ? "upstream-down" : "ready";
    case PHASE_LAME_DUCK:
    case PHASE_DRAINING:
    case PHASE_STOPPING:
        break;
    }
    return "draining";
}

static void write_upstreams(struct request *r)
{
    static const char *const states[] = { "unknown", "up", "down" };
    bool first = true;
    chain_append(&r->reply, STR("{\"upstreams\":["));
    for (size_t i = 0; i < r->site->config->n_upstreams; i++) {
        struct str name = str_of(r->site->config->upstreams[i].name);
        if (!access_may_see(&r->caller.access, name))
            continue;
        chain_append_c(&r->reply, first ? "{\"name\":" : ",{\"name\":");
        json_write_string(&r->reply, name);
        chain_append(&r->reply, STR(",\"state\":\""));
        chain_append_c(&r->reply, states[upstream_state_health(r->site->pools[i]->shared)]);
        chain_append(&r->reply, STR("\",\"links\":[\"/v1/"));
        chain_append(&r->reply, name);
        chain_append(&r->reply, STR("\"]}"));
        first = false;
    }
    chain_append(&r->reply, STR("]}"));
}

/* Some bytes that no budget may refuse: without this answer a supervisor would end the process. */
static void reply_uncounted(struct request *r)
{
    chain_done(&r->reply);
    chain_init(&r->reply, SIZE_MAX, NULL);
}

static void begin_livez(struct request *r)
{
    reply_uncounted(r);
    chain_append(&r->reply, STR("{\"status\":\"ok\"}"));
    request_succeed(r, 200);
}

static void begin_readyz(struct request *r)
{
    const char *state = readiness(r->site);
    reply_uncounted(r);
    chain_append(&r->reply, STR("{\"status\":\""));
    chain_append_c(&r->reply, state);
    chain_append(&r->reply, STR("\"}"));
    request_succeed(r, strcmp(state, "ready") == 0 ? 200 : 503);
}

static void begin_root(struct request *r)
{
    chain_append(&r->reply, STR("{\"name\":\"rpcgate\",\"links\":[\"/v1\",\"/livez\","
                                "\"/readyz\",\"/metrics\"]}"));
    request_succeed(r, 200);
}

static void begin_upstreams(struct request *r)
{
    write_upstreams(r);
    request_succeed(r, 200);
}

static void begin_metrics(struct request *r)
{
    endpoints_count(r->front); /* this one's connection is new, perhaps */
    exposition_write(r->front, &r->reply);
    request_succeed(r, 200);
}

static void begin_server(struct request *r)
{
    if (!r->is_preflight)
        r->allow = surface_methods();
    request_succeed(r, 204);
}

const struct task task_livez = { .begin = begin_livez };
const struct task task_metrics = { .begin = begin_metrics };
const struct task task_readyz = { .begin = begin_readyz };
const struct task task_root = { .begin = begin_root };
const struct task task_server = { .begin = begin_server };
const struct task task_upstreams = { .begin = begin_upstreams };
