/* SPDX-License-Identifier: Apache-2.0 */
/* Text of others, servers or gateways, on its way to a person's terminal. */
#ifndef RPCGATE_TOOL_HARMLESS_H
#define RPCGATE_TOOL_HARMLESS_H

#include "base/chain.h"

#include <stdbool.h>

/* Writes JSON to stdout; on a terminal with escapes for what that would obey, which changes no
 * value. False: told on stderr. */
bool harmless_write_json(const struct chain *json);

#endif
