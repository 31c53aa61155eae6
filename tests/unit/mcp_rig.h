/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of MCP for the tests of front/, to the server `m`. cmocka.h comes before it. */
#ifndef RPCGATE_TESTS_MCP_RIG_H
#define RPCGATE_TESTS_MCP_RIG_H

#include "front_rig.h"

#include <stdio.h>
#include <string.h>

#define MCP_META                                                                                   \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

/* What results of that revision end with, and its lists. */
#define MCP_MODERN_END                                                                             \
    ",\"_meta\":{\"io.modelcontextprotocol/"                                                       \
    "serverInfo\":{\"name\":\"rpcgate\",\"version\":\"" PACKAGE_VERSION "\"}}}}"
#define MCP_MODERN_LIST_END                                                                        \
    ",\"resultType\":\"complete\",\"ttlMs\":60000,\"cacheScope\":\"private\"" MCP_MODERN_END

struct mcp_exchange {
    struct exchange x;
    char lines[1024]; /* the head borrows them */
};

/* Its head, with these lines besides. */
static inline void mcp_begin_at(struct front_rig *rig, struct mcp_exchange *m, const char *target,
                                const char *lines)
{
    snprintf(m->lines, sizeof m->lines,
             "Host: 127.0.0.1:8080\nAuthorization: Bearer " EXCHANGE_TOKEN
             "\nContent-Type: application/json\nTransfer-Encoding: chunked\n%s",
             lines);
    exchange_begin(rig, &m->x, target, m->lines);
}

static inline void mcp_begin(struct front_rig *rig, struct mcp_exchange *m, const char *lines)
{
    mcp_begin_at(rig, m, "POST /mcp/m", lines);
}

static inline void mcp_send(struct front_rig *rig, struct mcp_exchange *m, const char *lines,
                            const char *body)
{
    mcp_begin(rig, m, lines);
    exchange_go_on(rig, &m->x, body);
}

/* Of a revision that begins with `initialize`. `params` is the inside of an object. */
static inline void mcp_ask(struct front_rig *rig, struct mcp_exchange *m, const char *method,
                           const char *params)
{
    CLEANUP(buf_done) struct buf body;
    buf_init(&body, SIZE_MAX - 1, NULL);
    buf_printf(&body, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":{%s}}", method,
               params);
    mcp_send(rig, m, "MCP-Protocol-Version: 2025-06-18\n", buf_c(&body));
}

/* Of the one that has no sessions. `tool`: NULL, or whose name has a line. */
static inline void mcp_ask_modern(struct front_rig *rig, struct mcp_exchange *m, const char *method,
                                  const char *tool, const char *params)
{
    CLEANUP(buf_done) struct buf body;
    char lines[256];
    snprintf(lines, sizeof lines, "MCP-Protocol-Version: 2026-07-28\nMcp-Method: %s\n%s%s%s",
             method, tool != NULL ? "Mcp-Name: " : "", tool != NULL ? tool : "",
             tool != NULL ? "\n" : "");
    buf_init(&body, SIZE_MAX - 1, NULL);
    buf_printf(&body,
               "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":{%s%s" MCP_META "}}",
               method, params, params[0] != '\0' ? "," : "");
    mcp_send(rig, m, lines, buf_c(&body));
}

static inline bool mcp_has(const struct mcp_exchange *m, const char *text)
{
    return strstr(m->x.body, text) != NULL;
}

static inline void mcp_expect_text(const struct mcp_exchange *m, const char *text)
{
    if (!mcp_has(m, text))
        fail_msg("%s\nhas no\n%s", m->x.body, text);
}

/* It is an error of JSON-RPC: with that code, and that at the beginning of its message. */
static inline void mcp_expect_error(const struct mcp_exchange *m, int status, int code,
                                    const char *message)
{
    char text[256];
    snprintf(text, sizeof text, ",\"error\":{\"code\":%d,\"message\":\"%s", code, message);
    exchange_expect(&m->x, status, NULL);
    assert_true(exchange_has(&m->x, "Content-Type: application/json"));
    mcp_expect_text(m, text);
}

/* A call of a tool, without or with arguments. */
static inline void mcp_call(struct front_rig *rig, struct mcp_exchange *m, const char *tool,
                            const char *arguments)
{
    char params[256];
    snprintf(params, sizeof params, "\"name\":\"%s\"%s%s", tool,
             arguments[0] != '\0' ? ",\"arguments\":" : "", arguments);
    mcp_ask(rig, m, "tools/call", params);
}

/* A value that is the tool's result, as text and as it is. */
static inline void mcp_expect_result(const struct mcp_exchange *m, const char *text,
                                     const char *value)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",\"text\":"
             "\"{\\\"result\\\":%s}\"}],\"structuredContent\":{\"result\":%s},\"isError\":false}}",
             text, value);
    exchange_expect(&m->x, 200, body);
}

/* The tool has failed by that, and models are told so: these are in what they are told. */
static inline void mcp_expect_failure(const struct mcp_exchange *m, const char *problem,
                                      const char *executed, const char *part)
{
    char text[160];
    exchange_expect(&m->x, 200, NULL);
    snprintf(text, sizeof text,
             " (executed: %s)\"}],\"structuredContent\":{\"type\":\"urn:rpcgate:"
             "problem:%s\"",
             executed, problem);
    mcp_expect_text(m, text);
    mcp_expect_text(m, part);
    mcp_expect_text(m,
                    "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",");
    mcp_expect_text(m, "},\"isError\":true}}");
    assert_false(mcp_has(m, "\" (executed: "));
}

#endif
