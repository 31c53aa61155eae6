/* SPDX-License-Identifier: Apache-2.0 */
/* The query of a request's target: what a caller chooses for one call. */
#ifndef RPCGATE_RULES_QUERY_H
#define RPCGATE_RULES_QUERY_H

#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/options.h"

#include <stdbool.h>

/* `has_` says whether they are there. */
struct query {
    bool has_types, has_integers;
    enum types_form types;
    enum integers_form integers;
};

/* Reads `types=…&integers=…`. err: INVALID_REQUEST for an unknown name (the known ones are named),
 * a wrong value, a name given twice. */
bool query_parse(struct str query, struct query *ret, struct error *err) MUST_CHECK;

#endif
