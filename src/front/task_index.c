/* SPDX-License-Identifier: Apache-2.0 */
/* Where a caller can go from here: GET /, GET /v1, and what is asked by OPTIONS. */
#include "front/mcp.h"
#include "front/request.h"

#include "client/pool.h"
#include "client/session_store.h"
#include "codec/json/write.h"
#include "front/task.h"

static void add_link(struct request *r, const char *to, const char *name)
{
    chain_append(&r->reply, STR(",\""));
    chain_append_c(&r->reply, to);
    chain_append_c(&r->reply, name);
    chain_append_byte(&r->reply, '"');
}

/* Where calls go that are none of /v1, which lists its upstreams itself. */
static void add_other_faces(struct request *r)
{
    const struct config *config = r->site->config;
    for (size_t i = 0; i < config->n_upstreams; i++) {
        const struct upstream_config *upstream = &config->upstreams[i];
        if (!access_may_see(&r->caller.access, str_of(upstream->name)))
            continue;
        if ((upstream->faces & FACE_JSONRPC) != 0)
            add_link(r, "/jsonrpc/", upstream->name);
        if ((upstream->faces & FACE_XMLRPC) != 0)
            add_link(r, "/xmlrpc/", upstream->name);
    }
    for (size_t i = 0; i < config->n_mcp; i++)
        if (mcp_may_see(config, &r->caller.access, &config->mcp[i]))
            add_link(r, "/mcp/", config->mcp[i].name);
}

static void begin_root(struct request *r)
{
    chain_append(&r->reply, STR("{\"name\":\"rpcgate\",\"links\":[\"/v1\",\"/livez\","
                                "\"/readyz\",\"/metrics\",\"/openapi.json\",\"/-/routes.json\""));
    add_other_faces(r);
    chain_append(&r->reply, STR("]}"));
    request_succeed(r, 200);
}

static void write_session(struct request *r, struct session_store *sessions)
{
    static const char *const states[] = { "none", "active", "refused" };
    if (sessions == NULL)
        return;
    chain_append(&r->reply, STR("\",\"session\":\""));
    chain_append_c(&r->reply, states[session_store_state(sessions)]);
}

static void write_upstreams(struct request *r)
{
    static const char *const states[] = { "unknown", "up", "down" };
    bool first = true;
    chain_append(&r->reply, STR("{\"upstreams\":["));
    for (size_t i = 0; i < r->site->config->n_upstreams; i++) {
        struct str name = str_of(r->site->config->upstreams[i].name);
        if ((r->site->config->upstreams[i].faces & FACE_JSON) == 0 ||
            !access_may_see(&r->caller.access, name))
            continue;
        chain_append_c(&r->reply, first ? "{\"name\":" : ",{\"name\":");
        json_write_string(&r->reply, name);
        chain_append(&r->reply, STR(",\"state\":\""));
        chain_append_c(&r->reply, states[upstream_state_health(r->site->pools[i]->shared)]);
        write_session(r, r->site->pools[i]->shared->sessions);
        chain_append(&r->reply, STR("\",\"links\":[\"/v1/"));
        chain_append(&r->reply, name);
        chain_append(&r->reply, STR("\"]}"));
        first = false;
    }
    chain_append(&r->reply, STR("]}"));
}

static void begin_upstreams(struct request *r)
{
    write_upstreams(r);
    request_succeed(r, 200);
}

static void begin_server(struct request *r)
{
    if (!r->is_preflight)
        r->allow = surface_methods(r->site->config);
    request_succeed(r, 204);
}

const struct task task_root = { .begin = begin_root };
const struct task task_server = { .begin = begin_server };
const struct task task_upstreams = { .begin = begin_upstreams };
