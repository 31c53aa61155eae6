/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange with an upstream that brought no result means for the caller. */
#ifndef RPCGATE_CLIENT_RESULT_H
#define RPCGATE_CLIENT_RESULT_H

#include "codec/error.h"
#include "io/transport.h"
#include "rules/problem.h"
#include "settings/snapshot.h"

/* Fills `err` for an exchange that ended without a complete HTTP response. */
void result_error(const struct upstream_result *result, const struct upstream_config *upstream,
                  struct error *err);

/* Fills `err` for a call that was not answered within `limit_ms`, which `limit` names: a setting,
 * or the header of the caller's own. */
void result_timeout(struct error *err, const struct upstream_config *upstream, const char *limit,
                    int64_t limit_ms);

/* The response as a problem shows it; `body` is its beginning. All borrowed. */
struct result_protocol {
    struct problem_protocol protocol;
    struct problem_header headers[PROBLEM_HEADERS_MAX];
};
void result_protocol(const struct upstream_result *result, struct str body,
                     struct result_protocol *ret);

/* Fills `err` for a complete response of another status than 200 and no fault in its body. */
void result_protocol_error(const struct upstream_result *result,
                           const struct upstream_config *upstream, struct error *err);

#endif
