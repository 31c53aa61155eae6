/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's target asks for. */
#ifndef RPCGATE_RULES_ROUTE_H
#define RPCGATE_RULES_ROUTE_H

#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/options.h"

#include <stdbool.h>

enum route_kind {
    ROUTE_ROOT,      /* / */
    ROUTE_LIVEZ,     /* /livez */
    ROUTE_READYZ,    /* /readyz */
    ROUTE_METRICS,   /* /metrics */
    ROUTE_UPSTREAMS, /* /v1 */
    ROUTE_UPSTREAM,  /* /v1/{upstream} */
    ROUTE_METHOD,    /* /v1/{upstream}/{method} */
    ROUTE_JSONRPC,   /* /jsonrpc/{upstream} */
    ROUTE_SERVER,    /* OPTIONS *: the server as a whole; route_parse() knows nothing of it */
    ROUTE_PREFLIGHT, /* a browser's question, whatever the path; nor of this one */
    ROUTE_UNKNOWN    /* anything else: 404 */
};

#define ROUTE_NAME_MAX 255 /* [characters], of up to four bytes each */

/* Decoded segments are kept in the route itself, with a NUL behind them. */
struct route {
    enum route_kind kind;
    size_t upstream_len, method_len; /* [bytes] */
    char upstream[ROUTE_NAME_MAX + 1];
    char method[4 * ROUTE_NAME_MAX + 1];
};

static inline struct str route_upstream(const struct route *r)
{
    return (struct str){ r->upstream, r->upstream_len };
}

static inline struct str route_method(const struct route *r)
{
    return (struct str){ r->method, r->method_len };
}

/* Splits a raw path at `/`, decodes each segment once, and finds what it is. A trailing `/`, an
 * empty segment, or an upstream that can have no such name is ROUTE_UNKNOWN. err: INVALID_REQUEST
 * for a path that does not begin with `/`, does not decode to UTF-8, holds a control character, or
 * a method name that is not 1 to 255 visible characters. RFC 3986 sections 2.1, 3.3. */
bool route_parse(struct str path, struct route *ret, struct error *err) MUST_CHECK;

/* Is a method's name that stands in a body 1 to 255 visible characters? It is valid UTF-8. err:
 * INVALID_REQUEST. */
bool route_method_check(struct str method, struct error *err) MUST_CHECK;

/* The methods of HTTP that a route takes, as the value of `Allow`. */
const char *route_allow(enum route_kind kind);

/* Does it take that one? */
bool route_takes(enum route_kind kind, struct str http_method);

/* The query's choices; `has_` says whether they are there. */
struct query {
    bool has_types, has_integers;
    enum types_form types;
    enum integers_form integers;
};

/* Reads `types=…&integers=…`. err: INVALID_REQUEST for an unknown name (the known ones are named),
 * a wrong value, a name given twice. */
bool query_parse(struct str query, struct query *ret, struct error *err) MUST_CHECK;

#endif
