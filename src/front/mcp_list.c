/* SPDX-License-Identifier: Apache-2.0 */
/* tools/list: those that the caller may use, with what upstreams tell of them. */
#include "front/mcp.h"

#include "base/clock.h"
#include "front/request.h"

/* How many are written before others have their turn. */
#define TOOLS_STEP 50

static void go_on(struct request *r);

static void on_told(struct once_wait *wait, bool in_time)
{
    struct mcp *m = CONTAINER_OF(wait, struct mcp, list.waiter.wait);
    struct request *r = m->request;
    if (in_time) {
        go_on(r);
        return;
    }
    introspection_leave(&m->list.waiter);
    error_set(&r->error, PROBLEM_TIMEOUT,
              "The upstream %s has not told of its methods in the time of X-Rpcgate-Timeout. Give "
              "it more time; what it tells is then kept.",
              m->list.waiter.upstream->name);
    r->error.executed = EXECUTED_NO;
    mcp_refuse_problem(r);
}

static void begin_upstream(struct request *r, const struct upstream_config *upstream)
{
    struct mcp_list *l = &r->mcp->list;
    struct introspection_waiter waiter = {
        .site = r->site,
        .upstream = upstream,
        .until_ms = r->timeout_ms == CLOCK_NEVER ? CLOCK_NEVER : r->began_us / 1000 + r->timeout_ms,
    };
    waiter.wait.go_on = on_told;
    l->waiter = waiter;
}

/* Does the upstream tell of its methods at all? False: it waits. */
static bool find_out(struct request *r, const struct upstream_config *upstream)
{
    struct mcp_list *l = &r->mcp->list;
    struct description *methods = NULL;
    struct error ignored;
    if (l->of == upstream)
        return true;
    if (l->waiter.upstream != upstream)
        begin_upstream(r, upstream);
    switch (introspection_ask(&l->waiter, KEY_METHODS, &methods, &ignored)) {
    case INTROSPECTION_WAIT:
        return false;
    case INTROSPECTION_READY:
    case INTROSPECTION_FAILED:
        break;
    }
    l->of = upstream;
    l->tells = methods != NULL && methods->there;
    description_unref(methods);
    return true;
}

/* False: it waits. */
static bool write_tool(struct request *r, const struct mcp_tool *tool)
{
    struct mcp_list *l = &r->mcp->list;
    struct description *described = NULL;
    struct str known = { NULL, 0 };
    struct error ignored;
    if (tool->route == NULL && !find_out(r, tool->upstream))
        return false;
    if (tool->route == NULL && l->tells &&
        introspection_ask(&l->waiter, tool->method, &described, &ignored) == INTROSPECTION_WAIT)
        return false;
    if (described != NULL && described->there)
        known = description_text(described);
    chain_append(&r->reply, l->any ? STR(",") : STR(""));
    mcp_write_tool(tool, known, &r->reply);
    description_unref(described);
    l->any = true;
    return true;
}

static void go_on(struct request *r)
{
    struct mcp *m = r->mcp;
    for (size_t n = 0; m->list.at < m->n_tools; m->list.at++, n++) {
        if (n == TOOLS_STEP) {
            mcp_ask_turn(r, go_on);
            return;
        }
        if (mcp_may_use(r, &m->tools[m->list.at]) && !write_tool(r, &m->tools[m->list.at]))
            return;
    }
    chain_append(&r->reply, STR("]"));
    mcp_close_result(r, true, &r->reply);
    request_succeed(r, 200);
}

static void on_found(struct request *r)
{
    mcp_open_result(r, &r->reply);
    chain_append(&r->reply, STR("\"tools\":["));
    go_on(r);
}

/* There is one page: `max` bounds it. */
static bool check_cursor(struct request *r)
{
    struct str cursor = r->mcp->cursor;
    if (cursor.data == NULL || str_eq(cursor, STR("null")) || str_eq(cursor, STR("\"\"")))
        return true;
    error_set(&r->error, PROBLEM_INVALID_REQUEST,
              "This `cursor` is not known: the list comes whole, leave it out.");
    mcp_refuse(r, r->mcp->is_modern ? 400 : 200, MCP_INVALID_PARAMS, (struct str){ NULL, 0 });
    return false;
}

/* What asks upstreams about themselves counts like a call. */
void mcp_list_begin(struct request *r)
{
    if (!check_cursor(r))
        return;
    if (request_take_calls(r, 1, &r->error))
        mcp_search(r, on_found);
    else
        mcp_refuse_problem(r);
}

void mcp_list_drop(struct mcp *m)
{
    introspection_leave(&m->list.waiter);
}
