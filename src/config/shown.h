/* SPDX-License-Identifier: Apache-2.0 */
/* How values are shown where settings are printed: in the configuration's own syntax, secrets as
 * ***. Pure. */
#ifndef RPCGATE_CONFIG_SHOWN_H
#define RPCGATE_CONFIG_SHOWN_H

#include "base/buf.h"
#include "base/str.h"
#include "config/substitute.h"
#include "settings/kinds.h"

/* Appends `text` in quotes, so that reading it gives the same text again. */
void shown_quote(struct buf *to, struct str text);

/* Appends a value of that kind; of a list, one item. */
void shown_value(struct buf *to, const struct kind *kind, const struct value *value);

/* The same of a default or an example, which stands in the tables without its quotes. */
void shown_table(struct buf *to, const struct kind *kind, const char *text);

/* Is there something in the value that came from a file or credential, and stands where a value of
 * that kind would be shown? */
bool shown_hides(const struct kind *kind, const struct value *value);

#endif
