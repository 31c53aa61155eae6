/* SPDX-License-Identifier: Apache-2.0 */
/* Where the body of a response ends, and which bytes of what comes are its content (RFC 9112
 * sections 6 and 7). Pure. */
#ifndef RPCGATE_IO_UPSTREAM_BODY_H
#define RPCGATE_IO_UPSTREAM_BODY_H

#include "base/macros.h"
#include "base/str.h"
#include "io/upstream_head.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum body_kind { BODY_NONE, BODY_LENGTH, BODY_CHUNKS, BODY_TO_THE_END };

enum body_state {
    BODY_IN_SIZE,      /* of a chunk, */
    BODY_IN_EXTENSION, /* behind it, to the line's end; what that says is passed over */
    BODY_IN_CONTENT,
    BODY_BEHIND_CHUNK, /* its line end */
    BODY_IN_TRAILERS
};

struct body {
    enum body_kind kind;
    enum body_state state;
    uint64_t left; /* of the length, or of the chunk [bytes] */
    unsigned n_digits;
    size_t n_extension; /* [bytes] */
    bool has_extension; /* a `;` has come */
    bool has_cr;
    const char *fault; /* why it is refused, static; NULL: it is not */
};

/* Behind a complete head. */
void body_start(struct body *b, const struct response_head *head);

enum body_step {
    BODY_MORE,     /* all of it is taken, and more is to come */
    BODY_CONTENT,  /* *ret is content; it is not taken before body_take() */
    BODY_TRAILERS, /* what comes are lines, to an empty one */
    BODY_END,
    BODY_BAD
};

/* Takes off `in` what is no content. */
enum body_step body_next(struct body *b, struct str *in, struct str *ret) MUST_CHECK;

/* Takes so many bytes of content off `in`. */
void body_take(struct body *b, struct str *in, size_t bytes);

/* May the connection end here? */
static inline bool body_may_end(const struct body *b)
{
    return b->kind == BODY_TO_THE_END || b->kind == BODY_NONE ||
           (b->kind == BODY_LENGTH && b->left == 0);
}

#endif
