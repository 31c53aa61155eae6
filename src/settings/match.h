/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule is for a method. */
#ifndef RPCGATE_SETTINGS_MATCH_H
#define RPCGATE_SETTINGS_MATCH_H

#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* Does one of the globs match? Where there are none, all do. */
static inline bool match_text(const struct texts *globs, struct str text)
{
    for (size_t i = 0; i < globs->n; i++)
        if (glob_match(str_of(globs->items[i]), text))
            return true;
    return globs->n == 0;
}

#endif
