/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway answers: the result that a command prints, or a problem, for people on stderr and
 * for scripts as an exit status. */
#ifndef RPCGATE_TOOL_REPLY_H
#define RPCGATE_TOOL_REPLY_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"

#include <stdbool.h>

struct reply {
    int http_status;
    unsigned retry_after; /* [s]; 0: none */
    const char *who;      /* the URL, for messages; borrowed */
    bool token_shown;     /* a token was shown to the gateway */
    struct buf body;
};

/* Exit status of a fault. */
#define REPLY_FAULT 1

void reply_init(struct reply *reply);
void reply_done(struct reply *reply);

/* Reads the body. Returns EX_OK where it is a result's document, of which members can be had then;
 * else it is told on stderr and the exit status comes back. */
int reply_check(const struct reply *reply) MUST_CHECK;

/* Is the body a JSON object, of which members can be had? Of whatever HTTP status. */
bool reply_is_document(const struct reply *reply) MUST_CHECK;

/* A member of the document as JSON text. False: there is none. */
bool reply_member(struct str document, const char *name, struct str *ret) MUST_CHECK;

/* A string of JSON for people: without quotes, and what a terminal would obey as `?`, but for line
 * ends. Appended to `to`. */
void reply_text(struct str quoted, struct buf *to);

/* So, on one line: line ends become `?`, too. */
void reply_word(struct str quoted, struct buf *to);

/* Writes JSON to stdout: in lines on a terminal, in one line elsewhere. Returns the exit status. */
int reply_write(struct str json) MUST_CHECK;

/* Says that it is no gateway; returns the exit status. */
int reply_foreign(const struct reply *reply);

/* reply_problem.c */

/* Tells the problem on stderr; returns the exit status. False in `ret_known`: it is none. */
int reply_problem(const struct reply *reply, bool *ret_known) MUST_CHECK;

/* The exit status of problems of that type. */
int reply_status(enum problem_type type);

#endif
