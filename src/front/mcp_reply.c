/* SPDX-License-Identifier: Apache-2.0 */
#include "front/mcp.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "front/request.h"

#include <stdio.h>
#include <stdlib.h>

/* How long clients may keep what was told of the server: an upstream may come back, and rights may
 * change. [ms] */
#define TTL_MS "60000"

#define SERVER_INFO "{\"name\":\"rpcgate\",\"version\":\"" PACKAGE_VERSION "\"}"

static void open_answer(const struct mcp *m, struct chain *to)
{
    chain_append(to, STR("{\"jsonrpc\":\"2.0\""));
    if (m->id.len > 0) {
        chain_append(to, STR(",\"id\":"));
        chain_append(to, buf_str(&m->id));
    }
}

void mcp_open_result(struct request *r, struct chain *to)
{
    open_answer(r->mcp, to);
    chain_append(to, STR(",\"result\":{"));
}

void mcp_close_result(struct request *r, bool is_cacheable, struct chain *to)
{
    if (r->mcp->is_modern) {
        chain_append(to, STR(",\"resultType\":\"complete\""));
        if (is_cacheable)
            chain_append(to, STR(",\"ttlMs\":" TTL_MS ",\"cacheScope\":\"private\""));
        chain_append(to,
                     STR(",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" SERVER_INFO "}"));
    }
    chain_append(to, STR("}}"));
}

/* What was written of an answer goes. One that tells of a problem is small, and not counted: a full
 * budget must not take it away. */
static void begin_anew(struct request *r)
{
    chain_done(&r->reply);
    chain_init(&r->reply, SIZE_MAX, NULL);
    r->problem = problem_info(r->error.type)->name;
    r->sums.retry_after = r->error.retry_after;
}

static void send(struct request *r, int status)
{
    if (chain_state(&r->reply) != CHAIN_OK)
        die_without_memory();
    request_succeed(r, status);
}

/* The problem document, without secrets. */
static void write_document(struct request *r, struct buf *to)
{
    struct chain document;
    chain_init(&document, SIZE_MAX, NULL);
    request_write_document(r, r->fault, &document);
    char *text = chain_dup(&document);
    chain_done(&document);
    buf_append_c(to, text);
    free(text);
}

/* A member of the document; NULL data: there is none. */
static struct str member_of(struct str document, const char *quoted)
{
    struct json_cursor members = json_enter(document);
    struct str name, value;
    while (json_next(&members, &name, &value))
        if (str_eq_c(name, quoted))
            return value;
    return (struct str){ NULL, 0 };
}

void mcp_refuse(struct request *r, int status, enum mcp_code code, struct str data)
{
    CLEANUP(buf_done) struct buf document;
    char number[16];
    buf_init(&document, SIZE_MAX - 1, NULL);
    begin_anew(r);
    write_document(r, &document);
    open_answer(r->mcp, &r->reply);
    snprintf(number, sizeof number, "%d", (int)code);
    chain_append(&r->reply, STR(",\"error\":{\"code\":"));
    chain_append_c(&r->reply, number);
    chain_append(&r->reply, STR(",\"message\":"));
    chain_append(&r->reply, member_of(buf_str(&document), "\"detail\""));
    chain_append(&r->reply, STR(",\"data\":"));
    chain_append(&r->reply, data.data != NULL ? data : buf_str(&document));
    chain_append(&r->reply, STR("}}"));
    send(r, status);
}

void mcp_refuse_problem(struct request *r)
{
    mcp_refuse(r, r->error.status, MCP_SERVER_ERROR, (struct str){ NULL, 0 });
}

/* What a model reads: what went wrong, and whether it may be done again. */
void mcp_fail_tool(struct request *r)
{
    CLEANUP(buf_done) struct buf document;
    buf_init(&document, SIZE_MAX - 1, NULL);
    begin_anew(r);
    write_document(r, &document);
    struct str detail = member_of(buf_str(&document), "\"detail\"");
    mcp_open_result(r, &r->reply);
    chain_append(&r->reply, STR("\"content\":[{\"type\":\"text\",\"text\":"));
    chain_append(&r->reply, str_slice(detail, 0, detail.len - 1));
    chain_append(&r->reply, STR(" (executed: "));
    chain_append_c(&r->reply, executed_name(r->error.executed));
    chain_append(&r->reply, STR(")\"}],\"structuredContent\":"));
    chain_append(&r->reply, buf_str(&document));
    chain_append(&r->reply, STR(",\"isError\":true"));
    mcp_close_result(r, false, &r->reply);
    send(r, 200);
}
