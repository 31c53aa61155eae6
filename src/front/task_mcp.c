/* SPDX-License-Identifier: Apache-2.0 */
/* POST /mcp/{mcp}: reads the JSON-RPC request, and begins what it asks for. */
#include "front/mcp.h"

#include "base/alloc.h"
#include "codec/json/batch_read.h"
#include "front/form.h"
#include "front/request.h"
#include "front/task.h"
#include "rules/media.h"
#include "work/spares.h"

#include <stdlib.h>

/* How much of a text is read before others get their turn. [bytes] */
#define READ_STEP ((size_t)256 * 1024)

static void take_turn(struct turn *turn)
{
    struct mcp *m = CONTAINER_OF(turn, struct mcp, turn);
    m->next(m->request);
}

void mcp_ask_turn(struct request *r, void (*next)(struct request *r))
{
    r->mcp->next = next;
    if (list_empty(&r->mcp->turn.in_turns))
        turn_ask(r->front->work, &r->mcp->turn);
}

/* ---- What is asked -------------------------------------------------------------------------- */

static const char instructions[] =
    "These tools call XML-RPC servers through rpcgate. A call that fails says whether it was "
    "executed: with `no` it may be tried again, with `yes` or `unknown` look first what has "
    "become of it.";

static void begin_initialize(struct request *r)
{
    CLEANUP(buf_done) struct buf wanted = { .data = NULL };
    struct str version = mcp_legacy((struct str){ NULL, 0 });
    if (mcp_unquote(mcp_member(r->mcp->params, "protocolVersion"), 64, &wanted) && wanted.len > 0 &&
        mcp_legacy(buf_str(&wanted)).data != NULL)
        version = mcp_legacy(buf_str(&wanted));
    mcp_open_result(r, &r->reply);
    chain_append(&r->reply, STR("\"protocolVersion\":\""));
    chain_append(&r->reply, version);
    chain_append(&r->reply,
                 STR("\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"rpcgate\","
                     "\"version\":\"" PACKAGE_VERSION "\"},\"instructions\":\""));
    chain_append_c(&r->reply, instructions);
    chain_append_byte(&r->reply, '"');
    mcp_close_result(r, false, &r->reply);
    request_succeed(r, 200);
}

static void begin_discover(struct request *r)
{
    mcp_open_result(r, &r->reply);
    chain_append(&r->reply, STR("\"supportedVersions\":[\"" MCP_MODERN
                                "\"],\"capabilities\":{\"tools\":{}},\"instructions\":\""));
    chain_append_c(&r->reply, instructions);
    chain_append_byte(&r->reply, '"');
    mcp_close_result(r, true, &r->reply);
    request_succeed(r, 200);
}

static void begin_ping(struct request *r)
{
    mcp_open_result(r, &r->reply);
    mcp_close_result(r, false, &r->reply);
    request_succeed(r, 200);
}

static const struct {
    struct str method;
    bool in_legacy, in_modern;
    void (*begin)(struct request *r);
} methods[] = {
    { { "initialize", 10 }, true, false, begin_initialize },
    { { "ping", 4 }, true, false, begin_ping },
    { { "server/discover", 15 }, false, true, begin_discover },
    { { "tools/list", 10 }, true, true, mcp_list_begin },
    { { "tools/call", 10 }, true, true, mcp_call_begin },
};

static void dispatch(struct request *r)
{
    struct mcp *m = r->mcp;
    struct str method = buf_str(&m->method);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (!str_eq(method, methods[i].method) ||
            !(m->is_modern ? methods[i].in_modern : methods[i].in_legacy))
            continue;
        methods[i].begin(r);
        return;
    }
    error_set(&r->error, PROBLEM_NOT_FOUND,
              "Method not found: %.*s%s. There are tools here, and no prompts or resources.",
              ERROR_CUT_ARGS(error_cut(method, 64)));
    mcp_refuse(r, m->is_modern ? 404 : 200, MCP_METHOD_NOT_FOUND, (struct str){ NULL, 0 });
}

/* ---- The text ------------------------------------------------------------------------------- */

static void refuse(struct request *r, enum mcp_code code)
{
    mcp_refuse(r, r->error.status, code, (struct str){ NULL, 0 });
}

static void read_request(struct request *r)
{
    if (!mcp_read_request(r))
        return;
    if (head_timeout(http_head(r->exchange), &r->timeout_ms, &r->error))
        dispatch(r);
    else
        refuse(r, MCP_INVALID_REQUEST);
}

/* It was read as JSON-RPC; what stands in it is borrowed from the body. */
static void take_item(struct request *r, const struct batch_item *item)
{
    struct mcp *m = r->mcp;
    bool is_null = str_eq(item->id, STR("null"));
    if (item->id.data != NULL && !is_null)
        buf_append(&m->id, item->id);
    if (item->failed) {
        refuse(r, MCP_INVALID_REQUEST);
        return;
    }
    if (item->notification) { /* there is nothing that one could change here */
        request_succeed(r, 202);
        return;
    }
    if (is_null) {
        error_set(&r->error, PROBLEM_INVALID_REQUEST, "`id` must be a string or a number.");
        refuse(r, MCP_INVALID_REQUEST);
        return;
    }
    buf_append(&m->method, item->method);
    m->params = item->params;
    mcp_ask_turn(r, read_request);
}

static void find_item(struct request *r)
{
    struct batch_item item = { .failed = true };
    switch (batch_reader_next(r->mcp->reader, READ_STEP, &item, &r->error)) {
    case BATCH_MORE:
        mcp_ask_turn(r, find_item);
        break;
    case BATCH_ITEM:
        take_item(r, &item);
        break;
    case BATCH_END:
        error_set(&r->error, PROBLEM_INVALID_REQUEST, "There is no request: send one.");
        refuse(r, MCP_INVALID_REQUEST);
        break;
    }
}

static void check(struct request *r)
{
    struct batch_reader *reader = r->mcp->reader;
    switch (batch_reader_check(reader, READ_STEP, &r->error)) {
    case CODEC_MORE:
        mcp_ask_turn(r, check);
        break;
    case CODEC_FAILED:
        refuse(r, r->error.type == PROBLEM_INVALID_JSON ? MCP_PARSE_ERROR : MCP_SERVER_ERROR);
        break;
    case CODEC_DONE:
        if (!batch_reader_is_list(reader)) {
            find_item(r);
            break;
        }
        error_set(&r->error, PROBLEM_INVALID_REQUEST,
                  "MCP has no batches: send one JSON-RPC request, an object.");
        refuse(r, MCP_INVALID_REQUEST);
        break;
    }
}

static void begin(struct request *r)
{
    struct mcp *m = xcalloc(1, sizeof *m);
    m->request = r;
    m->turn.take = take_turn;
    list_init(&m->turn.in_turns);
    buf_init(&m->id, SIZE_MAX / 2, &r->share->budget);
    buf_init(&m->method, SIZE_MAX / 2, &r->share->budget);
    chain_init(&m->out, SIZE_MAX, &r->share->budget);
    m->reader = work_take_reader(r->front->work);
    route_filled_init(&r->by_route.filled, &r->share->budget);
    r->mcp = m;
    request_enter(r, REQUEST_WORKING);
    batch_reader_begin(m->reader, BATCH_JSONRPC, buf_str(&r->body));
    check(r);
}

static void gone(struct request *r)
{
    if (call_runs(&r->call))
        call_abandon(&r->call);
}

static void drop(struct request *r)
{
    struct mcp *m = TAKE(r->mcp);
    if (call_runs(&r->call))
        call_drop(&r->call);
    list_remove(&m->turn.in_turns);
    mcp_search_drop(m);
    mcp_list_drop(m);
    work_give_reader(r->front->work, m->reader);
    route_fill_end(m->filling);
    route_filled_done(&r->by_route.filled);
    chain_done(&m->out);
    buf_done(&m->id);
    buf_done(&m->method);
    free(m);
}

const struct task task_mcp = {
    .begin = begin, .gone = gone, .drop = drop, .takes_calls = true, .asks_upstreams = true
};

const struct form form_mcp = {
    .content_type = "application/json",
    .face = FACE_MCP,
    .media = { "json", 4 },
};
