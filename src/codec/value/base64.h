/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648), in pieces of any size: bytes to text, and text to text where both sides want
 * base64 and decoding would be in vain. */
#ifndef RPCGATE_CODEC_VALUE_BASE64_H
#define RPCGATE_CODEC_VALUE_BASE64_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/str.h"

#include <stdbool.h>

/* The length of lines in MIME (RFC 2045), which XML-RPC servers expect. [characters] */
#define BASE64_LINE 76

struct base64 {
    struct chain *to;  /* borrowed */
    unsigned line_max; /* [characters]; 0: no line breaks */
    unsigned line;     /* how many stand in the current line */
    unsigned n_held;   /* of encoding: bytes that wait for others. Of copying: place in the group */
    unsigned char held[3];
    unsigned char last; /* of copying: the last digit's value */
    bool padded;        /* of copying: a `=` has come */
};

void base64_begin(struct base64 *b, struct chain *to, unsigned line_max);

/* Appends bytes as base64; base64_encode_end() writes the rest, with padding. */
void base64_encode(struct base64 *b, struct str bytes);
void base64_encode_end(struct base64 *b);

/* Appends base64 text of the standard or the URL-safe alphabet as standard base64, without its
 * white space and with line breaks of our own. False: no base64, or something after its end. */
bool base64_copy(struct base64 *b, struct str text) MUST_CHECK;

/* Adds the padding where it was left out. False: the text is cut off, its padding is wrong, or
 * its last digit has bits that belong to no byte. */
bool base64_copy_end(struct base64 *b) MUST_CHECK;

/* Appends the bytes of a short text of the standard alphabet, all of which is there; its padding
 * may be left out. False: it is no base64, or `to` has no room. */
bool base64_read(struct str text, struct buf *to) MUST_CHECK;

#endif
