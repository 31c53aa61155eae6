/* SPDX-License-Identifier: Apache-2.0 */
/* The upstreams that a configuration names, without a gateway. */
#ifndef RPCGATE_TOOL_NAMED_H
#define RPCGATE_TOOL_NAMED_H

#include "base/macros.h"

#include <stdbool.h>

/* Writes them to stdout, one on a line, or as `GET /v1` does, with the state `unknown`. No secret
 * is read. Returns the exit status. */
int named_print(const char *config, bool json) MUST_CHECK;

#endif
