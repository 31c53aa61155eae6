/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, compiled when the configuration is read, so that a request only fills in: what callers
 * give, where it goes among the call's params, and which path leads to which route. Pure. */
#ifndef RPCGATE_SETTINGS_ROUTE_H
#define RPCGATE_SETTINGS_ROUTE_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Index of a setting's origin in struct route_param_config. */
enum route_param_index {
#define X(kind, name, ...) ROUTE_PARAM_##name,
#define X_W(kind, member, name, ...) ROUTE_PARAM_##name,
    ROUTE_PARAM_OPTIONS(X)
#undef X
#undef X_W
};

#define ROUTE_SEGMENTS_MAX 16 /* of a path */
#define ROUTE_NAME_MAX 64     /* of a param [bytes] */
#define ROUTE_DEPTH_MAX 16    /* of lists and structs in `params` */
#define ROUTE_INPUTS_MAX 256  /* of a route */

/* What callers give under one name. All in the store. */
struct route_input {
    const struct route_param_config *config;
    struct str name;
    enum route_in in;
    enum route_type type;
    bool is_several;     /* a list of it */
    struct str fallback; /* what it is where it is not given, as it stands in the call; NULL data:
                            there is none */
    struct str pointer;  /* where it stands among the call's params: "/3/fields" */
    size_t needs;        /* index of the input before it in its list, which must be given where this
                            one is; SIZE_MAX: none */
};

/* What the type is called: "an int", "a list of ints". */
const char *route_type_told(enum route_type type, bool is_several);

/* What compiling finds wrong: `where` is what of the route it stands in, NULL: the route itself. */
struct route_compiling {
    struct store *store;
    void (*refuse)(void *context, const struct route_param_config *where, const char *sentence);
    void *context;
};

/* Fills what stands behind the settings of the route, whose `http_method`, `path` and `method` are
 * known. All that is wrong with its params is told. */
void route_compile(struct route_config *route, const struct route_compiling *with);

/* ---- Values ---- */

/* Appends a value of one that callers give, as the call's JSON has it, from text that was decoded,
 * or from JSON that is known to be valid; of a list it is one item. False: `why` has how it must be
 * ("must be an int, not \"x\""), and `to` may have a part of it. What is large takes no longer than
 * to copy it, but for base64. */
bool route_value_from_text(const struct route_input *input, struct str text, struct buf *to,
                           struct buf *why) MUST_CHECK;
bool route_value_from_json(const struct route_input *input, struct str json, struct buf *to,
                           struct buf *why) MUST_CHECK;

/* The same of all of a list, where the input is one. */
bool route_values_from_json(const struct route_input *input, struct str json, struct buf *to,
                            struct buf *why) MUST_CHECK;

/* What stands in `{"$i8": …}` where that is the type's own tag, else the value itself. */
struct str route_value_inner(const struct route_input *input, struct str json);

/* Appends a string that is base64, */
void route_value_put_base64(struct str quoted, struct buf *to);

/* how a value must be that is not of the type, and what is no list but must be one. */
void route_value_refuse(const struct route_input *input, struct str json, struct buf *why);
void route_value_refuse_list(const struct route_input *input, struct str json, struct buf *why);

/* ---- Paths ---- */

/* What the path so far leads to. */
struct route_node {
    uint32_t param;                 /* the node behind any segment; 0: there is none */
    uint32_t routes[ROUTE_METHODS]; /* that end here: index + 1; 0: none */
};

/* A segment that leads from one node to another. */
struct route_edge {
    uint32_t from, to; /* to == 0: the slot is free */
    struct str segment;
};

/* Node 0 is that of "/". The edges are a hash table with open addresses, at most half full. */
struct route_table {
    struct route_node *nodes;
    struct route_edge *edges;
    size_t n_nodes, n_edges; /* n_edges: the slots, a power of two */
};

/* The first slot in which that edge could be. FNV-1a: the segments of the table are not chosen by
 * callers, so nobody can make long ways in it. */
static inline size_t route_edge_slot(const struct route_table *t, uint32_t from, struct str segment)
{
    uint64_t hash = 14695981039346656037u ^ from;
    for (size_t i = 0; i < segment.len; i++)
        hash = (hash ^ (unsigned char)segment.data[i]) * 1099511628211u;
    return (size_t)((hash ^ hash >> 32) & (t->n_edges - 1));
}

/* Two routes of one method and shape, or with other names in the same shape. */
struct route_clash {
    size_t a, b; /* indexes of routes */
    bool is_same_method;
};

/* Makes it of routes whose `path` is not NULL; those that clash are told, and left out. */
const struct route_table *
route_table_make(const struct route_config *routes, size_t n, struct store *store,
                 void (*clash)(void *context, const struct route_clash *clash), void *context);

/* What stands at the path of a route that is in the table. */
const struct route_node *route_table_find(const struct route_table *t, struct str path);

/* Does the first segment belong to the gateway itself? */
bool route_is_reserved(struct str segment);

#endif
