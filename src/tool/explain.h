/* SPDX-License-Identifier: Apache-2.0 */
/* `rpcgate explain`: what a call would send, and who may make it. */
#ifndef RPCGATE_TOOL_EXPLAIN_H
#define RPCGATE_TOOL_EXPLAIN_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/macros.h"
#include "rules/access.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* Appends the request's line and headers with `***` for secrets, each line with LF. They are those
 * that the HTTP client would send; nothing is sent. False: it could not be found out. */
bool explain_head(const struct upstream_config *upstream, const struct chain *document,
                  struct buf *to) MUST_CHECK;

/* Tells whether that caller, or "anonymous", may make the call, and by which rule. Returns EX_OK,
 * EX_NOPERM, or the exit status after telling what is wrong. */
int explain_access(const struct config *config, const char *caller,
                   const struct access_call *call) MUST_CHECK;

#endif
