/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream's `inject` adds to calls: params and members are written with the document,
 * header lines and a part of the path go with the request. Made once for each configuration; what a
 * session decides is not here. */
#ifndef RPCGATE_CLIENT_INJECT_H
#define RPCGATE_CLIENT_INJECT_H

#include "base/str.h"
#include "io/transport.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* What one rule adds. */
struct inject {
    const struct inject_rule_config *rule;
    struct upstream_added added;
    struct upstream_line *lines; /* owned; those of `added` */
    /* Calls of one kind may share a request: 0 adds nothing to it, others that have the same lines
     * and path have the same number. */
    size_t kind;
};

/* One for each rule of the upstream; NULL: it has none. */
struct inject *inject_open(const struct upstream_config *upstream) MUST_CHECK;
void inject_close(struct inject *all, const struct upstream_config *upstream);

/* Of the first rule that is for the method; NULL: there is none. */
const struct inject *inject_find(const struct inject *all, const struct upstream_config *upstream,
                                 struct str method);

/* A header line of `Name: value`. */
struct upstream_line inject_line(struct str text);

/* The kind of request that a call with that has. */
static inline size_t inject_kind(const struct inject *inject)
{
    return inject != NULL ? inject->kind : 0;
}

#endif
