/* SPDX-License-Identifier: Apache-2.0 */
/* Results that are failures in disguise, or that have the value within them. Pure. */
#ifndef RPCGATE_RULES_ENVELOPE_H
#define RPCGATE_RULES_ENVELOPE_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/str.h"
#include "codec/xml/decode.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* The first rule that is for the method; NULL: there is none, and a result is what it seems. What
 * is to be looked for in it is rule->watch. */
const struct envelope_rule_config *envelope_find(const struct upstream_config *upstream,
                                                 struct str method);

/* What a result is. */
struct envelope_verdict {
    bool failed;
    bool has_value;            /* else the value is null; */
    struct decode_found value; /* what decoder_keep() is to leave */
    struct fault fault;        /* of one that has failed; borrowed from here */
    struct buf code, text;
};

/* Judges the result that `d` has just written to `out`. Of a failure's code and text at most
 * `fault_max` bytes each are kept (0: all). Give it to envelope_verdict_done(). */
void envelope_judge(const struct envelope_rule_config *rule, struct decoder *d,
                    const struct chain *out, size_t fault_max, struct envelope_verdict *ret);

void envelope_verdict_done(struct envelope_verdict *verdict);

#endif
