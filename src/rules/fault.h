/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream's fault means for the caller. */
#ifndef RPCGATE_RULES_FAULT_H
#define RPCGATE_RULES_FAULT_H

#include "codec/error.h"
#include "codec/xml/decode.h"
#include "settings/snapshot.h"

/* Fills `err` with the problem FAULT. Its status comes from the first of the upstream's rules
 * (`faults`) that matches, else from the code (-32601, -506: 404; -32602, -32600: 400; -32700 to
 * -32702: 502), else from `fault_status`; a rule may also give it a type and a Retry-After. The
 * code alone tells whether the call was executed, and that there is no such method (those of 404).
 * `upstream` NULL: no rules, and 500. `http_status` is
 * that of the response. "Specification for Fault Code Interoperability", version 20010516; -506 is
 * xmlrpc-c's. */
void fault_to_error(const struct fault *fault, const struct upstream_config *upstream,
                    int http_status, struct error *err);

#endif
