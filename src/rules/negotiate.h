/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller would rather have, and what it has already. RFC 9110 sections 12.5.1 and 13.1.2. */
#ifndef RPCGATE_RULES_NEGOTIATE_H
#define RPCGATE_RULES_NEGOTIATE_H

#include "base/macros.h"
#include "base/str.h"
#include "rules/head.h"

#include <stdbool.h>

/* Does `Accept` prefer `text/html` to `application/json`, as browsers do that open a page? Without
 * that header, or where both are as good, it does not. What cannot be read counts for nothing. */
bool negotiate_prefers_html(const struct request_head *head) MUST_CHECK;

/* Does `If-None-Match` name that entity tag, which has its quotes? They are compared weakly, and
 * `*` names each. */
bool negotiate_has(const struct request_head *head, struct str etag) MUST_CHECK;

#endif
