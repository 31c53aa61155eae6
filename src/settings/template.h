/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with names in them: `{name}` is the value of a credential, or of what a login gave;
 * `{base64(…)}` is what stands between its parentheses, encoded; `{{` and `}}` are braces.
 *
 * They are compiled when the configuration is read. What credentials alone decide is worked out
 * then, so that a constant template is one literal. Pure. */
#ifndef RPCGATE_SETTINGS_TEMPLATE_H
#define RPCGATE_SETTINGS_TEMPLATE_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct named_texts;
struct store;

/* What a template becomes. */
enum template_form {
    TEMPLATE_JSON,   /* JSON text: its source is JSON, whose strings are the templates. A string
                        that is one `{name}` and no more becomes that value with its type, as
                        tagged JSON; in all others a value is text */
    TEMPLATE_HEADER, /* a header line: control characters are refused */
    TEMPLATE_PATH,   /* the path of a URL: values are percent-encoded as parts of a segment, the
                        rest where it must be; a segment `.` or `..` is refused */
    TEMPLATE_FIELD   /* the value of a field of a form, percent-encoded */
};

/* The values that only a session has, by index; those of `keep` follow in their order. */
enum { TEMPLATE_SESSION, TEMPLATE_COUNT, TEMPLATE_KEPT };

struct template_piece {
    enum template_piece_kind {
        PIECE_LITERAL, /* `text` as it goes out */
        PIECE_VALUE,   /* a value as JSON */
        PIECE_TEXT,    /* a value as text */
        PIECE_BASE64,  /* Base64 of what the next `n_inner` pieces are */

        /* Of a route's params (settings/route.h), which callers may leave out. */
        PIECE_IF,   /* the next `n_inner` pieces, where there is that value */
        PIECE_COMMA /* a comma, unless it would be the first in its array or object */
    } kind;
    struct str text; /* of literals; of values the name, for messages */
    size_t value;    /* index of the value */
    size_t n_inner;
};

struct template
{
    enum template_form form;
    const struct template_piece *pieces; /* owned by the store */
    size_t n_pieces;
};

/* What names there are. */
struct template_scope {
    const struct named_texts *credentials; /* JSON texts */
    const struct named_texts *keep;
    enum {
        TEMPLATE_WITHOUT_SESSION, /* there is none */
        TEMPLATE_BEFORE_SESSION,  /* there will be one: this is its login */
        TEMPLATE_IN_SESSION
    } session;
    bool *uses_session; /* becomes true where `{session}` is used; NULL: nobody asks */
    const char *needs;  /* a word on why a session's values cannot stand here; NULL: none */
};

/* Compiles `source` into the store, in memory for secrets. False: `why` has a sentence without any
 * credential's value in it. */
bool template_compile(struct store *store, struct str source, enum template_form form,
                      const struct template_scope *scope, struct template *ret,
                      struct buf *why) MUST_CHECK;

/* Does it need no value of a session? */
static inline bool template_is_constant(const struct template *t)
{
    return t->n_pieces == 0 || (t->n_pieces == 1 && t->pieces[0].kind == PIECE_LITERAL);
}

/* What a constant one is. */
static inline struct str template_constant(const struct template *t)
{
    return t->n_pieces == 0 ? STR("") : t->pieces[0].text;
}

/* Appends what it is with these values, each JSON text (as types=tagged has it), by index as above;
 * NULL data where there is none, as PIECE_IF asks for.
 * False: a value has no such form, or the result cannot stand in a header or path; `why` has a
 * sentence with no value in it, and `to` may have a part of the result. */
bool template_fill(const struct template *t, const struct str *values, struct buf *to,
                   struct buf *why) MUST_CHECK;

/* The longest result. [bytes] */
#define TEMPLATE_MAX ((size_t)1 << 20)

/* Appends the text that a JSON scalar is, as it stands in other text: of a string its characters,
 * of `{"$i8": "5"}` and the like what is in it. False: it is no scalar, or null. */
bool template_scalar_text(struct str json, struct buf *to) MUST_CHECK;

#endif
