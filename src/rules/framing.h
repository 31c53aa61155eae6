/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses what two HTTP readers could understand differently (RFC 9112 sections 3.2, 5.1, 6.1,
 * 6.3, 11.2; RFC 9110 section 5.5). */
#ifndef RPCGATE_RULES_FRAMING_H
#define RPCGATE_RULES_FRAMING_H

#include "base/macros.h"
#include "codec/error.h"
#include "rules/head.h"

struct framing_limits {
    size_t head_bytes;   /* limits.headers */
    size_t header_count; /* limits.header_count */
};

/* More or fewer than one `Host` (HTTP/1.0 may have none), one that is no host (over TCP), a target
 * in absolute form without a host, more than one `Content-Length` or one
 * that is no number, `Content-Length` with `Transfer-Encoding`, a coding other than `chunked`, a
 * name that is no token, a control character in a value, a layout that the server found wrong, a
 * head over its limits. err: INVALID_REQUEST; the connection must be closed then. */
bool framing_check(const struct request_head *head, const struct framing_limits *limits,
                   struct error *err) MUST_CHECK;

#endif
