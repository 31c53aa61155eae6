/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign text as callers may see it: without our secrets. Results are never altered. */
#ifndef RPCGATE_CLIENT_REDACTED_H
#define RPCGATE_CLIENT_REDACTED_H

#include "base/buf.h"
#include "client/outcome.h"
#include "codec/error.h"
#include "settings/redact.h"

/* The texts of a fault or a response become copies in `text`, which is initialised here: half a
 * secret at the end of what was cut is one, too. Those of a fault are counted in `budget`; where
 * that has no room the fault is cut to what needs none. */
void redacted_fault(const struct redactor *redactor, struct fault *fault, struct budget *budget,
                    struct buf *text);

/* Cuts a fault's texts to a few words. */
void fault_shorten(struct fault *fault);

void redacted_protocol(const struct redactor *redactor, struct outcome_protocol *shown,
                       struct buf *text);

void redacted_error(const struct redactor *redactor, struct error *err);

#endif
