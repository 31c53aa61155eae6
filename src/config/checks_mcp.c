/* SPDX-License-Identifier: Apache-2.0 */
/* Servers of MCP: that each has a name of its own, and tools that are there and may be. */
#include "config/checks.h"

#include "base/nearest.h"
#include "config/indexes.h"
#include "settings/mcp.h"
#include "settings/store.h"

#include <string.h>

/* So many names are looked at for one that is near. */
#define NAMES_MAX 256

/* More characters no request may name (rules/path.h). [bytes] */
#define METHOD_MAX ((size_t)255 * 4)

struct checked_tool {
    const struct checking *c;
    const struct mcp_config *server;
    const struct mcp_tool_config *rule;
    size_t index, tool;
};

static struct place place_of(const struct checked_tool *t)
{
    return t->rule->place;
}

/* Its `match`, as messages have it. */
static const char *told(const struct checked_tool *t)
{
    return origin_told(&t->rule->origins[MCP_TOOL_match], t->rule->match);
}

static void check_name(const struct checking *c, size_t i)
{
    const struct config *config = c->config;
    const struct mcp_config *server = &config->mcp[i];
    const struct origin *name = &server->origins[MCP_name];
    if (!check_is_set(name))
        findings_error(c->findings, server->place, "mcp[%zu]: `name` is missing", i);
    for (size_t k = 0; server->name != NULL && k < i; k++) {
        const char *other = config->mcp[k].name;
        if (other != NULL && strcmp(other, server->name) == 0)
            findings_error(c->findings, name->place,
                           "mcp[%zu].name: mcp[%zu] has the name \"%s\" already", i, k,
                           origin_told(name, other));
    }
}

static const char *nearest_upstream(const struct config *config, const char *name)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (; n < config->n_upstreams && n < NAMES_MAX; n++)
        names[n] = config->upstreams[n].name;
    return nearest_name(name, names, n);
}

static const char *nearest_route(const struct config *config, const char *name)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < config->n_routes && n < NAMES_MAX; i++)
        if (config->routes[i].name != NULL)
            names[n++] = config->routes[i].name;
    return nearest_name(name, names, n);
}

static void refuse_unknown(const struct checked_tool *t, const char *what, const char *name,
                           const char *nearest)
{
    bool hidden = t->rule->origins[MCP_TOOL_match].hidden;
    nearest = hidden ? NULL : nearest;
    findings_error(t->c->findings, place_of(t), "mcp[%zu].tools[%zu]: there is no %s \"%s\"%s%s%s",
                   t->index, t->tool, what, hidden ? "***" : name,
                   nearest != NULL ? "; did you mean `" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "`?" : "");
}

static void refuse_unsafe(const struct checked_tool *t, const char *what, const char *where)
{
    findings_error(t->c->findings, place_of(t),
                   "mcp[%zu].tools[%zu]: the %s \"%s\" is not safe: set `safe = true;` in %s if it "
                   "changes nothing, or `write = true;` here if models shall change things with it",
                   t->index, t->tool, what, told(t), where);
}

static void warn_face(const struct checked_tool *t, const struct upstream_config *upstream)
{
    if ((upstream->faces & FACE_MCP) == 0)
        findings_warn(t->c->findings, place_of(t),
                      "mcp[%zu].tools[%zu]: the upstream \"%s\" is not there for MCP: its `faces` "
                      "have no `mcp`",
                      t->index, t->tool, upstream->name);
}

/* ---- Routes --------------------------------------------------------------------------------- */

static void check_routes_of(const struct checked_tool *t)
{
    const struct config *config = t->c->config;
    const char *name = t->rule->match + 1;
    bool is_name = mcp_rule_is_name(t->rule), safe;
    size_t n = 0, n_tools = 0;
    for (size_t i = 0; i < config->n_routes; i++) {
        const struct route_config *route = &config->routes[i];
        if (route->name == NULL || !glob_match(str_of(name), str_of(route->name)))
            continue;
        n++;
        if (route->path == NULL) { /* which is told */
            n_tools++;
            continue;
        }
        n_tools += mcp_rule_of_route(t->server, route, &safe) != NULL;
        warn_face(t, route->upstream);
    }
    if (n == 0 && is_name)
        refuse_unknown(t, "route", name, nearest_route(config, name));
    else if (n == 0)
        findings_warn(t->c->findings, place_of(t),
                      "mcp[%zu].tools[%zu]: no route has a name that \"%s\" matches", t->index,
                      t->tool, told(t));
    else if (n_tools == 0 && is_name)
        refuse_unsafe(t, "route", "`routes`");
    else if (n_tools == 0)
        findings_warn(t->c->findings, place_of(t),
                      "mcp[%zu].tools[%zu]: none of the routes that \"%s\" matches is safe, so "
                      "none is a tool",
                      t->index, t->tool, told(t));
}

/* ---- Methods -------------------------------------------------------------------------------- */

static void check_method_of(const struct checked_tool *t)
{
    struct str name, method;
    bool safe;
    mcp_rule_split(t->rule, &name, &method);
    const struct upstream_config *upstream = config_upstream(t->c->config, name);
    if (upstream == NULL) {
        const char *text = store_text(t->c->config->store, name);
        refuse_unknown(t, "upstream", text, nearest_upstream(t->c->config, text));
        return;
    }
    if (method.len > METHOD_MAX) {
        findings_error(t->c->findings, place_of(t),
                       "mcp[%zu].tools[%zu]: a method's name has at most 255 characters", t->index,
                       t->tool);
        return;
    }
    if (str_eq(method, STR("system.multicall"))) {
        findings_error(t->c->findings, place_of(t),
                       "mcp[%zu].tools[%zu]: system.multicall is no tool, it would pass by the "
                       "rules about methods",
                       t->index, t->tool);
        return;
    }
    if (mcp_rule_of_method(t->server, upstream, method, &safe) == NULL)
        refuse_unsafe(t, "method", "`methods` of the upstream");
    warn_face(t, upstream);
}

static void check_methods_of(const struct checked_tool *t)
{
    const struct config *config = t->c->config;
    struct str name, method;
    bool any = false;
    if (mcp_rule_is_name(t->rule)) {
        check_method_of(t);
        return;
    }
    mcp_rule_split(t->rule, &name, &method);
    for (size_t i = 0; i < config->n_upstreams; i++) {
        if (!glob_match(name, str_of(config->upstreams[i].name)))
            continue;
        any = true;
        warn_face(t, &config->upstreams[i]);
    }
    if (any)
        return;
    if (memchr(name.data, '*', name.len) == NULL && memchr(name.data, '?', name.len) == NULL) {
        const char *text = store_text(t->c->config->store, name);
        refuse_unknown(t, "upstream", text, nearest_upstream(config, text));
        return;
    }
    findings_warn(t->c->findings, place_of(t),
                  "mcp[%zu].tools[%zu]: no upstream has a name that \"%s\" matches", t->index,
                  t->tool, told(t));
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void check_tool(const struct checked_tool *t)
{
    const struct origin *match = &t->rule->origins[MCP_TOOL_match];
    if (t->rule->present && !check_is_set(match))
        findings_error(t->c->findings, t->rule->place,
                       "mcp[%zu].tools[%zu]: `match` is missing, a glob over `upstream/method`, or "
                       "`@` with one over names of routes",
                       t->index, t->tool);
    if (t->rule->match == NULL || match->unresolved)
        return;
    if (mcp_rule_is_of_routes(t->rule))
        check_routes_of(t);
    else
        check_methods_of(t);
}

static void check_server(const struct checking *c, size_t i)
{
    struct mcp_config *server = &c->config->mcp[i];
    if (!server->present)
        return; /* it is no group, which is told */
    check_name(c, i);
    if (server->n_tools == 0)
        findings_warn(c->findings, server->place, "mcp[%zu]: it has no tools: `tools` is not set",
                      i);
    mcp_compile(server, c->config, c->config->store);
    for (size_t k = 0; k < server->n_tools; k++)
        check_tool(&(struct checked_tool){ c, server, &server->tools[k], i, k });
    if (server->n_known > (size_t)server->max)
        findings_error(c->findings, server->place,
                       "mcp[%zu]: these are %zu tools%s, and `max` is %lld: list fewer, for models "
                       "choose badly among many, or raise `max`",
                       i, server->n_known, server->has_globs ? " or more" : "",
                       (long long)server->max);
}

void check_mcp(const struct checking *c)
{
    for (size_t i = 0; i < c->config->n_mcp; i++)
        check_server(c, i);
}
