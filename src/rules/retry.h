/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls are tried again, and when. Nothing that may have reached an upstream is sent twice,
 * but for methods that are safe. */
#ifndef RPCGATE_RULES_RETRY_H
#define RPCGATE_RULES_RETRY_H

#include "base/str.h"
#include "codec/error.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of a method. */
struct method_rule {
    bool safe;                   /* may run twice */
    bool empty_is_null;          /* an answer with nothing in it is a result */
    int64_t timeout_ms;          /* for the call as a whole */
    const char *timeout_setting; /* static: which setting that is */
};

/* By the first of `methods` that matches; but for the three introspection methods of `system.`
 * nothing is guessed to be safe. */
struct method_rule method_rule_find(const struct upstream_config *upstream, struct str method);

/* May a call that ended in this way be sent again? `executed` is what is known of that attempt. */
bool retry_allowed(enum problem_type problem, enum executed executed, bool safe);

/* The pause after the attempt of that number (from 1): `backoff_ms`, doubled after each, times
 * something between one half and one and a half, by chance (`random`: any 32 bits). */
int64_t retry_pause_ms(int64_t backoff_ms, unsigned attempt, uint32_t random);

#endif
