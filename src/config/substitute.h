/* SPDX-License-Identifier: Apache-2.0 */
/* `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`, `${credential:NAME}` and
 * `${credential_path:NAME}` in strings, replaced once; `$${` is a literal `${`. */
#ifndef RPCGATE_CONFIG_SUBSTITUTE_H
#define RPCGATE_CONFIG_SUBSTITUTE_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* A string of the configuration, and what is known of where it came from. */
struct value {
    struct buf text;
    bool substituted; /* something was replaced */
    bool unresolved;  /* the text is not what it will be */
    bool hidden;      /* from hidden_from to hidden_to it came from files or credentials */
    size_t hidden_from, hidden_to;
    bool path_unknown;  /* a credential's path stands for what is not known here, and no secret */
    struct str written; /* as the file has it; borrowed */
};

struct substitution {
    const char *folder; /* where relative names of files are looked for */
    bool testing;       /* credentials need not be there */
    bool sealed;        /* no file is opened: *** stands for what is in it */
    bool double_braces; /* of what comes in, for text that becomes a template */
};

void value_init(struct value *v);

/* Overwrites the text. */
void value_done(struct value *v);

/* False: `why` says what cannot be resolved. With `unresolved`, `why` may have a warning. */
bool substitute(const struct substitution *s, struct str text, struct value *ret,
                struct buf *why) MUST_CHECK;

#endif
