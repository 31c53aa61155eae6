/* SPDX-License-Identifier: Apache-2.0 */
/* The RFC 9457 document of what went wrong. */
#ifndef RPCGATE_RULES_PROBLEM_H
#define RPCGATE_RULES_PROBLEM_H

#include "base/chain.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/xml/decode.h"

/* An upstream's answer that was no XML-RPC: `xmlrpc.client.ProtocolError`. All borrowed. */
struct problem_protocol {
    struct str url; /* without credentials */
    int status;
    struct str message; /* reason phrase */
    struct str content_type;
    struct str body; /* the first bytes; shown if they are text */
    const struct problem_header {
        struct str name, value;
    } * headers; /* only those that may be shown */
    size_t n_headers;
};

struct problem {
    const struct error *error;
    struct str request_id;
    struct str upstream, method;             /* NULL data: does not apply */
    const struct fault *fault;               /* NULL: none */
    const struct problem_protocol *protocol; /* NULL: none */
};

/* Most bytes of a foreign body in a problem. [bytes] */
#define PROBLEM_BODY_MAX 512

/* Writes the document, without copies in between. Bytes of foreign text that are no UTF-8 become
 * U+FFFD. RFC 9457 section 3. */
void problem_write(const struct problem *problem, struct chain *to);

/* Foreign text as a JSON string of its own, as it would stand in a problem. */
void problem_write_text(struct str text, struct chain *to);

#endif
