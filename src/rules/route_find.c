/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route_find.h"

#include "rules/percent.h"

/* No text of a route's path is longer. [bytes] */
#define LITERAL_MAX ((size_t)255)

struct finding {
    const struct route_table *table;
    enum route_method method;
    size_t n; /* segments */
    struct str raw[ROUTE_SEGMENTS_MAX];
    struct str decoded[ROUTE_SEGMENTS_MAX]; /* NULL data: too long to be a text of any route */
    char room[ROUTE_SEGMENTS_MAX][LITERAL_MAX];
    struct route_match *match;
};

static struct str decode(struct str raw, char room[LITERAL_MAX])
{
    size_t len = 0;
    if (str_find(raw, '%') == raw.len)
        return raw;
    while (raw.len > 0) {
        struct percent_character c;
        if (!percent_next(&raw, &c) || c.len > LITERAL_MAX - len)
            return (struct str){ NULL, 0 };
        memcpy(room + len, c.bytes, c.len);
        len += c.len;
    }
    return (struct str){ room, len };
}

static bool split(struct finding *f, struct str path)
{
    while (path.len > 0) {
        path = str_slice(path, 1, path.len);
        size_t end = str_find(path, '/');
        if (f->n == ROUTE_SEGMENTS_MAX || end == 0)
            return false; /* a segment is never empty */
        f->raw[f->n] = str_slice(path, 0, end);
        f->decoded[f->n] = decode(f->raw[f->n], f->room[f->n]);
        f->n++;
        path = str_slice(path, end, path.len);
    }
    return true;
}

static uint32_t behind_text(struct finding *f, uint32_t from, struct str segment)
{
    const struct route_table *t = f->table;
    if (segment.data == NULL)
        return 0;
    size_t slot = route_edge_slot(t, from, segment);
    for (;; slot = (slot + 1) & (t->n_edges - 1)) {
        f->match->n_looks++;
        if (t->edges[slot].to == 0)
            return 0;
        if (t->edges[slot].from == from && str_eq(t->edges[slot].segment, segment))
            return t->edges[slot].to;
    }
}

/* The index of the route, + 1, to which the segments from `i` on lead; 0: to none. */
static uint32_t walk(struct finding *f, uint32_t at, size_t i, size_t n_names)
{
    const struct route_node *node = &f->table->nodes[at];
    if (i == f->n)
        return node->routes[f->method];
    uint32_t next = behind_text(f, at, f->decoded[i]);
    uint32_t found = next != 0 ? walk(f, next, i + 1, n_names) : 0;
    if (found != 0 || node->param == 0)
        return found;
    f->match->segments[n_names] = f->raw[i];
    return walk(f, node->param, i + 1, n_names + 1);
}

bool route_find(const struct config *config, struct str path, enum route_method method,
                struct route_match *ret)
{
    struct finding f = { .table = config->route_table, .method = method, .match = ret };
    ret->route = NULL;
    ret->n_looks = 0;
    if (config->n_routes == 0 || !split(&f, path) || f.n == 0 || route_is_reserved(f.decoded[0]))
        return false;
    uint32_t found = walk(&f, 0, 0, 0);
    if (found != 0)
        ret->route = &config->routes[found - 1];
    return found != 0;
}
