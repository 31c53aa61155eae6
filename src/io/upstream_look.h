/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a response's head that libcurl refuses, with the answer behind them, though they have
 * one meaning only, and what others read: a line without a colon is no field, and a Content-Length
 * without a value says nothing. They are found here, before libcurl reads them, and left out. What
 * two readers could take for different things is left to it: folded lines, NUL, a blank
 * Content-Length beside another one. Pure functions. */
#ifndef RPCGATE_IO_UPSTREAM_LOOK_H
#define RPCGATE_IO_UPSTREAM_LOOK_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"

#include <stddef.h>

/* Where the head has not ended by then nothing is left out. [bytes] */
#define LOOK_MAX ((size_t)16 * 1024)

enum look_result {
    LOOK_MORE, /* the head has not ended, */
    LOOK_FINE, /* has nothing to leave out, or is none, */
    LOOK_MEND  /* has such lines */
};

/* The beginning of an answer: interim heads, the final head, whatever of the body. `ret_len` is
 * where the final head ends, for LOOK_MEND. */
enum look_result look_at_head(struct str bytes, size_t *ret_len) MUST_CHECK;

/* Appends these heads without such lines. */
void look_mend(struct str heads, struct buf *to);

#endif
