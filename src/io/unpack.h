/* SPDX-License-Identifier: Apache-2.0 */
/* A compressed response, in one layer or several, is unpacked in pieces: who has not taken one yet
 * holds up the rest, so that no bomb takes more memory than a few pieces. */
#ifndef RPCGATE_IO_UNPACK_H
#define RPCGATE_IO_UNPACK_H

#include "base/macros.h"
#include "base/str.h"
#include "io/upstream_head.h"

#include <stdbool.h>
#include <stddef.h>

struct unpack;

/* NULL: no memory, or too many layers. */
struct unpack *unpack_new(const struct response_head *head) MUST_CHECK;
void unpack_free(struct unpack *u);

/* Unpacks some of `in`, which becomes shorter, into `ret_piece`: it is valid until the next call,
 * and may be empty. False: what comes is damaged. */
bool unpack_next(struct unpack *u, struct str *in, struct str *ret_piece) MUST_CHECK;

/* May more come of what it was given already? */
bool unpack_has_more(const struct unpack *u);

#endif
