/* SPDX-License-Identifier: Apache-2.0 */
#include "front/surface.h"

#include "front/form.h"
#include "front/surface_list.h"
#include "front/task.h"
#include "rules/negotiate.h"
#include "settings/snapshot.h"

#include <assert.h>
#include <string.h>

#define ON_API SERVE_API
#define ON_HEALTH (SERVE_ADMIN | SERVE_HEALTH)
#define ON_METRICS (SERVE_ADMIN | SERVE_METRICS)
#define TAKES_BODY true
#define TAKES_NO_BODY false

static const struct surface rows[] = {
#define X(task, pattern, methods, serve, who, body, form, help)                                    \
    { &task_##task,      { pattern, sizeof(pattern) - 1 },                                         \
      SURFACE_##methods, ON_##serve,                                                               \
      FOR_##who,         TAKES_##body,                                                             \
      &form_##form },
    SURFACE_LIST(X)
#undef X
};

static const struct {
    struct str name;
    unsigned methods;
} names[] = {
    { { "GET", 3 }, SURFACE_GET },         { { "HEAD", 4 }, SURFACE_GET },
    { { "OPTIONS", 7 }, SURFACE_OPTIONS }, { { "POST", 4 }, SURFACE_POST },
    { { "PUT", 3 }, SURFACE_PUT },         { { "PATCH", 5 }, SURFACE_PATCH },
    { { "DELETE", 6 }, SURFACE_DELETE },
};

/* The segments that a pattern names. */
struct match {
    const struct path_segment *upstream, *method, *mcp;
    size_t upstream_len; /* the rest of its segment is no part of the name */
};

/* What is longer than any upstream's name is none that the caller could mean; of a method it is
 * told (path_check_method()). */
static bool matches_segment(struct str wanted, const struct path_segment *segment,
                            struct match *ret)
{
    if (str_eq(wanted, STR("{upstream}"))) {
        ret->upstream = segment;
        ret->upstream_len = segment->len;
        return segment->fits && segment->len > 0 && segment->len <= PATH_NAME_MAX;
    }
    if (str_eq(wanted, STR("{upstream}.json"))) {
        const struct str end = STR(".json");
        size_t len = segment->len;
        ret->upstream = segment;
        ret->upstream_len = len > end.len ? len - end.len : 0;
        return segment->fits && ret->upstream_len > 0 && ret->upstream_len <= PATH_NAME_MAX &&
               str_eq(str_slice(path_text(segment), ret->upstream_len, len), end);
    }
    if (str_eq(wanted, STR("{mcp}"))) {
        ret->mcp = segment;
        return segment->fits && segment->len > 0;
    }
    if (str_eq(wanted, STR("{method}"))) {
        ret->method = segment;
        return segment->len > 0;
    }
    return segment->fits && str_eq(wanted, path_text(segment));
}

static bool matches(struct str pattern, const struct path *path, struct match *ret)
{
    *ret = (struct match){ .upstream = NULL };
    if (path->n == 0)
        return str_eq(pattern, STR("/"));
    if (path->n > PATH_SEGMENTS_MAX)
        return false;
    for (size_t i = 0; i < path->n; i++) {
        if (pattern.len == 0 || pattern.data[0] != '/')
            return false;
        pattern = str_slice(pattern, 1, pattern.len);
        size_t end = str_find(pattern, '/');
        if (!matches_segment(str_slice(pattern, 0, end), &path->segments[i], ret))
            return false;
        pattern = str_slice(pattern, end, pattern.len);
    }
    return pattern.len == 0;
}

static unsigned methods_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(names[i].name, name))
            return names[i].methods;
    return 0;
}

/* Of one path a page is for browsers, and what stands behind it for all others. */
static bool is_meant(const struct surface *row, const struct request_head *head,
                     const struct config *config)
{
    return !row->form->is_page || (config->explorer && negotiate_prefers_html(head));
}

/* Without a row that takes the method, the path's first one stands for it. */
static void find_row(const struct path *path, const struct request_head *head,
                     const struct config *config, struct target *ret, struct match *ret_match)
{
    unsigned method = methods_of(head->method);
    struct match match;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!matches(rows[i].pattern, path, &match) || !is_meant(&rows[i], head, config))
            continue;
        *ret_match = match;
        if ((rows[i].methods & method) != 0) {
            ret->row = &rows[i];
            ret->allow = 0;
            return;
        }
        if (ret->row == NULL)
            ret->row = &rows[i];
        ret->allow |= rows[i].methods;
    }
}

static unsigned surface_method_of(enum route_method method)
{
    static const unsigned methods[] = {
#define X(word, name) [ROUTE_##word] = SURFACE_##word,
        ROUTE_METHOD_LIST(X)
#undef X
    };
    return methods[method];
}

static const struct surface *row_of_routes(unsigned method)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].task == &task_route && (rows[i].methods & method) != 0)
            return &rows[i];
    return NULL;
}

/* A path that no row has. */
static void find_route(struct str path, const struct config *config, unsigned method,
                       struct target *ret)
{
    struct route_match match;
    for (size_t i = 0; i < ROUTE_METHODS; i++) {
        unsigned of_route = surface_method_of((enum route_method)i);
        if (!route_find(config, path, (enum route_method)i, &match))
            continue;
        if (of_route == method)
            ret->route = match.route;
        if (of_route == method || ret->row == NULL)
            ret->row = row_of_routes(of_route);
        ret->allow |= of_route;
    }
    if (ret->route != NULL)
        ret->allow = 0;
}

void surface_find_routes(const struct request_head *head, const struct config *config,
                         void (*found)(void *context, const struct route_config *route,
                                       unsigned method),
                         void *context)
{
    struct route_match match;
    for (size_t i = 0; i < ROUTE_METHODS; i++)
        if (route_find(config, head->path, (enum route_method)i, &match))
            found(context, match.route, surface_method_of((enum route_method)i));
}

static const struct mcp_config *find_mcp(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->n_mcp; i++)
        if (str_eq_c(name, config->mcp[i].name))
            return &config->mcp[i];
    return NULL;
}

static bool take_names(const struct match *match, struct target *ret, struct error *err)
{
    if (match->method != NULL) {
        if (!path_check_method(match->method, err))
            return false;
        target_set_method(ret, path_text(match->method));
    }
    if (match->upstream != NULL) {
        ret->upstream_len = match->upstream_len;
        memcpy(ret->upstream, match->upstream->bytes, match->upstream_len);
    }
    return true;
}

void target_set_method(struct target *t, struct str method)
{
    assert(method.len <= sizeof t->method);
    t->method_len = method.len;
    memcpy(t->method, method.data, method.len);
}

bool surface_find(const struct request_head *head, const struct config *config, struct target *ret,
                  struct error *err)
{
    struct match match = { .upstream = NULL };
    struct path path;
    target_clear(ret);
    if (head_is_about_server(head)) {
        ret->row = surface_server();
        return true;
    }
    if (!path_read(head->path, &path, err))
        return false;
    find_row(&path, head, config, ret, &match);
    if (ret->row == NULL && config->n_routes > 0)
        find_route(head->path, config, methods_of(head->method), ret);
    if (match.mcp != NULL)
        ret->mcp = find_mcp(config, path_text(match.mcp));
    if (take_names(&match, ret, err))
        return true;
    ret->row = NULL;
    return false;
}

const struct surface *surface_server(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(rows[i].pattern, STR("*")))
            return &rows[i];
    assert(false && "surface_list.h has a row for `OPTIONS *`");
    return NULL;
}

unsigned surface_methods(const struct config *config)
{
    unsigned all = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        all |= rows[i].task != &task_route ? rows[i].methods : 0;
    for (size_t i = 0; i < config->n_routes; i++)
        all |= surface_method_of(config->routes[i].http_method);
    return all;
}

void surface_write_allow(unsigned methods, char to[SURFACE_ALLOW_TEXT])
{
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if ((names[i].methods & methods) == 0)
            continue;
        size_t more = names[i].name.len + (len > 0 ? 2 : 0);
        assert(len + more < SURFACE_ALLOW_TEXT);
        memcpy(to + len, ", ", len > 0 ? 2 : 0);
        memcpy(to + len + more - names[i].name.len, names[i].name.data, names[i].name.len);
        len += more;
    }
    to[len] = '\0';
}
