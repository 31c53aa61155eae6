/* SPDX-License-Identifier: Apache-2.0 */
/* What a request asks for: the row of front/surface_list.h that takes its path and method. */
#ifndef RPCGATE_FRONT_SURFACE_H
#define RPCGATE_FRONT_SURFACE_H

#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "rules/head.h"
#include "rules/path.h"
#include "rules/route_find.h"

#include <stdbool.h>
#include <stddef.h>

struct form;
struct task;

/* Whom a path is for. */
enum surface_who {
    FOR_CALLER,  /* whoever is known, or anonymous */
    FOR_VISITOR, /* asks for no caller, and may be opened from a link on any site */
    FOR_ANYBODY  /* asks for no caller, and takes any Host */
};

/* Sets of HTTP's methods. */
enum surface_method {
    SURFACE_GET = 1 << 0, /* and HEAD */
    SURFACE_OPTIONS = 1 << 1,
    SURFACE_POST = 1 << 2,
    SURFACE_PUT = 1 << 3,
    SURFACE_PATCH = 1 << 4,
    SURFACE_DELETE = 1 << 5
};

struct surface {
    const struct task *task;
    struct str pattern;
    unsigned methods; /* set of enum surface_method */
    unsigned serve;   /* set of enum serve: a listener with one of these has it */
    enum surface_who who;
    bool takes_body;
    const struct form *form;
};

struct target {
    const struct surface *row;        /* NULL: there is nothing */
    unsigned allow;                   /* 0, or what its path takes, of which the method is none */
    const struct route_config *route; /* of a row of task_route: which; NULL: its path is that of
                                         some, with other methods */
    const struct mcp_config *mcp;     /* that its path names; NULL: none is there */
    size_t upstream_len, method_len;  /* [bytes]; 0: its path has none */
    char upstream[PATH_NAME_MAX];
    char method[4 * PATH_NAME_MAX];
};

/* It asks for nothing that is there. */
static inline void target_clear(struct target *t)
{
    t->row = NULL;
    t->allow = 0;
    t->route = NULL;
    t->mcp = NULL;
    t->upstream_len = t->method_len = 0;
}

static inline struct str target_upstream(const struct target *t)
{
    return (struct str){ t->upstream, t->upstream_len };
}

static inline struct str target_method(const struct target *t)
{
    return (struct str){ t->method, t->method_len };
}

/* Another method, one that fits: of a request that tells it in its body. */
void target_set_method(struct target *t, struct str method);

/* `ret` is filled in any case; `config` has the routes. err: INVALID_REQUEST, of a path that cannot
 * be read, or has a method's name that is none; then `ret` has no row. */
bool surface_find(const struct request_head *head, const struct config *config, struct target *ret,
                  struct error *err) MUST_CHECK;

/* The routes that the path leads to, with whatever method: each is told, with its method as in
 * `Allow`. */
void surface_find_routes(const struct request_head *head, const struct config *config,
                         void (*found)(void *context, const struct route_config *route,
                                       unsigned method),
                         void *context);

/* The row of `OPTIONS *`, for what asks about no path. */
const struct surface *surface_server(void);

/* All methods that any path takes, those of the configuration's routes with them. */
unsigned surface_methods(const struct config *config);

/* Writes a set of methods as `Allow` has it. */
#define SURFACE_ALLOW_TEXT 64
void surface_write_allow(unsigned methods, char to[SURFACE_ALLOW_TEXT]);

#endif
