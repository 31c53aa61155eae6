/* SPDX-License-Identifier: Apache-2.0 */
/* Documents in other encodings than UTF-8, through iconv. Characters that the encoding lacks, or
 * that would be read as others, become numeric references (XML 1.0 section 4.1), so that nothing
 * is lost. */
#ifndef RPCGATE_CODEC_XML_CHARSET_H
#define RPCGATE_CODEC_XML_CHARSET_H

#include "base/chain.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>

struct charset;

/* Is that UTF-8, by whatever case? NULL is. */
bool charset_is_utf8(const char *name);

/* NULL where iconv does not know it, or where XML's markup is not written in ASCII or UTF-16 or
 * UTF-32 in it. */
struct charset *charset_new(const char *name) MUST_CHECK;
void charset_free(struct charset *c);

const char *charset_name(const struct charset *c);

/* Begins a document. */
void charset_begin(struct charset *c);

/* Begins the next part of a document whose part before was ended: where the encoding has a byte
 * order mark, it is not written again. */
void charset_go_on(struct charset *c);

/* Appends UTF-8 text, which may end within a character, in the encoding. */
void charset_write(struct charset *c, struct str text, struct chain *to);

/* The end of the document, or of a part of it: back to the initial shift state. */
void charset_end(struct charset *c, struct chain *to);

#endif
