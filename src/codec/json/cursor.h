/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over JSON text that is known to be valid (json_scan.h) without a tree: the gateway reads
 * the envelope of a batch, or the one param that a rule asks for, and leaves the values as text. */
#ifndef RPCGATE_CODEC_JSON_CURSOR_H
#define RPCGATE_CODEC_JSON_CURSOR_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Place in an array or object; `rest` is the text behind it. */
struct json_cursor {
    struct str rest;
    bool in_object;
    bool first;
};

/* The value without white space around it. */
struct str json_trim(struct str text);

/* Begins at an array's or object's text (its first byte is `[` or `{`). */
struct json_cursor json_enter(struct str value);

/* The next element, or member with its name as text in quotes; false at the end. `name` may be
 * NULL. Time is proportional to the value's length. */
bool json_next(struct json_cursor *c, struct str *name, struct str *value);

/* Behind the next token at `at`, or the byte between two tokens; counts what is open into *depth.
 * A value begins with depth 0, and ends behind the first token that leaves it so. */
const char *json_skip_token(const char *at, const char *end, size_t *depth);

/* The characters of a string's text (with quotes), escapes resolved, appended to `to` as UTF-8.
 * What is too long for it is not read to its end. */
void json_unquote(struct str quoted, struct buf *to);

/* The same of what stands within the quotes, up to some `max` bytes of it: `…` stands for the rest.
 */
void json_unquote_start(struct str inside, size_t max, struct buf *to);

/* The same of a part of its text, up to `stop` or behind the escape that is there; returns where
 * that is. */
const char *json_unquote_part(const char *at, const char *stop, struct buf *to);

/* Appends `text`, which is valid UTF-8, as a string with its quotes. */
void json_quote(struct str text, struct buf *to);

/* The same without the quotes. */
void json_quote_text(struct str text, struct buf *to);

#endif
