/* SPDX-License-Identifier: Apache-2.0 */
/* Small readings of header values. */
#ifndef RPCGATE_RULES_MEDIA_H
#define RPCGATE_RULES_MEDIA_H

#include "base/macros.h"
#include "codec/error.h"
#include "rules/head.h"

#include <stdint.h>

/* A body must say `application/json`, `application/(something)+json` or `application/(also)`, no
 * charset but UTF-8, and have no `Content-Encoding`. err: UNSUPPORTED_MEDIA_TYPE. RFC 9110
 * section 8.3, RFC 6839. */
bool media_check(const struct request_head *head, struct str also, struct error *err) MUST_CHECK;

/* So, that it is `text/xml` or `application/xml`, in whatever charset. RFC 7303. */
bool media_check_xml(const struct request_head *head, struct error *err) MUST_CHECK;

/* The `charset` parameter of a `Content-Type` value, without quotes; NULL data if none. Borrowed.
 */
struct str media_charset(struct str content_type);

/* The caller's `X-Request-Id` where it is 1 to 64 visible ASCII characters; else NULL data. */
struct str head_request_id(const struct request_head *head);

/* `X-Rpcgate-Timeout`: `1500ms`, `2s`. ret: CLOCK_NEVER where there is none.
 * err: INVALID_REQUEST. */
bool head_timeout(const struct request_head *head, int64_t *ret_ms, struct error *err) MUST_CHECK;

/* A valid `traceparent` (W3C Trace Context 1, section 3.2); NULL data where there is none. */
struct str head_traceparent(const struct request_head *head);

#endif
