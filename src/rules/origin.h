/* SPDX-License-Identifier: Apache-2.0 */
/* Is a request meant for us, and does it come from a page that may send it? Guards against DNS
 * rebinding and cross-site requests from a browser on this machine. */
#ifndef RPCGATE_RULES_ORIGIN_H
#define RPCGATE_RULES_ORIGIN_H

#include "base/macros.h"
#include "codec/error.h"
#include "rules/head.h"
#include "settings/snapshot.h"

/* `Host`, or the target's authority in place of it (without port, case, final dot) must be
 * `localhost`, a loopback address, the local address, or one of `hosts`; on unix sockets any; none
 * on HTTP/1.0. err: MISDIRECTED.
 * RFC 9110 sections 7.2, 7.4. */
bool origin_check_host(const struct request_head *head, const struct texts *hosts,
                       struct error *err) MUST_CHECK;

/* `Origin` must be our own host and port or one of `cors`, and `Sec-Fetch-Site` absent, `none`,
 * `same-origin`, or of one of `cors`. ret: that one of `cors`, which the answer must name; NULL: it
 * is none of them. err: FORBIDDEN. RFC 6454 section 7; W3C Fetch Metadata. */
bool origin_check_origin(const struct request_head *head, const struct texts *cors,
                         const char **ret, struct error *err) MUST_CHECK;

/* Is it a browser's question whether a page of another origin may send a request? Fetch standard,
 * section 3.2.2, CORS-preflight request. */
bool origin_is_preflight(const struct request_head *head);

#endif
