/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls are tried again, and when. Nothing that may have reached an upstream is sent twice,
 * but for methods that are safe. */
#ifndef RPCGATE_RULES_RETRY_H
#define RPCGATE_RULES_RETRY_H

#include "base/str.h"
#include "codec/error.h"
#include "settings/method_rule.h"

#include <stdbool.h>
#include <stdint.h>

/* May a call that ended in this way be sent again? `executed` is what is known of that attempt. */
bool retry_allowed(enum problem_type problem, enum executed executed, bool safe);

/* The pause after the attempt of that number (from 1): `backoff_ms`, doubled after each, times
 * something between one half and one and a half, by chance (`random`: any 32 bits). */
int64_t retry_pause_ms(int64_t backoff_ms, unsigned attempt, uint32_t random);

#endif
