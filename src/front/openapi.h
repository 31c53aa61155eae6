/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an OpenAPI 3.1 document of what a caller may use: of routes from their settings, of
 * methods from what their servers tell. Schemas say what really goes over the wire. Pure. */
#ifndef RPCGATE_FRONT_OPENAPI_H
#define RPCGATE_FRONT_OPENAPI_H

#include "base/chain.h"
#include "base/str.h"
#include "rules/access.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* What is being written; set up and otherwise left alone. */
struct openapi {
    const struct config *config;
    const struct access *access; /* whose document it is; NULL: there are no bounds */
    struct chain *to;
    bool any; /* a path was written */
};

/* All before the first path. `upstream` is the only one that it is about; NULL: it is about all. */
void openapi_begin(struct openapi *o, const struct upstream_config *upstream);

/* Paths of the routes that the caller may use; `upstream` as above. */
void openapi_write_routes(struct openapi *o, const struct upstream_config *upstream);

/* May the caller call that method, and is it one that a path can have? */
bool openapi_may_call(const struct openapi *o, const struct upstream_config *upstream,
                      struct str method);

/* The path of a method. `described` is the inside of a JSON object with `signatures` and `help`, as
 * client/introspection.h has it; no bytes: nothing is known. */
void openapi_write_method(struct openapi *o, const struct upstream_config *upstream,
                          struct str method, struct str described);

/* That of all methods of an upstream that does not tell which it has. */
void openapi_write_any_method(struct openapi *o, const struct upstream_config *upstream);

/* All behind the last path. */
void openapi_end(struct openapi *o);

#endif
