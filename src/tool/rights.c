/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/rights.h"

#include <stdio.h>
#include <string.h>

bool tool_rights_find(const struct config *config, const char *name, struct tool_rights *ret)
{
    for (size_t i = 0; i < config->n_callers; i++) {
        const struct caller_config *caller = &config->callers[i];
        if (!str_eq_c(str_of(name), caller->name))
            continue;
        ret->access =
            (struct access){ { caller->allow, caller->n_allow }, { caller->deny, caller->n_deny } };
        snprintf(ret->owner, sizeof ret->owner, "callers[%zu]", i);
        return true;
    }
    const struct anonymous_config *a = &config->anonymous;
    ret->access = (struct access){ { a->allow, a->n_allow }, { a->deny, a->n_deny } };
    snprintf(ret->owner, sizeof ret->owner, "anonymous");
    return a->present && strcmp(name, "anonymous") == 0;
}
