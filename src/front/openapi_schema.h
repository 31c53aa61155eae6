/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schemas (2020-12, as OpenAPI 3.1 has them) of what goes over the wire. Pure. */
#ifndef RPCGATE_FRONT_OPENAPI_SCHEMA_H
#define RPCGATE_FRONT_OPENAPI_SCHEMA_H

#include "base/chain.h"
#include "base/str.h"
#include "settings/route.h"
#include "settings/snapshot.h"

/* What callers give a route under one name. */
void openapi_schema_input(const struct route_input *input, struct chain *to);

/* A member of what is known of a method, the inside of a JSON object; NULL data: there is none. */
struct str openapi_member_of(struct str described, const char *name);

/* An object of the params of a method by numbers, `a1` and so on, or as one array `params` where
 * its signatures are not known; as below. */
void openapi_schema_arguments(struct str signatures, struct chain *to);

/* The params of a method with those signatures, a JSON array of arrays of type names; or of one
 * whose signatures are not known: NULL data, or `null`. */
void openapi_schema_params(struct str signatures, struct chain *to);

/* Its result, as that upstream's settings make it. */
void openapi_schema_result(struct str signatures, const struct upstream_config *upstream,
                           struct chain *to);

/* The members `schemas` and `responses` of `components`, with the problem document; the second is
 * left open for more. */
void openapi_schema_problem(struct chain *to);

#endif
