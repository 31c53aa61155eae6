/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may do. Nothing is allowed unless it is; deny wins. */
#ifndef RPCGATE_RULES_ACCESS_H
#define RPCGATE_RULES_ACCESS_H

#include "base/str.h"
#include "config/config.h"

#include <stdbool.h>

/* A caller's rights: borrowed from the configuration. */
struct access {
    const struct access_rule_config *allow;
    size_t n_allow;
    const struct access_rule_config *deny;
    size_t n_deny;
};

/* May it call `upstream/method`? Both sides of a glob match by themselves, so that a `/` in a
 * method's name cannot reach over. */
bool access_may_call(const struct access *access, struct str upstream, struct str method);

/* May it use anything of that upstream? */
bool access_may_see(const struct access *access, struct str upstream);

/* Is that a glob of the form `upstream/method`? */
bool access_glob_valid(struct str glob);

#endif
