/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a text that XML cannot carry, where the text policy does not refuse it. The
 * encoder does the same to values on their way; this is for texts that are there as a whole. */
#ifndef RPCGATE_CODEC_VALUE_TEXT_REPAIR_H
#define RPCGATE_CODEC_VALUE_TEXT_REPAIR_H

#include "base/buf.h"
#include "base/str.h"
#include "codec/options.h"

#include <stdbool.h>

/* U+FFFD, which stands for what there was. */
#define TEXT_REPLACEMENT "\xEF\xBF\xBD"

/* Can XML carry every character of that UTF-8? */
bool text_is_xml(struct str text);

/* Where the first character at or behind `at` is that XML cannot carry; the text's length if there
 * is none. */
size_t text_find_forbidden(struct str text, size_t at);

/* How many bytes one U+FFFD stands for at the text's beginning: a character that is forbidden, or
 * as much of one as there is (Unicode chapter 3.9, maximal subparts). */
size_t text_forbidden_length(struct str text);

/* Appends the UTF-8 as TEXT_REPLACE or TEXT_BASE64 writes it. */
void text_repair(struct str text, enum text_policy policy, struct buf *to);

#endif
