/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of an OpenAPI document's parts have in common: openapi.c, openapi_route.c and
 * openapi_method.c. */
#ifndef RPCGATE_FRONT_OPENAPI_PART_H
#define RPCGATE_FRONT_OPENAPI_PART_H

#include "codec/json/write.h"
#include "front/openapi.h"
#include "settings/route.h"

static inline void put(struct openapi *o, const char *json)
{
    chain_append_c(o->to, json);
}

static inline void put_text(struct openapi *o, struct str text)
{
    json_write_string(o->to, text);
}

/* Is it a route of what the document is about, and one that the caller may use? */
bool openapi_may_see(const struct openapi *o, const struct route_config *route);

/* What stands before a path, */
void openapi_open_path(struct openapi *o);

/* behind the responses of an operation that are its own, */
void openapi_close_responses(struct openapi *o);

/* and `x-rpcgate`. */
void openapi_write_call(struct openapi *o, bool safe, const char *upstream, struct str method);

/* The parameter, the header lines and the response of routes whose answers have an ETag, as
 * components; `o->any_kept`. */
#define OPENAPI_IF_NONE_MATCH "{\"$ref\":\"#/components/parameters/IfNoneMatch\"}"
#define OPENAPI_KEPT_HEADERS                                                                       \
    "\"headers\":{\"ETag\":{\"$ref\":\"#/components/headers/ETag\"},\"Cache-Control\":{"           \
    "\"$ref\":\"#/components/headers/CacheControl\"}}"
#define OPENAPI_NOT_MODIFIED "\"304\":{\"$ref\":\"#/components/responses/NotModified\"}"

#endif
