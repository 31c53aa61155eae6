/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where text becomes a JSON string (RFC 8259 section 7). */
#ifndef RPCGATE_CODEC_JSON_WRITE_H
#define RPCGATE_CODEC_JSON_WRITE_H

#include "base/chain.h"
#include "base/str.h"

/* Appends text inside a string, without the quotes: escapes `"`, `\`, controls; all else as it is.
 * `text` is valid UTF-8 and may end in the middle of nothing: a string can be written in pieces. */
void json_write_text(struct chain *to, struct str text);

/* Appends a whole string with its quotes. */
void json_write_string(struct chain *to, struct str text);

#endif
