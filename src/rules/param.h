/* SPDX-License-Identifier: Apache-2.0 */
/* The positional params of a call, read out of its JSON one by one, as the strings that they go out
 * as. The JSON is known to be valid (codec/json/scan.h); an array is the params, any other value
 * the one param, and no bytes are none. */
#ifndef RPCGATE_RULES_PARAM_H
#define RPCGATE_RULES_PARAM_H

#include "base/buf.h"
#include "base/str.h"
#include "codec/json/cursor.h"

#include <stddef.h>

/* Longer ones are not looked at. [bytes] */
#define PARAM_TEXT_MAX ((size_t)64 * 1024)

enum param_form {
    PARAM_NONE,    /* there is no such param */
    PARAM_OTHER,   /* it is no string: what the upstream makes of it, a method may take for one */
    PARAM_TEXT,    /* a string */
    PARAM_ALTERED, /* a string with characters that XML cannot carry: what goes out is the `text`
                      policy's matter; or one that is over PARAM_TEXT_MAX */
};

/* So many are found again without walking there. */
#define PARAMS_KEPT 16

struct params {
    struct str json; /* borrowed */
    struct json_cursor cursor;
    size_t n_read; /* the cursor stands behind so many */
    struct str kept[PARAMS_KEPT];
    size_t current; /* which one `form` and `text` are of; SIZE_MAX: none yet */
    enum param_form form;
    struct buf text; /* of PARAM_TEXT */
};

void params_init(struct params *p, struct str json);
void params_done(struct params *p);

/* What is the param at `at`, from 0? `text` is of PARAM_TEXT, and valid until the next call. Time
 * is proportional to the JSON up to that place, for the first time. */
enum param_form params_read(struct params *p, size_t at, struct str *text);

#endif
