/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/route.h"

#include "settings/store.h"

struct making {
    struct route_table table;
    const struct route_config *routes;
    void (*clash)(void *context, const struct route_clash *clash);
    void *context;
};

static bool is_param(struct str segment)
{
    return segment.len > 0 && segment.data[0] == '{';
}

/* Takes the first segment off a path. */
static struct str take_segment(struct str *path)
{
    *path = str_slice(*path, 1, path->len);
    size_t end = str_find(*path, '/');
    struct str segment = str_slice(*path, 0, end);
    *path = str_slice(*path, end, path->len);
    return segment;
}

static uint32_t literal_child(struct making *m, uint32_t from, struct str segment)
{
    struct route_table *t = &m->table;
    size_t slot = route_edge_slot(t, from, segment);
    for (; t->edges[slot].to != 0; slot = (slot + 1) & (t->n_edges - 1))
        if (t->edges[slot].from == from && str_eq(t->edges[slot].segment, segment))
            return t->edges[slot].to;
    t->edges[slot] = (struct route_edge){ from, (uint32_t)t->n_nodes, segment };
    return (uint32_t)t->n_nodes++;
}

static uint32_t param_child(struct making *m, uint32_t from)
{
    struct route_node *node = &m->table.nodes[from];
    if (node->param == 0)
        node->param = (uint32_t)m->table.n_nodes++;
    return node->param;
}

static uint32_t walk(struct making *m, struct str path)
{
    uint32_t at = 0;
    while (path.len > 0) {
        struct str segment = take_segment(&path);
        at = is_param(segment) ? param_child(m, at) : literal_child(m, at, segment);
    }
    return at;
}

static void add(struct making *m, size_t i)
{
    const struct route_config *route = &m->routes[i];
    uint32_t *routes = m->table.nodes[walk(m, str_of(route->path))].routes;
    struct route_clash clash = { .b = i };
    if (routes[route->http_method] != 0) {
        clash.a = routes[route->http_method] - 1;
        clash.is_same_method = true;
        m->clash(m->context, &clash);
        return;
    }
    for (size_t k = 0; k < ROUTE_METHODS; k++) {
        clash.a = (size_t)routes[k] - 1;
        if (routes[k] == 0 || str_eq_c(str_of(m->routes[clash.a].path), route->path))
            continue;
        m->clash(m->context, &clash);
        return;
    }
    routes[route->http_method] = (uint32_t)i + 1;
}

static size_t count_segments(const struct route_config *routes, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (const char *c = routes[i].path; c != NULL && *c != '\0'; c++)
            count += *c == '/';
    return count;
}

const struct route_table *
route_table_make(const struct route_config *routes, size_t n, struct store *store,
                 void (*clash)(void *context, const struct route_clash *clash), void *context)
{
    struct making m = { .routes = routes, .clash = clash, .context = context };
    size_t n_segments = count_segments(routes, n);
    m.table.n_edges = 2;
    while (m.table.n_edges < 2 * n_segments)
        m.table.n_edges *= 2;
    m.table.nodes = store_alloc(store, n_segments + 1, sizeof *m.table.nodes);
    m.table.edges = store_alloc(store, m.table.n_edges, sizeof *m.table.edges);
    m.table.n_nodes = 1;
    for (size_t i = 0; i < n; i++)
        if (routes[i].path != NULL)
            add(&m, i);
    struct route_table *made = store_alloc(store, 1, sizeof *made);
    *made = m.table;
    return made;
}

const struct route_node *route_table_find(const struct route_table *t, struct str path)
{
    uint32_t at = 0;
    while (path.len > 0) {
        struct str segment = take_segment(&path);
        size_t slot = route_edge_slot(t, at, segment);
        if (is_param(segment)) {
            at = t->nodes[at].param;
            continue;
        }
        while (t->edges[slot].from != at || !str_eq(t->edges[slot].segment, segment))
            slot = (slot + 1) & (t->n_edges - 1);
        at = t->edges[slot].to;
    }
    return &t->nodes[at];
}

bool route_is_reserved(struct str segment)
{
    static const char *const own[] = { "v1",    "jsonrpc", "xmlrpc",  "mcp",
                                       "livez", "readyz",  "metrics", "-" };
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq_c(segment, own[i]))
            return true;
    return str_starts_with(segment, STR("openapi"));
}
