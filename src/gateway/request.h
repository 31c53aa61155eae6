/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a caller, from its head to the end of its reply. It belongs to one worker and
 * lives in that worker's thread. */
#ifndef RPCGATE_GATEWAY_REQUEST_H
#define RPCGATE_GATEWAY_REQUEST_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/error.h"
#include "base/list.h"
#include "codec/decode.h"
#include "codec/encode.h"
#include "config/config.h"
#include "gateway/door.h"
#include "gateway/view.h"
#include "gateway/worker_state.h"
#include "io/http_server.h"
#include "io/upstream.h"
#include "rules/access.h"
#include "rules/problem.h"
#include "rules/retry.h"
#include "rules/route.h"

#include <stdbool.h>
#include <stdint.h>

#define REQUEST_ID_MAX 64

enum request_state {
    REQUEST_READING,     /* head or body is arriving */
    REQUEST_TRANSLATING, /* on the worker's list `translating`: JSON to XML, step by step */
    REQUEST_QUEUED,      /* waits for a permit of the upstream's pool (gateway/pool.h) */
    REQUEST_CALLING,     /* at the upstream, with a permit; the caller's connection rests */
    REQUEST_BACKOFF,     /* an attempt has failed; the pause before the next */
    REQUEST_REPLYING,    /* the reply is the HTTP server's */
    REQUEST_STATES
};

struct request {
    struct worker *worker;
    struct view *view; /* held: this request's configuration and pools */
    struct door *door; /* where it came in */
    struct http_exchange *exchange;
    enum request_state state;
    struct list in_state; /* on worker->in_state[state] */
    int64_t began_us;

    char id[REQUEST_ID_MAX + 1];
    struct route route;
    struct query query;
    struct access access;
    const struct upstream_config *upstream; /* NULL: not known (yet) */

    struct method_rule rule;
    int64_t timeout_ms;  /* X-Rpcgate-Timeout; CLOCK_NEVER: none */
    bool is_short;       /* that is less than the method has */
    int64_t deadline_ms; /* of queue, attempts and pauses together */

    struct buf body;     /* the caller's JSON */
    size_t starved_of;   /* bytes that limits.memory has no room for, */
    int64_t starved_until_ms; /* and how long the request waits for them; 0: it does not */
    struct list in_starved;   /* on worker->starved */
    uint64_t body_bytes; /* all that came, also what was thrown away */

    struct encode_options encoding;
    struct decode_options decoding;
    struct encoder *encoder; /* while TRANSLATING */
    struct decoder *decoder; /* from the first CALLING on */
    struct chain document;   /* the XML that is sent */
    struct chain reply;      /* the JSON that is sent */

    struct list in_queue;   /* struct pool.waiting, while QUEUED */
    int64_t queued_us;      /* since when */
    int64_t queue_us;       /* how long it has waited there */
    int64_t wait_until_ms;  /* the end of QUEUED or BACKOFF */
    bool has_permit;
    bool is_probe;          /* the breaker's only call */
    unsigned attempts;      /* that have begun */
    bool maybe_executed;    /* one before the last may have reached the upstream */
    uint64_t targets_tried; /* by this attempt: a set of the upstream's addresses */
    size_t target;          /* the last of them */

    struct upstream_call call;
    bool decoding_now; /* has the decoder begun? */
    bool undecodable;  /* the decoder refused the response; `error` says why */
    size_t ignored;    /* bytes of the response after that */
    size_t peek_len;
    char peek[2 * PROBLEM_BODY_MAX]; /* the response's first bytes, for a protocol-error; more
                                        than is shown, for a secret may begin before the cut */
    int64_t upstream_us;
    struct verbose *verbose; /* NULL: nothing of it is logged */
    size_t repaired;

    bool failed; /* `error` is the answer */
    struct error error;
    const struct fault *fault;               /* what belongs to the error, */
    const struct problem_protocol *protocol; /* only while the reply is made */
    bool has_fault_code;
    int64_t fault_code; /* for the log */
    bool close;         /* the connection, after the reply */
    int status;
    const char *content_type; /* of a reply that is no problem; NULL: JSON */
    size_t reply_bytes;
    bool caller_gone;
};

/* The HTTP server's handler; its context is a struct door. */
extern const struct http_handler request_handler;

/* Moves on. Which state may follow which is checked. */
void request_enter(struct request *r, enum request_state next);

/* Answers with r->error: the only place where a problem becomes a reply. */
void request_fail(struct request *r);

/* Answers with the JSON in r->reply. */
void request_succeed(struct request *r, int status);

/* Makes `draining` its error. */
void request_set_draining(struct request *r);

/* Ends it with `draining`, wherever it stands; the connection is closed. */
void request_cut_off(struct request *r);

/* gateway/admit.c: the checks that need only the head, in the order that docs/api.md tells. False:
 * r->error. */
bool request_admit(struct request *r) MUST_CHECK;

/* gateway/call.c: the whole body is there: translate, call, translate back. */
void request_call(struct request *r);

/* gateway/call.c: goes on with the translation for one step. */
void request_translate(struct request *r);

/* gateway/call.c: an attempt begins; a response's head is there; a piece of its body (false: no
 * more of it); it is complete, or all of it that was wanted: the reply is made. */
void request_answer_forget(struct request *r);
void request_answer_begins(struct request *r, struct str content_type);
bool request_answer_goes_on(struct request *r, struct str bytes) MUST_CHECK;
void request_answered(struct request *r, const struct upstream_outcome *outcome);

/* gateway/call.c: gives back what the call has borrowed from the worker. */
void request_call_done(struct request *r);

/* gateway/local.c: answers what needs no upstream: /, /livez, /readyz. */
void request_local(struct request *r);

/* gateway/reply.c: the reply's header lines, and the reply. */
void request_reply(struct request *r);

/* gateway/access_log.c */
void request_log(const struct request *r, bool sent);

#endif
