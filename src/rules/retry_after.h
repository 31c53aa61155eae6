/* SPDX-License-Identifier: Apache-2.0 */
/* When an upstream that refuses for now may be asked again. RFC 9110 section 10.2.3. */
#ifndef RPCGATE_RULES_RETRY_AFTER_H
#define RPCGATE_RULES_RETRY_AFTER_H

#include "base/str.h"

#include <stdint.h>

/* Longer is not believed. [s] */
#define RETRY_AFTER_MAX ((int64_t)86400)

/* The value of a Retry-After, a number or a date, in seconds; 0: none that can be used. A date is
 * measured from `date`, the response's own Date, so that the two clocks need not agree; from
 * `now_s` where that is none. */
unsigned retry_after_read(struct str value, struct str date, int64_t now_s);

#endif
