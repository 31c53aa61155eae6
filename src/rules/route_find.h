/* SPDX-License-Identifier: Apache-2.0 */
/* Which route a path leads to. Pure. */
#ifndef RPCGATE_RULES_ROUTE_FIND_H
#define RPCGATE_RULES_ROUTE_FIND_H

#include "base/macros.h"
#include "base/str.h"
#include "settings/route.h"

#include <stdbool.h>
#include <stddef.h>

struct route_match {
    const struct route_config *route;        /* NULL: there is none */
    struct str segments[ROUTE_SEGMENTS_MAX]; /* what stands for the names of its path, in their
                                                order, as it came; borrowed from the path */
    size_t n_looks;                          /* at a place of the table: the work that it took */
};

/* `path` is what path_read() has accepted. At each segment a text beats a name, but where that
 * leads nowhere the other way is tried, too. The time depends on the path, not on how many routes
 * there are. */
bool route_find(const struct config *config, struct str path, enum route_method method,
                struct route_match *ret) MUST_CHECK;

#endif
