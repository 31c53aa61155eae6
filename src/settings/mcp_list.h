/* SPDX-License-Identifier: Apache-2.0 */
/* The part of option_list.h that is about MCP; its rows are as there. */
#ifndef RPCGATE_SETTINGS_MCP_LIST_H
#define RPCGATE_SETTINGS_MCP_LIST_H

/* mcp = ( { … }, … ) */
#define MCP_OPTIONS(X)                                                                             \
    X(name, name, NULL, "ops", NULL, NULL, LIVE, "Name in the path, `POST /mcp/ops`; required.")   \
    X(count, max, "40", NULL, "1", "500", LIVE,                                                    \
      "Most tools. Many clients send a model only the first 40, or refuse longer lists.")          \
    X(size, max_request, "128K", NULL, "1K", "256K", LIVE,                                         \
      "Largest request, in place of limits.body where that is more: no model writes as much.")     \
    X(size, max_result, "64K", NULL, "1K", "4M", LIVE,                                             \
      "Largest result of a call, as JSON; a larger one is refused, for it would fill the model's " \
      "memory.")

#define MCP_RULES(R)                                                                               \
    R(mcp_tool, tools, "\"@partner\", \"supervisor/supervisor.get*\"",                             \
      "The tools. An entry is a glob over `upstream/method`, `@` with a glob over the names of "   \
      "`routes`, or a group. Of what a glob matches only `safe` methods and routes are tools, "    \
      "unless the entry has `write`; the first entry that makes something a tool counts.")

/* mcp = ( { tools = ( { … }, … ) }, … ) */
#define MCP_TOOL_OPTIONS(X)                                                                        \
    X(call_glob, match, NULL, "@start", NULL, NULL, LIVE,                                          \
      "Glob over `upstream/method`, or `@` with a glob over the names of `routes`; required.")     \
    X(flag, write, "false", NULL, NULL, NULL, LIVE,                                                \
      "Allows tools that change something: methods and routes that are not `safe`.")               \
    X(flag, idempotent, "false", NULL, NULL, NULL, LIVE,                                           \
      "Says of tools that change something that doing it again changes nothing more.")             \
    X(text, description, NULL, "Starts a program of supervisord.", NULL, NULL, LIVE,               \
      "What the model is told of the tool. Without it: the route's `description` or `summary`, "   \
      "or what the server tells of the method.")

#endif
