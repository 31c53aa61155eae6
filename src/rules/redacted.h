/* SPDX-License-Identifier: Apache-2.0 */
/* A problem as callers may see it: without our secrets, wherever foreign text stands in it. Until
 * a problem is written, and wherever it is judged, its texts are as they came. Results are never
 * altered. */
#ifndef RPCGATE_RULES_REDACTED_H
#define RPCGATE_RULES_REDACTED_H

#include "base/buf.h"
#include "codec/error.h"
#include "rules/problem.h"
#include "settings/redact.h"

struct redacted {
    struct problem problem; /* all of it is here, or was borrowed from the one that came: */
    struct error error;
    struct fault fault;
    struct problem_protocol protocol;
    struct problem_header headers[PROBLEM_HEADERS_MAX];
    struct buf text;
};

/* Fills `ret`, which stays where it is until redacted_done(). A fault's texts are counted in
 * `budget`; where that has no room the fault is cut to what needs none. */
void redacted_make(const struct problem *problem, const struct redactor *redactor,
                   struct budget *budget, struct redacted *ret);
void redacted_done(struct redacted *redacted);

/* Appends an error's detail alone: for the log. */
void redacted_detail(const struct redactor *redactor, const struct error *err, struct buf *to);

/* Cuts a fault's texts to a few words. */
void fault_shorten(struct fault *fault);

#endif
