/* SPDX-License-Identifier: Apache-2.0 */
/* A request of MCP: one JSON-RPC request to POST /mcp/{name}, of revision 2026-07-28 or one of
 * those before it, which begin with `initialize`. Nothing is kept between two requests. A call of a
 * tool is a call as any other: access, rate, session, envelope and log hold for it. */
#ifndef RPCGATE_FRONT_MCP_H
#define RPCGATE_FRONT_MCP_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/str.h"
#include "client/introspection.h"
#include "settings/mcp.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stddef.h>

struct access;
struct batch_reader;
struct request;
struct route_filling;

/* The revision that has no sessions. */
#define MCP_MODERN "2026-07-28"

/* JSON-RPC's, and those that MCP has of its own (2026-07-28, "Error Codes"). */
enum mcp_code {
    MCP_PARSE_ERROR = -32700,
    MCP_INVALID_REQUEST = -32600,
    MCP_METHOD_NOT_FOUND = -32601,
    MCP_INVALID_PARAMS = -32602,
    MCP_SERVER_ERROR = -32000,
    MCP_HEADER_MISMATCH = -32020,
    MCP_UNSUPPORTED_VERSION = -32022
};

/* What upstreams tell of, being asked one after the other. */
struct mcp_search {
    void (*found)(struct request *r);
    struct introspection_waiter waiter;
    size_t upstream;             /* index of the one at hand */
    struct description *methods; /* its own, referenced; NULL: not asked for yet */
    size_t at;                   /* in their text: what comes next */
    struct buf names;            /* of the tools' methods, one behind the other */
    bool is_full;                /* there are more than `max` */
    bool any_failed;             /* some upstream told nothing, */
    size_t failed;               /* such as that one, */
    struct error error;          /* for this reason */
};

/* The list that is written. */
struct mcp_list {
    struct introspection_waiter waiter;
    const struct upstream_config *of; /* what is known is of that one; NULL: nothing is */
    bool tells;                       /* of its methods */
    size_t at;                        /* the next tool */
    bool any;                         /* one was written */
};

struct mcp {
    struct request *request;
    struct turn turn;
    void (*next)(struct request *r);
    struct batch_reader *reader;

    /* The request. What is JSON stands in its body; NULL data: it is not there. */
    bool is_modern; /* of a revision without sessions */
    struct buf id;  /* JSON; no bytes: it has none that is known */
    struct buf method;
    struct str params, name, arguments, meta, cursor, version;

    const struct mcp_tool *tools; /* of the server; the first are those that it knows */
    size_t n_tools;
    struct mcp_tool *own_tools; /* owned, where upstreams were asked */
    struct mcp_search search;
    struct mcp_list list;

    struct route_filling *filling; /* owned; NULL: its tool is no route */
    bool are_numbered;             /* the params of its method: a1, a2, … */
    struct chain out;              /* the answer, while the value is written into it, */
    struct chain_cursor from;
};

/* ---- front/mcp_request.c: what is asked ---- */

/* Reads the params, finds which revision it is of, and holds what it says in its header lines
 * against its body. False: it was answered. */
bool mcp_read_request(struct request *r) MUST_CHECK;

/* That revision, where it is one of those before MCP_MODERN; else NULL data. NULL data: the newest
 * of them. */
struct str mcp_legacy(struct str version);

bool mcp_is_object(struct str json);

/* A member's value; NULL data: there is none, or it is no object. */
struct str mcp_member(struct str object, const char *wanted);

/* The characters of a string's JSON text, at most `max` bytes; false: it is no string. */
bool mcp_unquote(struct str json, size_t max, struct buf *to) MUST_CHECK;

/* ---- front/mcp_reply.c: answers ---- */

/* What stands before and behind the members of a result, of which there is at least one in those
 * of MCP_MODERN. */
void mcp_open_result(struct request *r, struct chain *to);
void mcp_close_result(struct request *r, bool is_cacheable, struct chain *to);

/* An error of JSON-RPC with that HTTP status; r->error says why. `data` is JSON; NULL data: the
 * problem document. */
void mcp_refuse(struct request *r, int status, enum mcp_code code, struct str data);

/* A problem of ours that is no tool's: with its own status. */
void mcp_refuse_problem(struct request *r);

/* The result of a tool that has failed, for r->error and what belongs to it. */
void mcp_fail_tool(struct request *r);

/* ---- front/mcp_search.c: tools ---- */

/* May the caller use that one, but for its params? */
bool mcp_may_use(const struct request *r, const struct mcp_tool *tool);

/* May that caller use anything of the server, as far as can be told without asking upstreams? */
bool mcp_may_see(const struct config *config, const struct access *access,
                 const struct mcp_config *server);

/* Finds all tools of the server; `found` is called at once, or later. */
void mcp_search(struct request *r, void (*found)(struct request *r));
void mcp_search_drop(struct mcp *m);

/* ---- front/mcp_list.c and front/mcp_call.c ---- */

void mcp_list_begin(struct request *r);
void mcp_list_drop(struct mcp *m);
void mcp_call_begin(struct request *r);

/* front/mcp_schema.c: a tool as a list has it. `described` is the inside of a JSON object with
 * `signatures` and `help`, as client/introspection.h has it; no bytes: nothing is known. */
void mcp_write_tool(const struct mcp_tool *tool, struct str described, struct chain *to);

/* front/task_mcp.c: takes a step in one of the worker's next turns. */
void mcp_ask_turn(struct request *r, void (*next)(struct request *r));

#endif
