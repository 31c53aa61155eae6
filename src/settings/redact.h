/* SPDX-License-Identifier: Apache-2.0 */
/* Takes our secrets out of foreign text that is shown: what an upstream says may hold what we have
 * sent to it. Each secret is looked for as it is, in Base64 (alone or within a text),
 * percent-encoded and with XML's escapes, and as what bytes that are no UTF-8 become, and becomes
 * `***`. */
#ifndef RPCGATE_SETTINGS_REDACT_H
#define RPCGATE_SETTINGS_REDACT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct redactor;
struct store;

/* Made once for a snapshot, in its store; the patterns are secrets like what they stand for. */
struct redactor *redactor_new(struct store *store, const struct str *secrets, size_t n);

/* Appends the text without secrets. `redactor` NULL: as it is. Any thread. */
void redact(const struct redactor *redactor, struct str text, struct buf *to);

/* The same of a text that was cut off: if it ends with a secret's beginning, that becomes `***`. */
void redact_cut(const struct redactor *redactor, struct str text, struct buf *to);

/* The same of a sentence with foreign texts in it, each of which was cut where an ERROR_CUT
 * (codec/error.h) stands; `cut`: so was all of it at its end. */
void redact_sentence(const struct redactor *redactor, struct str text, bool cut, struct buf *to);

#endif
