/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are sent and received compressed: zlib behind a wall. */
#ifndef RPCGATE_IO_GZIP_H
#define RPCGATE_IO_GZIP_H

#include "base/chain.h"

#include "base/str.h"

#include <stdbool.h>

/* Makes the form of RFC 1952 of a document, step by step. */
struct gzip;

enum gzip_state {
    GZIP_MORE,
    GZIP_DONE,
    GZIP_FAILED /* no room in `to` */
};

/* `from` is borrowed. What the stream takes itself counts in `budget`. NULL: no memory. */
struct gzip *gzip_new(const struct chain *from, struct budget *budget) MUST_CHECK;
void gzip_free(struct gzip *g);

/* Works off at most so many bytes of the document; what comes of it is appended to `to`. */
enum gzip_state gzip_step(struct gzip *g, size_t bytes, struct chain *to) MUST_CHECK;

/* Undoes it piece by piece: who has not taken a piece yet holds up the rest. */
struct gunzip;

/* What RFC 9110 section 8.4.1 calls gzip or deflate; the latter also without the head that it
 * should have, because servers send that. NULL: no memory. */
struct gunzip *gunzip_new(bool is_deflate) MUST_CHECK;
void gunzip_free(struct gunzip *g);

/* Unpacks some of `in`, which becomes shorter, into `ret_piece`: it is valid until the next call,
 * and may be empty. False: what comes is damaged. */
bool gunzip_next(struct gunzip *g, struct str *in, struct str *ret_piece) MUST_CHECK;

/* May more come of what it was given already? */
bool gunzip_has_more(const struct gunzip *g);

#endif
