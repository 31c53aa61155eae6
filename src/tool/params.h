/* SPDX-License-Identifier: Apache-2.0 */
/* The params of a call: words of a command, or what stands on standard input. */
#ifndef RPCGATE_TOOL_PARAMS_H
#define RPCGATE_TOOL_PARAMS_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"

#include <stdbool.h>

/* The help of commands that take params. */
#define PARAMS_HELP                                                                                \
    "Each PARAM is a JSON value: 5, true, '\"text\"', '{\"a\":[1]}'; with -s a string as it "      \
    "stands."                                                                                      \
    "\nNo word behind UPSTREAM is an option, so -5 is a number. A lone - reads the params from\n"  \
    "standard input: a JSON array of them, or any other value as the one param."

struct params_words {
    char **words; /* NULL at the end */
    bool strings; /* each word is a string as it stands */
};

/* Appends the JSON text to `to`. Returns EX_OK, or the exit status after telling on stderr. */
int params_from_words(const struct params_words *params, struct buf *to) MUST_CHECK;

/* Is it a name that a gateway takes for a method? err: INVALID_REQUEST. */
bool params_check_method(struct str method, struct error *err) MUST_CHECK;

#endif
