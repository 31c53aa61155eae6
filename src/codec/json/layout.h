/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text with other white space: no value is read, so that each keeps all of its digits. */
#ifndef RPCGATE_CODEC_JSON_LAYOUT_H
#define RPCGATE_CODEC_JSON_LAYOUT_H

#include "base/chain.h"
#include "base/str.h"

enum json_layout {
    JSON_COMPACT, /* without white space */
    JSON_FOR_EYES /* a line for each value, indented by two for each level; what a terminal would
                     obey (base/terminal.h) is escaped */
};

/* Appends `text`, which is known to be valid (json_scan.h), without a newline at its end. */
void json_lay_out(struct str text, enum json_layout layout, struct chain *to);

/* Appends valid JSON on one line, with escapes for what a terminal would obey. */
void json_escape_commands(struct str text, struct chain *to);

#endif
