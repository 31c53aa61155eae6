/* SPDX-License-Identifier: Apache-2.0 */
/* One request after another to a server that is no upstream, in a thread of its own that waits for
 * the answers. The connection is kept. */
#ifndef RPCGATE_IO_POST_H
#define RPCGATE_IO_POST_H

#include "base/macros.h"
#include "base/str.h"
#include "settings/snapshot.h"

#include <stdint.h>

/* What is kept of an answer's body. [bytes] */
#define POST_ANSWER_MAX ((size_t)4096)
#define POST_REASON_MAX ((size_t)256)

struct post;

/* All borrowed. */
struct post_request {
    const struct upstream_target *target;
    const struct tls_files *tls;
    const struct texts *headers; /* "Name: value" */
    struct str body;             /* JSON */
    int64_t deadline_ms;
};

struct post_answer {
    int status;                   /* 0: there was none, and `reason` says why */
    unsigned retry_after;         /* [s]; 0: the server did not say */
    char reason[POST_REASON_MAX]; /* for people; no credentials */
    char body[POST_ANSWER_MAX];   /* its beginning */
    size_t body_len;
};

/* NULL: no memory. */
struct post *post_new(void) MUST_CHECK;

/* NULL is fine. */
void post_free(struct post *post);

/* Sends it and waits for its answer. */
void post_run(struct post *post, const struct post_request *request, struct post_answer *ret);

/* Closes the connections that are kept. Not beside post_hurry(). */
void post_leave(struct post *post);

/* No request goes on beyond that time. Any thread. */
void post_hurry(struct post *post, int64_t deadline_ms);

#endif
