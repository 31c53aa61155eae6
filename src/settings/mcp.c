/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/mcp.h"

#include "settings/method_rule.h"
#include "settings/store.h"

#include <stdint.h>
#include <stdio.h>

/* What is left of a name that gets a hash. [bytes] */
#define CUT_MAX 39

/* ---- Entries -------------------------------------------------------------------------------- */

void mcp_rule_split(const struct mcp_tool_config *rule, struct str *ret_upstream,
                    struct str *ret_method)
{
    struct str text = str_of(rule->match);
    size_t slash = str_find(text, '/');
    *ret_upstream = str_slice(text, 0, slash);
    *ret_method = str_slice(text, slash < text.len ? slash + 1 : slash, text.len);
}

static bool has_match(const struct mcp_tool_config *rule)
{
    return rule->match != NULL && rule->match[0] != '\0' && !rule->origins[0].unresolved;
}

static bool is_method_rule(const struct mcp_tool_config *rule)
{
    return has_match(rule) && !mcp_rule_is_of_routes(rule);
}

static bool is_route_rule(const struct mcp_tool_config *rule)
{
    return has_match(rule) && mcp_rule_is_of_routes(rule);
}

bool mcp_rule_is_name(const struct mcp_tool_config *rule)
{
    return strpbrk(rule->match, "*?") == NULL;
}

static bool matches_method(const struct mcp_tool_config *rule,
                           const struct upstream_config *upstream, struct str method)
{
    const struct str system = STR("system.");
    struct str for_upstream, for_method;
    mcp_rule_split(rule, &for_upstream, &for_method);
    return (!str_starts_with(method, system) || str_starts_with(for_method, system)) &&
           glob_match(for_upstream, str_of(upstream->name)) && glob_match(for_method, method);
}

const struct mcp_tool_config *mcp_rule_of_method(const struct mcp_config *server,
                                                 const struct upstream_config *upstream,
                                                 struct str method, bool *ret_safe)
{
    bool safe = method_rule_find(upstream, method).safe;
    if (str_eq(method, STR("system.multicall")))
        return NULL;
    for (size_t i = 0; i < server->n_tools; i++) {
        const struct mcp_tool_config *rule = &server->tools[i];
        if (!is_method_rule(rule) || !(safe || rule->write) ||
            !matches_method(rule, upstream, method))
            continue;
        *ret_safe = safe;
        return rule;
    }
    return NULL;
}

const struct mcp_tool_config *mcp_rule_of_route(const struct mcp_config *server,
                                                const struct route_config *route, bool *ret_safe)
{
    bool safe = method_rule_of_route(route).safe;
    for (size_t i = 0; i < server->n_tools; i++) {
        const struct mcp_tool_config *rule = &server->tools[i];
        if (!is_route_rule(rule) || !(safe || rule->write) ||
            !glob_match(str_of(rule->match + 1), str_of(route->name)))
            continue;
        *ret_safe = safe;
        return rule;
    }
    return NULL;
}

bool mcp_asks(const struct mcp_config *server, const struct upstream_config *upstream)
{
    for (size_t i = 0; i < server->n_tools; i++) {
        const struct mcp_tool_config *rule = &server->tools[i];
        struct str for_upstream, for_method;
        if (!is_method_rule(rule) || mcp_rule_is_name(rule))
            continue;
        mcp_rule_split(rule, &for_upstream, &for_method);
        if (glob_match(for_upstream, str_of(upstream->name)))
            return true;
    }
    return false;
}

/* ---- Names ---------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
    char letter = c | 0x20;
    return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* What it is called, cut to `max` bytes; returns how long it is. */
static size_t write_plain(const struct mcp_tool *tool, char *to, size_t max)
{
    struct str parts[] = { str_of(tool->upstream->name), STR("__"), tool->method };
    size_t first = tool->route != NULL ? 2 : 0, len = 0;
    if (tool->route != NULL)
        parts[2] = str_of(tool->route->name);
    for (size_t i = first; i < ARRAY_LEN(parts); i++)
        for (size_t k = 0; k < parts[i].len; k++, len++)
            if (len < max)
                to[len] = is_plain(parts[i].data[k]) ? parts[i].data[k] : '_';
    to[len < max ? len : max] = '\0';
    return len;
}

static uint32_t hash_more(uint32_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    return hash;
}

/* FNV-1a of `upstream/method`, or of `@route`. */
static uint32_t hash_of(const struct mcp_tool *tool)
{
    uint32_t hash = 2166136261u;
    if (tool->route != NULL)
        return hash_more(hash_more(hash, STR("@")), str_of(tool->route->name));
    hash = hash_more(hash_more(hash, str_of(tool->upstream->name)), STR("/"));
    return hash_more(hash, tool->method);
}

static void write_cut(struct mcp_tool *tool)
{
    char plain[CUT_MAX + 1];
    write_plain(tool, plain, CUT_MAX);
    snprintf(tool->name, sizeof tool->name, "%s_%08x", plain, hash_of(tool));
}

void mcp_name_tools(struct mcp_tool *tools, size_t first, size_t n)
{
    for (size_t i = first; i < n; i++)
        if (write_plain(&tools[i], tools[i].name, MCP_NAME_MAX) > MCP_NAME_MAX)
            write_cut(&tools[i]);
    for (size_t i = first; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(tools[i].name, tools[k].name) != 0)
                continue;
            tools[i].is_double = true;
            tools[k].is_double |= k >= first;
        }
    }
    for (size_t i = first; i < n; i++)
        if (tools[i].is_double)
            write_cut(&tools[i]);
}

/* ---- What is known -------------------------------------------------------------------------- */

static bool has(const struct mcp_tool *tools, size_t n, const struct mcp_tool *tool)
{
    for (size_t i = 0; i < n; i++)
        if (tools[i].route == tool->route &&
            (tool->route != NULL ||
             (tools[i].upstream == tool->upstream && str_eq(tools[i].method, tool->method))))
            return true;
    return false;
}

bool mcp_is_known(const struct mcp_config *server, const struct upstream_config *upstream,
                  struct str method)
{
    const struct mcp_tool tool = { .upstream = upstream, .method = method };
    return has(server->known, server->n_known, &tool);
}

static void add(struct mcp_tool *tools, size_t *n, const struct mcp_tool *tool)
{
    if (tool->rule != NULL && !has(tools, *n, tool))
        tools[(*n)++] = *tool;
}

static void add_routes(const struct mcp_config *server, const struct config *config,
                       const struct mcp_tool_config *rule, struct mcp_tool *tools, size_t *n)
{
    for (size_t i = 0; i < config->n_routes; i++) {
        const struct route_config *route = &config->routes[i];
        if (route->path == NULL || route->name == NULL ||
            !glob_match(str_of(rule->match + 1), str_of(route->name)))
            continue;
        struct mcp_tool tool = { .route = route,
                                 .upstream = route->upstream,
                                 .method = str_of(route->method) };
        tool.rule = mcp_rule_of_route(server, route, &tool.safe);
        add(tools, n, &tool);
    }
}

static void add_method(const struct mcp_config *server, const struct config *config,
                       const struct mcp_tool_config *rule, struct mcp_tool *tools, size_t *n)
{
    struct mcp_tool tool = { .route = NULL };
    struct str upstream;
    mcp_rule_split(rule, &upstream, &tool.method);
    tool.upstream = config_upstream(config, upstream);
    if (tool.upstream == NULL)
        return;
    tool.rule = mcp_rule_of_method(server, tool.upstream, tool.method, &tool.safe);
    add(tools, n, &tool);
}

void mcp_compile(struct mcp_config *server, const struct config *config, struct store *store)
{
    struct mcp_tool *tools =
        store_alloc(store, config->n_routes + server->n_tools + 1, sizeof *tools);
    size_t n = 0;
    for (size_t i = 0; i < server->n_tools; i++) {
        const struct mcp_tool_config *rule = &server->tools[i];
        if (is_route_rule(rule))
            add_routes(server, config, rule, tools, &n);
        else if (has_match(rule) && mcp_rule_is_name(rule))
            add_method(server, config, rule, tools, &n);
    }
    mcp_name_tools(tools, 0, n);
    server->known = tools;
    server->n_known = n;
    for (size_t i = 0; i < config->n_upstreams; i++)
        server->has_globs |= mcp_asks(server, &config->upstreams[i]);
}
