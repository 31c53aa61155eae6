/* SPDX-License-Identifier: Apache-2.0 */
/* An upstream's answer while it arrives, and what it means in the end: of one call, or of each
 * member of a MultiCall. It knows nothing of a call's other ways to end, and no worker. */
#ifndef RPCGATE_CLIENT_ANSWER_H
#define RPCGATE_CLIENT_ANSWER_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/macros.h"
#include "client/result.h"
#include "codec/error.h"
#include "codec/xml/decode.h"
#include "io/transport.h"
#include "rules/problem.h"
#include "rules/verdict.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* How the answers to a MultiCall's members are taken, in their order, while they are read: the
 * other side of struct document_members. All of it is void where the whole answer is, or where
 * another attempt begins with the first member anew. */
struct answer_members {
    enum items_shape shape;
    size_t n; /* of calls that were made */
    void *context;
    /* The next one begins; returns its method. */
    struct str (*begin)(void *context, size_t index);
    /* Which part of its result is wanted. NULL: the whole, of each. */
    struct verdict_part (*part)(void *context);
    /* A result stands behind what begin() has left in the reply; of all else nothing that counts
     * does. */
    void (*end)(void *context, const struct verdict *verdict);
};

/* Where it comes from, and where it goes. All borrowed. */
struct answer_way {
    const struct upstream_config *upstream;
    size_t target;                        /* which of its URLs has answered */
    struct str method;                    /* that was called */
    const struct answer_members *members; /* NULL: it is one call's */
    bool as_it_is;                        /* no envelope judges it */
    const struct decode_watch *watch;     /* what is looked for in it, which has no envelope then;
                                             NULL: nothing */
    bool keeps_advice;                    /* it stays beside the error's detail */
    struct verdict_part part;             /* of one call's result */
    bool empty_is_null;                   /* with status 200 an empty body is a result */
    bool any_body;           /* so is any with a status below 400: its cookies are what counts */
    struct decoder *decoder; /* answer_begin()'s; NULL before */
    struct decode_options *decoding;
    struct chain *reply; /* the value is appended to it, */
    size_t reply_begin;  /* behind so many bytes */
    struct error *error; /* why there is none */
};

struct answer {
    struct answer_way way;
    const struct envelope_rule_config *envelope; /* of the result at hand; NULL: none */
    struct str member;                           /* the method of that one, */
    struct verdict_part part;                    /* and what is wanted of it */
    struct decode_items items;                   /* the decoder's part of way.members */
    bool begun;
    bool undecodable; /* the decoder refused it; the error says why */
    bool is_other;    /* it was a whole document, but no response */
    size_t ignored;   /* bytes after that */
    size_t n_params;  /* of a good one */
    size_t peek_len;
    char peek[PROBLEM_PEEK_MAX]; /* its first bytes, for a protocol-error */
};

/* What came of it. */
struct answer_end {
    struct verdict verdict;
    size_t repaired; /* values that the text policy has changed */
    bool unarranged; /* answer_arrange() is to be called yet; there is no verdict before */

    struct fault fault; /* what the verdict points to: */
    struct result_protocol protocol;
    bool is_disguised; /* there is: */
    struct verdict_fault disguised;
};

/* Nothing has come yet. */
void answer_await(struct answer *a, const struct answer_way *way);

/* The head has come. The decoder is borrowed to the end: who waits for an answer needs none. */
void answer_begin(struct answer *a, struct decoder *decoder, struct str content_type);

/* A piece of the body. False: there is no use in reading on. */
bool answer_take(struct answer *a, struct str bytes) MUST_CHECK;

/* Is what has come a whole document, or all that is wanted? Only blanks may still come then. */
bool answer_has_document(const struct answer *a) MUST_CHECK;

/* The exchange has ended. Is what has come a whole document, though HTTP promised more? Then `ret`
 * is that result as a good one. */
bool answer_is_whole(const struct answer *a, const struct upstream_result *result,
                     struct upstream_result *ret) MUST_CHECK;

/* The exchange has ended, with a complete HTTP response, or because answer_take() said so. Give
 * what came of it to answer_end_done(); it must stay where it is until then. */
void answer_finish(struct answer *a, const struct upstream_result *result, struct answer_end *ret);

/* What is left to do of a good one in the reply, about so many bytes of it, until it says anything
 * but CODEC_MORE: then `ret` has its end, as above. */
enum codec_step answer_arrange(struct answer *a, size_t bytes, struct answer_end *ret) MUST_CHECK;

void answer_end_done(struct answer_end *end);

#endif
