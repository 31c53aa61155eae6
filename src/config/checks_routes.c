/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: that each is whole and leads somewhere; what requests need of them is compiled. */
#include "config/checks.h"

#include "base/nearest.h"
#include "config/indexes.h"
#include "settings/method_rule.h"
#include "settings/result_paths.h"
#include "settings/route.h"
#include "settings/store.h"

#include <string.h>

/* So many upstreams are looked at for one whose name is near. */
#define NAMES_MAX 256

struct checked_route {
    const struct checking *c;
    struct route_config *route;
    size_t index;
    bool ok;
};

/* The setting that has the path of that method. */
static enum route_index row_of(enum route_method method)
{
    static const enum route_index rows[] = {
#define X(word, name) [ROUTE_##word] = ROUTE_##name,
        ROUTE_METHOD_LIST(X)
#undef X
    };
    return rows[method];
}

static const char *name_of(enum route_method method)
{
    static const char *const names[] = {
#define X(word, name) [ROUTE_##word] = #name,
        ROUTE_METHOD_LIST(X)
#undef X
    };
    return names[method];
}

static void refuse(struct checked_route *r, struct place place, const char *sentence)
{
    r->ok = false;
    findings_error(r->c->findings, place, "routes[%zu]: %s", r->index, sentence);
}

static const struct origin *origin_of(const struct checked_route *r, enum route_index i)
{
    return &r->route->origins[i];
}

static void check_name(struct checked_route *r)
{
    const struct config *config = r->c->config;
    const struct origin *name = origin_of(r, ROUTE_name);
    if (!check_is_set(name))
        refuse(r, r->route->place, "`name` is missing");
    for (size_t i = 0; r->route->name != NULL && i < r->index; i++) {
        const char *other = config->routes[i].name;
        if (other != NULL && strcmp(other, r->route->name) == 0)
            findings_error(r->c->findings, name->place,
                           "routes[%zu].name: routes[%zu] has the name \"%s\" already", r->index, i,
                           origin_told(name, other));
    }
}

static char *path_of(const struct route_config *route, enum route_method method)
{
    char *const paths[] = {
#define X(word, name) [ROUTE_##word] = route->name,
        ROUTE_METHOD_LIST(X)
#undef X
    };
    return paths[method];
}

/* The first segment of paths of our own is told by a name that stays ours. */
static void check_path(struct checked_route *r)
{
    size_t n = 0;
    for (size_t i = 0; i < ROUTE_METHODS; i++) {
        if (!check_is_set(origin_of(r, row_of((enum route_method)i))))
            continue;
        r->route->http_method = (enum route_method)i;
        r->route->path = path_of(r->route, (enum route_method)i);
        n++;
    }
    if (n != 1) {
        refuse(r, r->route->place, "set one of `get`, `post`, `put`, `patch` and `delete`");
        r->route->path = NULL;
    }
    if (r->route->path == NULL) {
        r->ok = false;
        return;
    }
    struct str path = str_of(r->route->path);
    const struct origin *origin = origin_of(r, row_of(r->route->http_method));
    struct str first = str_slice(path, 1, path.len);
    if (utf8_valid_prefix(path) < path.len)
        refuse(r, origin->place, "the path is not UTF-8");
    if (route_is_reserved(str_slice(first, 0, str_find(first, '/'))))
        refuse(r, origin->place,
               "the path begins as those of the gateway itself do; such are `v1`, `jsonrpc`, "
               "`xmlrpc`, `mcp`, `openapi…`, `livez`, `readyz`, `metrics` and `-`");
}

static void refuse_upstream(struct checked_route *r, const char *name)
{
    const struct config *config = r->c->config;
    const struct origin *call = origin_of(r, ROUTE_call);
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (; n < config->n_upstreams && n < NAMES_MAX; n++)
        names[n] = config->upstreams[n].name;
    const char *nearest = nearest_name(name, names, n);
    r->ok = false;
    findings_error(r->c->findings, call->place,
                   "routes[%zu].call: there is no upstream \"%s\"%s%s%s", r->index,
                   origin_told(call, name), nearest != NULL ? "; did you mean `" : "",
                   nearest != NULL ? nearest : "", nearest != NULL ? "`?" : "");
}

static void check_call(struct checked_route *r)
{
    struct route_config *route = r->route;
    const struct origin *call = origin_of(r, ROUTE_call);
    if (!check_is_set(call))
        refuse(r, route->place, "`call` is missing, the `upstream/method` that is called");
    if (route->call == NULL || call->unresolved) {
        r->ok = false;
        return;
    }
    struct str text = str_of(route->call);
    size_t slash = str_find(text, '/');
    char *name = store_text(r->c->config->store, str_slice(text, 0, slash));
    route->upstream = config_upstream(r->c->config, str_of(name));
    route->method = route->call + slash + 1;
    if (route->upstream == NULL)
        refuse_upstream(r, name);
    if (strcmp(route->method, "system.multicall") == 0)
        refuse(r, call->place,
               "`call` is system.multicall, which would pass by the rules about methods");
}

static void check_safe(struct checked_route *r)
{
    const struct route_config *route = r->route;
    if (route->safe || route->http_method != ROUTE_GET || route->upstream == NULL ||
        method_rule_find(route->upstream, str_of(route->method)).safe)
        return;
    findings_error(r->c->findings, origin_of(r, ROUTE_get)->place,
                   "routes[%zu].get: GET is for calls that change nothing, and may run twice; say "
                   "`safe = true;` if %s with these params is one, else use `post`",
                   r->index, origin_told(origin_of(r, ROUTE_call), route->call));
}

static void check_cache(struct checked_route *r)
{
    const struct route_config *route = r->route;
    if (!route->cache.present || route->safe || route->upstream == NULL ||
        method_rule_find(route->upstream, str_of(route->method)).safe)
        return;
    findings_error(r->c->findings, route->cache.place,
                   "routes[%zu].cache: results are kept of safe calls alone; say `safe = true;` if "
                   "%s with these params changes nothing and may run twice, else leave `cache` out",
                   r->index, origin_told(origin_of(r, ROUTE_call), route->call));
}

static void check_result(struct checked_route *r)
{
    struct route_config *route = r->route;
    const struct route_result_config *result = &route->result;
    bool is_part = result->at != NULL || result->empty > 0;
    if (route->status == 204 && result->present)
        refuse(r, result->place, "`status = 204` has no result, so `result` has no meaning");
    if (route->upstream != NULL && is_part && !result_paths_of_route(r->c->config->store, route))
        refuse(r, result->origins[ROUTE_RESULT_at].place,
               "`result.at` leads too deep: at most 16 names and numbers, with those of "
               "`envelope`");
}

static void on_compiling(void *context, const struct route_param_config *where,
                         const char *sentence)
{
    struct checked_route *r = context;
    if (where == NULL) {
        findings_error(r->c->findings,
                       origin_of(r, ROUTE_params)->place.file != NULL
                           ? origin_of(r, ROUTE_params)->place
                           : r->route->place,
                       "routes[%zu]: %s", r->index, sentence);
        return;
    }
    const struct origin *name = &where->origins[ROUTE_PARAM_name];
    bool is_named = where->name != NULL && !name->hidden;
    findings_error(r->c->findings, where->place, "routes[%zu].params: %s%s%s%s", r->index,
                   is_named ? "`" : "", is_named ? where->name : "", is_named ? "`: " : "",
                   sentence);
}

static void check_one(const struct checking *c, size_t i)
{
    struct route_config *route = &c->config->routes[i];
    struct checked_route r = { c, route, i, true };
    if (!route->present)
        return; /* it is no group, which is told */
    route->has_types = check_is_set(origin_of(&r, ROUTE_types));
    route->has_integers = check_is_set(origin_of(&r, ROUTE_integers));
    check_name(&r);
    check_path(&r);
    check_call(&r);
    if (!r.ok) {
        route->path = NULL;
        return;
    }
    check_safe(&r);
    check_cache(&r);
    check_result(&r);
    route_compile(route, &(struct route_compiling){ c->config->store, on_compiling, &r });
}

static void on_clash(void *context, const struct route_clash *clash)
{
    const struct checking *c = context;
    const struct route_config *a = &c->config->routes[clash->a], *b = &c->config->routes[clash->b];
    const struct origin *origin = &b->origins[row_of(b->http_method)];
    const char *path = origin_told(&a->origins[row_of(a->http_method)], a->path);
    if (clash->is_same_method)
        findings_error(c->findings, origin->place,
                       "routes[%zu].%s: routes[%zu] has a path of that shape already, \"%s\"",
                       clash->b, name_of(b->http_method), clash->a, path);
    else
        findings_error(
            c->findings, origin->place,
            "routes[%zu].%s: routes[%zu] has the same path with other names, \"%s\": use "
            "the same",
            clash->b, name_of(b->http_method), clash->a, path);
}

void check_routes(const struct checking *c)
{
    struct config *config = c->config;
    for (size_t i = 0; i < config->n_routes; i++)
        check_one(c, i);
    config->route_table = route_table_make(config->routes, config->n_routes, config->store,
                                           on_clash, (void *)(size_t)c);
}
