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
    struct str body; /* the first bytes, up to PROBLEM_PEEK_MAX; shown if they are text */
    const struct problem_header {
        struct str name, value;
    } * headers; /* only those that may be shown */
    size_t n_headers;
};

struct problem {
    const struct error *error;
    struct str request_id;
    struct str upstream, method, route; /* NULL data: does not apply */
    struct str errors;                  /* JSON: all that is wrong; NULL data: does not apply */
    const struct fault *fault;          /* NULL: none */
    const struct problem_protocol *protocol; /* NULL: none */
};

/* Most bytes of a foreign body in a problem, and those that are looked at: a secret may begin
 * before the cut. [bytes] */
#define PROBLEM_BODY_MAX 512
#define PROBLEM_PEEK_MAX ((size_t)2 * PROBLEM_BODY_MAX)

/* A message or content type of that length was cut. [bytes] */
#define PROBLEM_TEXT_MAX ((size_t)255)

#define PROBLEM_HEADERS_MAX 16

/* Writes the document, without copies in between. Foreign text has been through rules/redacted.h;
 * bytes of it that are no UTF-8 become U+FFFD. RFC 9457 section 3. */
void problem_write(const struct problem *problem, struct chain *to);

/* Foreign text as a JSON string of its own, as it would stand in a problem. */
void problem_write_text(struct str text, struct chain *to);

#endif
