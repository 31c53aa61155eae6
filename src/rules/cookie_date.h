/* SPDX-License-Identifier: Apache-2.0 */
/* The dates of cookies (RFC 6265 section 5.1.1), which servers write in many ways. */
#ifndef RPCGATE_RULES_COOKIE_DATE_H
#define RPCGATE_RULES_COOKIE_DATE_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970. False: it is no date. */
bool cookie_date_read(struct str text, int64_t *ret_s) MUST_CHECK;

#endif
