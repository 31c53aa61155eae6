/* SPDX-License-Identifier: Apache-2.0 */
/* What a terminal obeys instead of showing it, and what changes the order in which other text is
 * shown: foreign text must not have it where people read. */
#ifndef RPCGATE_BASE_TERMINAL_H
#define RPCGATE_BASE_TERMINAL_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the character that `text` begins with if it is of that kind: C0 (but tab and line
 * feed), DEL, C1 (U+009B is CSI, U+009D is OSC), marks and overrides of direction, separators of
 * lines, invisible tags; or a byte that is no UTF-8, which an old terminal takes for C1. 0: it is
 * harmless. Of UTF-8, `ret` is its code point. */
size_t terminal_command(struct str text, uint32_t *ret);

/* Appends the text with `?` for what a terminal would obey; tabs and line feeds stay in `lines`,
 * else they become `?`, too. */
void terminal_clean(struct buf *to, struct str text, bool lines);

#endif
