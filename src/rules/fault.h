/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream's fault means for the caller. */
#ifndef RPCGATE_RULES_FAULT_H
#define RPCGATE_RULES_FAULT_H

#include "base/str.h"
#include "codec/error.h"
#include "codec/xml/decode.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* Where it has happened. */
struct fault_place {
    const struct upstream_config *upstream; /* NULL: no rules, and 500 */
    struct str method;                      /* of the call; NULL data: not known, an empty name */
    int http_status;                        /* of the response */
    const struct fault *sent; /* the fault as it came, which rules look at: a secret that is hidden
                                 in what is told may be a word of theirs; NULL: as it is told */
};

/* Fills `err` with the problem FAULT. Its status comes from the first of the upstream's rules
 * (`faults`) that matches, else from the code (-32601, -506: 404; -32602, -32600: 400; -32700 to
 * -32702: 502), else from `fault_status`; a rule may also give it a type and a Retry-After. The
 * code alone tells whether the call was executed, and that there is no such method (those of 404).
 * True: by that rule the session has expired, and the call did not run; `err` says so.
 * "Specification for Fault Code Interoperability", version 20010516; -506 is xmlrpc-c's. */
bool fault_to_error(const struct fault *fault, const struct fault_place *place, struct error *err);

/* So, of an answer without a fault, whose problem `err` is already: by the first rule that is about
 * its HTTP status alone. */
bool fault_apply_status(const struct fault_place *place, struct error *err);

#endif
