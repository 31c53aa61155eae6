/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means for the caller: a result, a fault, a failure that comes as a result, or an
 * HTTP status. Pure. */
#ifndef RPCGATE_RULES_VERDICT_H
#define RPCGATE_RULES_VERDICT_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/xml/decode.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct problem_protocol;

/* All borrowed. */
struct verdict {
    const struct error *error;               /* NULL: it is a result, which stands in the reply */
    const struct fault *fault;               /* what belongs to the error; NULL: none */
    const struct problem_protocol *protocol; /* so */
    bool expired;            /* by a rule its session has, and the call did not run */
    struct decoder *decoder; /* of a result: what has read it; NULL: nothing has */
};

/* Where the answer has come. */
struct verdict_place {
    const struct upstream_config *upstream; /* NULL: no rules, and 500 */
    struct str method;                      /* of the call; NULL data: not known, an empty name */
    int http_status;                        /* of the response */
};

/* Fills `err` with the problem FAULT. Its status comes from the first of the upstream's rules
 * (`faults`) that matches, else from the code (-32601, -506: 404; -32602, -32600: 400; -32700 to
 * -32702: 502), else from `fault_status`; a rule may also give it a type and a Retry-After. The
 * code alone tells whether the call was executed, and that there is no such method (those of 404).
 * True: by that rule the session has expired, and the call did not run; `err` says so.
 * "Specification for Fault Code Interoperability", version 20010516; -506 is xmlrpc-c's. */
bool verdict_on_fault(const struct fault *fault, const struct verdict_place *place,
                      struct error *err);

/* So, of an answer without a fault, whose problem `err` is already: by the first rule that is about
 * its HTTP status alone. */
bool verdict_on_status(const struct verdict_place *place, struct error *err);

/* A failure that came as a result. */
struct verdict_fault {
    struct fault fault; /* borrowed from here: */
    struct buf code, text;
};

/* Judges the result that `d` has just written to `out`, and leaves only the value that the caller
 * gets. False: it is a failure, whose fault is in `ret`; of its code and text at most `fault_max`
 * bytes each are kept (0: all). Give it to verdict_fault_done(), either way. */
bool verdict_on_result(const struct envelope_rule_config *rule, struct decoder *d,
                       struct chain *out, size_t fault_max, struct verdict_fault *ret) MUST_CHECK;
void verdict_fault_done(struct verdict_fault *fault);

/* Which part of a result is wanted. */
struct verdict_part {
    const struct decode_watch *watch; /* it is the last of these, behind those of the envelope,
                                         where there is one; NULL: the whole is wanted */
    const char *at; /* where that is, as JSON has it; NULL: the whole of the value within */
    int empty; /* status of the problem where it is null, false, empty, or not there; 0: none */
};

/* The same as verdict_on_result(), but leaves only that part, which is one of the value within;
 * `rule` may be NULL. A result with nothing of it is not judged: that is verdict_on_nothing(). */
bool verdict_on_part(const struct envelope_rule_config *rule, const struct verdict_part *part,
                     struct decoder *d, struct chain *out, size_t fault_max,
                     struct verdict_fault *ret, bool *ret_nothing) MUST_CHECK;

/* Fills `err` for a part that is nothing, where that is a problem. */
void verdict_on_nothing(const struct verdict_part *part, struct error *err);

#endif
