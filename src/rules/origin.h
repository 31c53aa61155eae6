/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request meant for us, and does it come from a page that may send it? Guards against DNS
 * rebinding and cross-site requests from a browser on this machine. */
#ifndef RPCGATE_RULES_ORIGIN_H
#define RPCGATE_RULES_ORIGIN_H

#include "base/error.h"
#include "base/macros.h"
#include "config/config.h"
#include "rules/head.h"

/* `Host` (without port, case, final dot) must be `localhost`, a loopback address, the local
 * address, or one of `hosts`; on unix sockets any; none on HTTP/1.0. err: MISDIRECTED.
 * RFC 9110 sections 7.2, 7.4. */
bool origin_check_host(const struct request_head *head, const struct texts *hosts,
                       struct error *err) MUST_CHECK;

/* `Origin` must be our own host and port, and `Sec-Fetch-Site` absent, `none` or `same-origin`.
 * err: FORBIDDEN. RFC 6454 section 7; W3C Fetch Metadata. */
bool origin_check_origin(const struct request_head *head, struct error *err) MUST_CHECK;

#endif
