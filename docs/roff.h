/* SPDX-License-Identifier: Apache-2.0 */
/* Text for man pages, man(7). */
#ifndef RPCGATE_DOCS_ROFF_H
#define RPCGATE_DOCS_ROFF_H

#include "base/buf.h"
#include "base/str.h"

/* Appends plain text. */
void roff_text(struct buf *to, struct str text);

/* Appends Markdown as the reference has it: headings, paragraphs, lists of one level, fenced
 * blocks, `code`, **strong**, links. Of a table each row becomes an entry: its first cell, the last
 * one, and what stands between as "Name: value". The first heading, the page's title, is left
 * out. */
void roff_markdown(struct buf *to, struct str markdown);

#endif
