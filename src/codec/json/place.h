/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and columns of a text. */
#ifndef RPCGATE_CODEC_JSON_PLACE_H
#define RPCGATE_CODEC_JSON_PLACE_H

#include "base/str.h"

#include <stddef.h>

/* A place that others of the same text are found from: of many errors each costs only the way from
 * the one before. All zero: the text's beginning. */
struct json_place {
    const char *at;
    size_t line, column; /* from 0; the column in characters */
};

/* Moves it to `at`, which is in `text`, or at its end. */
void json_place_move(struct json_place *p, struct str text, const char *at);

#endif
