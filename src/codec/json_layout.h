/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text with other white space: no value is read, so that each keeps all of its digits. */
#ifndef RPCGATE_CODEC_JSON_LAYOUT_H
#define RPCGATE_CODEC_JSON_LAYOUT_H

#include "base/chain.h"
#include "base/str.h"

enum json_layout {
    JSON_COMPACT, /* without white space */
    JSON_FOR_EYES /* a line for each value, indented by two for each level; what a terminal would
                     take for a command (DEL and C1, which JSON allows in strings) is escaped */
};

/* Appends `text`, which is known to be valid (json_scan.h), without a newline at its end. */
void json_lay_out(struct str text, enum json_layout layout, struct chain *to);

#endif
