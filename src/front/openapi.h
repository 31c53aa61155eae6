/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an OpenAPI 3.1 document of what a caller may use: of routes from their settings, of
 * methods from what their servers tell. Schemas say what really goes over the wire. Pure. In which
 * order they stand, front/openapi_writer.h knows. */
#ifndef RPCGATE_FRONT_OPENAPI_H
#define RPCGATE_FRONT_OPENAPI_H

#include "base/chain.h"
#include "base/str.h"
#include "rules/access.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* What is being written; set up and otherwise left alone. */
struct openapi {
    const struct config *config;
    const struct upstream_config *only; /* which it is about; NULL: about all */
    bool without_methods;               /* it is about routes alone */
    const struct access *access;        /* whose document it is; NULL: there are no bounds */
    struct chain *to;
    bool any;      /* a path was written, */
    bool any_kept; /* one whose answers have an ETag, */
    bool any_tag;  /* and a tag */
};

/* All before the first path. */
void openapi_begin(struct openapi *o);

/* The path of that route, with all of its methods, where it is the first of them. Nothing of
 * routes that the caller may not use. */
void openapi_write_route(struct openapi *o, size_t i);

/* Is the document about methods of that upstream? */
bool openapi_may_ask(const struct openapi *o, const struct upstream_config *upstream);

/* May the caller call that method, and is it one that a path can have? */
bool openapi_may_call(const struct openapi *o, const struct upstream_config *upstream,
                      struct str method);

/* The path of a method. `described` is the inside of a JSON object with `signatures` and `help`, as
 * client/introspection.h has it; no bytes: nothing is known. */
void openapi_write_method(struct openapi *o, const struct upstream_config *upstream,
                          struct str method, struct str described);

/* How long that becomes at most, about. [bytes] */
size_t openapi_method_size(struct str method, struct str described);

/* That of all methods of an upstream that does not tell which it has. */
void openapi_write_any_method(struct openapi *o, const struct upstream_config *upstream);

/* All between the last path and the first tag. */
void openapi_end_paths(struct openapi *o);

/* The tag of an upstream, and those of a route that were not told before. */
void openapi_write_upstream_tag(struct openapi *o, size_t i);
void openapi_write_route_tags(struct openapi *o, size_t i);

/* All behind the last tag. */
void openapi_end(struct openapi *o);

#endif
