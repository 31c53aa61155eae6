/* SPDX-License-Identifier: Apache-2.0 */
/* When an upstream that refuses for now may be asked again. RFC 9110 section 10.2.3. */
#ifndef RPCGATE_RULES_RETRY_AFTER_H
#define RPCGATE_RULES_RETRY_AFTER_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Longer is not believed. [s] */
#define RETRY_AFTER_MAX ((int64_t)86400)

/* `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since 1970, or one of the two obsolete forms, which
 * are read, too (RFC 9110 section 5.6.7); years of two digits are those from 1970 to 2069. */
bool http_date_read(struct str text, int64_t *ret_s) MUST_CHECK;

/* The value of a Retry-After, a number or a date, in seconds; 0: none that can be used. A date is
 * measured from `date`, the response's own Date, so that the two clocks need not agree; from
 * `now_s` where that is none. */
unsigned retry_after_read(struct str value, struct str date, int64_t now_s);

#endif
