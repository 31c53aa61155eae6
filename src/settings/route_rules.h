/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration wants of a value that callers give a route, besides its type: bounds,
 * choices, a length, globs. Pure. */
#ifndef RPCGATE_SETTINGS_ROUTE_RULES_H
#define RPCGATE_SETTINGS_ROUTE_RULES_H

#include "settings/route.h"

/* What is longer is not held against a glob. [bytes] */
#define ROUTE_MATCHED_MAX ((size_t)64 * 1024)

/* What it is by the type is right: `value` is a number, a word, or a string's characters. False:
 * `why` has how it must be. */
bool route_rules_hold(const struct route_input *input, struct str value,
                      struct buf *why) MUST_CHECK;

/* The same of a JSON string that is too long to be unquoted at once. */
bool route_rules_hold_long(const struct route_input *input, struct str quoted,
                           struct buf *why) MUST_CHECK;

/* The characters of a JSON string, which are mostly what stands between its quotes; else they are
 * in `to`. */
struct str route_unquoted(struct str quoted, struct buf *to);

#endif
