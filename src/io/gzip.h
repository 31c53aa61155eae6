/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are sent and received compressed: zlib behind a wall. */
#ifndef RPCGATE_IO_GZIP_H
#define RPCGATE_IO_GZIP_H

#include "base/chain.h"

#include "base/str.h"

#include <stdbool.h>

/* Appends `from` in the form of RFC 1952 to `to`. False: no room in `to`, or no memory. */
bool gzip_chain(const struct chain *from, struct chain *to) MUST_CHECK;

/* Undoes it piece by piece: who has not taken a piece yet holds up the rest. */
struct gunzip;

/* What RFC 9110 section 8.4.1 calls gzip or deflate; the latter also without the head that it should
 * have, because servers send that. NULL: no memory. */
struct gunzip *gunzip_new(bool is_deflate) MUST_CHECK;
void gunzip_free(struct gunzip *g);

/* Unpacks some of `in`, which becomes shorter, into `ret_piece`: it is valid until the next call, and
 * may be empty. False: what comes is damaged. */
bool gunzip_next(struct gunzip *g, struct str *in, struct str *ret_piece) MUST_CHECK;

/* May more come of what it was given already? */
bool gunzip_has_more(const struct gunzip *g);

#endif
