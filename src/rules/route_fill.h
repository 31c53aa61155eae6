/* SPDX-License-Identifier: Apache-2.0 */
/* What a request gives a route, checked and put into the params of its call. Pure. */
#ifndef RPCGATE_RULES_ROUTE_FILL_H
#define RPCGATE_RULES_ROUTE_FILL_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/step.h"
#include "rules/query.h"
#include "settings/route.h"

#include <stdbool.h>
#include <stddef.h>

/* What the request has; all borrowed. */
struct route_given {
    const struct str *segments; /* of the names in the path, in their order, as they came */
    struct str query;           /* as it came */
    struct str body;            /* JSON that is known to be valid, or no bytes */
    bool by_name;               /* `body` is an object with all of it, whatever its place else */
    const char *within;         /* so: where that stands in the request, a JSON Pointer */
};

/* What comes of it. */
struct route_filled {
    struct buf params;  /* the call's params: a JSON array */
    struct buf errors;  /* what is wrong, all of it: a JSON array of objects, for the problem */
    struct query query; /* how the caller wants the result, else as the route says */
};

/* `budget` counts the params; NULL: none. */
void route_filled_init(struct route_filled *f, struct budget *budget);
void route_filled_done(struct route_filled *f);

/* Under way; what is given stays where it is until the end. */
struct route_filling;

struct route_filling *route_fill_begin(const struct route_config *route,
                                       const struct route_given *given,
                                       struct route_filled *ret) MUST_CHECK;

/* A step of some milliseconds at most. CODEC_FAILED: `err` is INVALID_REQUEST, and `errors` has
 * what is wrong, or OVERLOADED with the setting `limits.memory`. */
enum codec_step route_fill_step(struct route_filling *f, struct error *err) MUST_CHECK;

/* NULL is fine. */
void route_fill_end(struct route_filling *f);

/* All steps at once. */
bool route_fill(const struct route_config *route, const struct route_given *given,
                struct route_filled *ret, struct error *err) MUST_CHECK;

/* The error is about the params as they were built: makes its pointer one into the body, or names
 * what it is about. `within`: the `within` of what was given by name; NULL: it was not. */
void route_error_is_of(const struct route_config *route, struct error *err, const char *within);

#endif
