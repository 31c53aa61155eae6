/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate explain`: what a call would send, and who may make it. */
#ifndef RPCGATE_TOOL_EXPLAIN_H
#define RPCGATE_TOOL_EXPLAIN_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/macros.h"
#include "codec/xml/encode.h"
#include "io/transport.h"
#include "rules/access.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* Appends the request's line and headers with `***` for secrets, each line with LF. They are those
 * that the HTTP client would send; nothing is sent. False: it could not be found out. */
bool explain_head(const struct upstream_config *upstream, const struct chain *document,
                  const struct upstream_added *added, struct buf *to) MUST_CHECK;

/* What `inject` adds to a call, with `***` for each value. */
struct explain_added {
    const struct inject_rule_config *rule; /* NULL: there is none, and nothing is added */
    struct encode_around around;
    struct upstream_added added;
    struct str *values; /* owned, as what follows: what the two above point to */
    struct encode_member *members;
    struct upstream_line *lines;
};

void explain_added_init(struct explain_added *a, const struct upstream_config *u,
                        struct str method);
void explain_added_done(struct explain_added *a);

/* Appends which rule it is, and of which line. */
void explain_added_tell(const struct explain_added *a, struct buf *to);

/* What the route of that name makes of the words behind it, NAME=VALUE each: its call's params as
 * JSON. Returns EX_OK, or the exit status after telling what is wrong. */
int explain_route(const struct config *config, char **words, const struct route_config **ret,
                  struct buf *params) MUST_CHECK;

/* Tells whether that caller, or "anonymous", may make the call, and by which rule. Returns EX_OK,
 * EX_NOPERM, or the exit status after telling what is wrong. */
int explain_access(const struct config *config, const char *caller,
                   const struct access_call *call) MUST_CHECK;

#endif
