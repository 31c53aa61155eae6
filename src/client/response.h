/* SPDX-License-Identifier: Apache-2.0 */
/* An upstream's response while it arrives, and what it means in the end: the value as JSON, a
 * fault, or a problem. It knows nothing of a call's other ways to end, and no worker. */
#ifndef RPCGATE_CLIENT_RESPONSE_H
#define RPCGATE_CLIENT_RESPONSE_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/macros.h"
#include "client/outcome.h"
#include "codec/error.h"
#include "codec/xml/decode.h"
#include "io/transport.h"
#include "rules/problem.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct hidden;
struct session_store;

/* Where it comes from, and where it goes. All borrowed. */
struct response_way {
    const struct config *config;
    const struct upstream_config *upstream;
    size_t target;                               /* which of its URLs has answered */
    struct str method;                           /* that was called */
    const struct envelope_rule_config *envelope; /* of results of that method; NULL: none */
    struct decoder *decoder;
    struct decode_options *decoding;
    struct chain *reply;              /* the value is appended to it, */
    size_t reply_begin;               /* behind so many bytes */
    bool keeps_array;                 /* the values stay in the array that the decoder writes */
    bool empty_is_null;               /* with status 200 an empty body is a result */
    const struct decode_watch *watch; /* without an envelope: what is looked for; NULL: nothing */
    bool any_body; /* so is any with a status below 400: its cookies are what counts */
    struct session_store *sessions; /* whose secrets are hidden, too; NULL: nobody's */
    struct error *error;            /* why there is none */
};

struct response {
    struct response_way way;
    bool begun;
    bool undecodable; /* the decoder refused it; the error says why */
    size_t ignored;   /* bytes after that */
    size_t n_params;  /* of a good one */
    size_t peek_len;
    char peek[OUTCOME_BODY_MAX]; /* its first bytes, for a protocol-error */
};

/* What came of it. */
struct response_end {
    bool good;                               /* the value is in the reply; else the error is set */
    bool expired;                            /* by a rule: the session has, and it did not run */
    const struct fault *fault;               /* what belongs to the error, without our secrets; */
    const struct problem_protocol *protocol; /* NULL: none */
    int64_t fault_code;                      /* of `fault` */
    size_t repaired;                         /* values that the text policy has changed */
    bool unarranged;                         /* response_arrange() is to be called yet */

    struct hidden *hidden; /* referenced; NULL: nothing but the configuration's */
    struct buf text;       /* what the two above point to */
    struct fault shown_fault;
    struct outcome_protocol shown_protocol;
};

/* Nothing has come yet. */
void response_await(struct response *r, const struct response_way *way);

/* The head has come. */
void response_begin(struct response *r, struct str content_type);

/* A piece of the body. False: there is no use in reading on. */
bool response_take(struct response *r, struct str bytes) MUST_CHECK;

/* Is what has come a whole document, or all that is wanted? Only blanks may still come then. */
bool response_has_document(const struct response *r) MUST_CHECK;

/* The exchange has ended. Is what has come a whole document, though HTTP promised more? Then `ret`
 * is that outcome as a good one. */
bool response_is_whole(const struct response *r, const struct upstream_outcome *outcome,
                       struct upstream_outcome *ret) MUST_CHECK;

/* The exchange has ended, with a complete HTTP response, or because response_take() said so. Give
 * what came of it to response_end_done(); it must stay where it is until then. */
void response_finish(struct response *r, const struct upstream_outcome *outcome,
                     struct response_end *ret);

/* What is left to do of a good one in the reply, about so many bytes of it, until it says anything
 * but CODEC_MORE: then `ret` has its end, as above. */
enum codec_step response_arrange(struct response *r, size_t bytes,
                                 struct response_end *ret) MUST_CHECK;

void response_end_done(struct response_end *end);

#endif
