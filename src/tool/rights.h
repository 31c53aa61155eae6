/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller of a configuration may do, for commands that are told its name. */
#ifndef RPCGATE_TOOL_RIGHTS_H
#define RPCGATE_TOOL_RIGHTS_H

#include "base/macros.h"
#include "rules/access.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* Borrowed from the configuration; and where it stands: "callers[0]", "anonymous". */
struct tool_rights {
    struct access access;
    char owner[32];
};

/* Of one of `callers`, or `anonymous`. False: there is none of that name. */
bool tool_rights_find(const struct config *config, const char *name,
                      struct tool_rights *ret) MUST_CHECK;

#endif
