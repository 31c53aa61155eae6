/* SPDX-License-Identifier: Apache-2.0 */
/* Which routes and methods are tools of an MCP server, and how they are called. What the
 * configuration says alone is compiled when it is read; which methods a glob matches, upstreams
 * tell. Pure. */
#ifndef RPCGATE_SETTINGS_MCP_H
#define RPCGATE_SETTINGS_MCP_H

#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* Of a tool's name: clients put the server's before it, and allow 64 in all. [bytes] */
#define MCP_NAME_MAX 48

struct mcp_tool {
    const struct mcp_tool_config *rule; /* the entry that makes it one */
    const struct route_config *route;   /* NULL: it is a method */
    const struct upstream_config *upstream;
    struct str method; /* borrowed */
    bool safe;
    bool is_double; /* its plain name is another's, too */
    char name[MCP_NAME_MAX + 1];
};

/* The first entry that makes a tool of it; NULL: it is none. `ret_safe` says whether it may run
 * twice. system.multicall is none, and what describes methods only where an entry names `system.`,
 * for no model needs it. */
const struct mcp_tool_config *mcp_rule_of_method(const struct mcp_config *server,
                                                 const struct upstream_config *upstream,
                                                 struct str method, bool *ret_safe);
const struct mcp_tool_config *mcp_rule_of_route(const struct mcp_config *server,
                                                const struct route_config *route, bool *ret_safe);

/* Is the entry about routes? */
static inline bool mcp_rule_is_of_routes(const struct mcp_tool_config *rule)
{
    return rule->match[0] == '@';
}

/* Does it name one thing, and match no other? */
bool mcp_rule_is_name(const struct mcp_tool_config *rule);

/* The two sides of an entry that is about methods. */
void mcp_rule_split(const struct mcp_tool_config *rule, struct str *ret_upstream,
                    struct str *ret_method);

/* May that upstream have methods that only it can tell of? */
bool mcp_asks(const struct mcp_config *server, const struct upstream_config *upstream);

/* Is that the tool of a name that the configuration itself has? */
bool mcp_is_known(const struct mcp_config *server, const struct upstream_config *upstream,
                  struct str method);

/* Fills `known` and `has_globs`. Entries without a usable `match` are passed over. */
void mcp_compile(struct mcp_config *server, const struct config *config, struct store *store);

/* Names tools[first] and those behind it; those before it have their names. The name is the
 * route's, or `upstream__method` with `_` for what is no letter, digit, `_` or `-`. Where that is
 * too long, or another's as well, it is cut to 39 characters, `_`, and 8 hexadecimal digits. */
void mcp_name_tools(struct mcp_tool *tools, size_t first, size_t n);

#endif
