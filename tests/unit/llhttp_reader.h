/* SPDX-License-Identifier: Apache-2.0 */
/* What llhttp, Node's reader of HTTP/1, makes of an answer. */
#ifndef RPCGATE_TESTS_LLHTTP_READER_H
#define RPCGATE_TESTS_LLHTTP_READER_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

struct llhttp_reading {
    bool is_good;
    const char *why; /* static; where it is not */
    int status;      /* of the final answer */
    struct buf body; /* owned */
};

/* Reads the answer to a POST, up to the connection's end, as strictly as llhttp can but for lines
 * that end with LF alone (RFC 9112 section 2.2). False: this build has no llhttp. */
bool llhttp_read(struct str answer, struct llhttp_reading *ret);

#endif
