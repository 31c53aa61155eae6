/* SPDX-License-Identifier: Apache-2.0 */
#include "front/mcp.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/json/cursor.h"
#include "front/request.h"
#include "rules/path.h"

#include <stdlib.h>

/* How many names are looked at before others have their turn. */
#define NAMES_STEP 200

/* ---- Rights --------------------------------------------------------------------------------- */

static bool may_use(const struct access *access, const struct mcp_tool *tool)
{
    const struct access_call call = {
        .upstream = str_of(tool->upstream->name),
        .method = tool->method,
        .route = str_of(tool->route != NULL ? tool->route->name : NULL),
    };
    return (tool->upstream->faces & FACE_MCP) != 0 &&
           (tool->route == NULL || access_may_see_route(access, &call)) &&
           access_answer(access, &call) != ACCESS_NO;
}

bool mcp_may_use(const struct request *r, const struct mcp_tool *tool)
{
    return may_use(&r->caller.access, tool);
}

/* What a caller may not see is not asked for it, either: it would tell by its time. */
static bool may_ask(const struct access *access, const struct mcp_config *server,
                    const struct upstream_config *upstream)
{
    return (upstream->faces & FACE_MCP) != 0 && mcp_asks(server, upstream) &&
           access_may_see(access, str_of(upstream->name));
}

bool mcp_may_see(const struct config *config, const struct access *access,
                 const struct mcp_config *server)
{
    for (size_t i = 0; i < server->n_known; i++)
        if (may_use(access, &server->known[i]))
            return true;
    for (size_t i = 0; i < config->n_upstreams && server->has_globs; i++) {
        if (may_ask(access, server, &config->upstreams[i]))
            return true;
    }
    return false;
}

/* ---- What upstreams tell of ----------------------------------------------------------------- */

static const struct upstream_config *upstream_of(const struct request *r)
{
    return &r->site->config->upstreams[r->mcp->search.upstream];
}

static bool is_not_for(const struct request *r, struct mcp_tool tool, struct str method)
{
    tool.method = method;
    return !mcp_may_use(r, &tool);
}

/* Servers tell names twice. */
static bool is_there(const struct mcp *m, const struct mcp_tool *tool, struct str method)
{
    struct str names = buf_str(&m->search.names);
    for (size_t i = m->request->target.mcp->n_known; i < m->n_tools; i++) {
        const struct mcp_tool *other = &m->own_tools[i];
        if (other->upstream == tool->upstream &&
            str_eq(str_slice(names, 0, other->method.len), method))
            return true;
        names = str_slice(names, other->method.len, names.len);
    }
    return false;
}

/* What is more than `max` is not there: models choose badly among many. */
static void add(struct request *r, struct str method)
{
    struct mcp *m = r->mcp;
    const struct mcp_config *server = r->target.mcp;
    struct mcp_tool tool = { .upstream = upstream_of(r), .method = { NULL, method.len } };
    struct error ignored;
    if (mcp_is_known(server, tool.upstream, method) || !path_check_method_name(method, &ignored))
        return;
    tool.rule = mcp_rule_of_method(server, tool.upstream, method, &tool.safe);
    if (tool.rule == NULL || is_not_for(r, tool, method) || is_there(m, &tool, method))
        return;
    if (m->n_tools >= (size_t)server->max) {
        m->search.is_full = true;
        return;
    }
    buf_append(&m->search.names, method);
    m->own_tools[m->n_tools++] = tool;
}

/* The names stay where they are now. */
static void end(struct request *r)
{
    struct mcp *m = r->mcp;
    const struct mcp_config *server = r->target.mcp;
    struct str names = buf_str(&m->search.names);
    for (size_t i = server->n_known; i < m->n_tools; i++) {
        struct str *method = &m->own_tools[i].method;
        *method = str_slice(names, 0, method->len);
        names = str_slice(names, method->len, names.len);
    }
    mcp_name_tools(m->own_tools, server->n_known, m->n_tools);
    if (m->search.is_full)
        LOG_EVENT(LOG_LEVEL_WARN, "more tools of MCP than its `max`, the others are not there",
                  LOG_TEXT("request_id", r->id), LOG_TEXT("mcp", server->name));
    m->search.found(r);
}

static void begin_upstream(struct request *r, size_t index)
{
    struct mcp_search *s = &r->mcp->search;
    struct introspection_waiter waiter = { .site = r->site, .until_ms = s->waiter.until_ms };
    description_unref(TAKE(s->methods));
    waiter.wait.go_on = s->waiter.wait.go_on;
    s->upstream = index;
    s->at = 1;
    s->waiter = waiter;
    if (index < r->site->config->n_upstreams)
        s->waiter.upstream = upstream_of(r);
}

/* False: others have their turn. */
static bool read_names(struct request *r)
{
    CLEANUP(buf_done) struct buf name;
    struct mcp_search *s = &r->mcp->search;
    struct str text = description_text(s->methods), quoted;
    buf_init(&name, text.len, NULL);
    struct json_cursor names = { .rest = str_slice(text, s->at, text.len), .first = s->at == 1 };
    for (size_t n = 0; n < NAMES_STEP; n++) {
        if (!json_next(&names, NULL, &quoted))
            return true;
        buf_clear(&name);
        json_unquote(quoted, &name);
        add(r, (struct str){ buf_c(&name), name.len });
    }
    s->at = text.len - names.rest.len;
    return false;
}

static void go_on(struct request *r);

/* False: it waits. An upstream that tells nothing has no tools now. */
static bool read_upstream(struct request *r)
{
    struct mcp_search *s = &r->mcp->search;
    if (s->methods == NULL) {
        struct error err;
        switch (introspection_ask(&s->waiter, KEY_METHODS, &s->methods, &err)) {
        case INTROSPECTION_READY:
            break;
        case INTROSPECTION_WAIT:
            return false;
        case INTROSPECTION_FAILED:
            s->any_failed = true;
            s->failed = s->upstream;
            s->error = err;
            return true;
        }
    }
    if (!s->methods->there || read_names(r))
        return true;
    mcp_ask_turn(r, go_on);
    return false;
}

static void go_on(struct request *r)
{
    const struct config *config = r->site->config;
    struct mcp_search *s = &r->mcp->search;
    for (; s->upstream < config->n_upstreams; begin_upstream(r, s->upstream + 1))
        if (may_ask(&r->caller.access, r->target.mcp, upstream_of(r)) && !read_upstream(r))
            return;
    end(r);
}

static void on_told(struct once_wait *wait, bool in_time)
{
    struct mcp *m = CONTAINER_OF(wait, struct mcp, search.waiter.wait);
    struct request *r = m->request;
    if (in_time) {
        go_on(r);
        return;
    }
    introspection_leave(&m->search.waiter);
    error_set(&r->error, PROBLEM_TIMEOUT,
              "The upstream %s has not told of its methods in the time of X-Rpcgate-Timeout. Give "
              "it more time; what it tells is then kept.",
              upstream_of(r)->name);
    r->error.executed = EXECUTED_NO;
    mcp_refuse_problem(r);
}

void mcp_search(struct request *r, void (*found)(struct request *r))
{
    struct mcp *m = r->mcp;
    const struct mcp_config *server = r->target.mcp;
    m->search.found = found;
    m->tools = server->known;
    m->n_tools = server->n_known;
    if (!server->has_globs) {
        found(r);
        return;
    }
    m->own_tools = xcalloc((size_t)server->max, sizeof *m->own_tools);
    if (server->n_known > 0)
        memcpy(m->own_tools, server->known, server->n_known * sizeof *m->own_tools);
    m->tools = m->own_tools;
    buf_init(&m->search.names, SIZE_MAX / 2, NULL);
    m->search.waiter.until_ms =
        r->timeout_ms == CLOCK_NEVER ? CLOCK_NEVER : r->began_us / 1000 + r->timeout_ms;
    m->search.waiter.wait.go_on = on_told;
    begin_upstream(r, 0);
    go_on(r);
}

void mcp_search_drop(struct mcp *m)
{
    introspection_leave(&m->search.waiter);
    description_unref(TAKE(m->search.methods));
    buf_done(&m->search.names);
    free(TAKE(m->own_tools));
}
