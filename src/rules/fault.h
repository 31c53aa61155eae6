/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream's fault means for the caller. */
#ifndef RPCGATE_RULES_FAULT_H
#define RPCGATE_RULES_FAULT_H

#include "base/error.h"
#include "codec/decode.h"

/* Fills `err` with the problem FAULT: its status by the fault's code (-32601, -506: 404; -32602,
 * -32600: 400; -32700 to -32702: 502; else 500), whether the call was executed, a detail.
 * "Specification for Fault Code Interoperability", version 20010516; -506 is xmlrpc-c's. */
void fault_to_error(const struct fault *fault, struct error *err);

#endif
