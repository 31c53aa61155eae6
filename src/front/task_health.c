/* SPDX-License-Identifier: Apache-2.0 */
/* GET /livez and GET /readyz. */
#include "front/request.h"

#include "base/clock.h"
#include "client/pool.h"
#include "front/task.h"

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

const struct task task_livez = { .begin = begin_livez };
const struct task task_readyz = { .begin = begin_readyz };
