/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the assembled text against libconfig's grammar before libconfig sees it: so that messages
 * say what was expected, and each value has its exact line (libconfig notes the line of the token
 * behind it). And it finds what libconfig would silently change: numbers that it wraps, `\x00` that
 * it drops, newlines in strings. */
#ifndef RPCGATE_CONFIG_SYNTAX_H
#define RPCGATE_CONFIG_SYNTAX_H

#include "config/source.h"

#include <stdbool.h>
#include <stddef.h>

/* Of each value, in the order of the text. */
struct mark {
    unsigned line; /* in the whole text: of its name, in lists of itself */
    bool bad;      /* libconfig changes it, which is told already */
};

struct marks {
    struct mark *items; /* owned */
    size_t n, room;
};

void marks_done(struct marks *marks);

/* False: libconfig would not read it; the findings say why. */
bool syntax_check(const struct source *source, struct findings *findings,
                  struct marks *ret) MUST_CHECK;

#endif
