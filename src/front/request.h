/* SPDX-License-Identifier: Apache-2.0 */
/* One request of a caller, from its head to the end of its reply. It belongs to one worker and
 * lives in that worker's thread. */
#ifndef RPCGATE_FRONT_REQUEST_H
#define RPCGATE_FRONT_REQUEST_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/list.h"
#include "client/call.h"
#include "client/site.h"
#include "codec/error.h"
#include "codec/json/scan.h"
#include "front/endpoint.h"
#include "front/front.h"
#include "front/surface.h"
#include "front/task_describe.h"
#include "front/task_metrics.h"
#include "front/task_openapi.h"
#include "io/http_server.h"
#include "rules/caller.h"
#include "rules/problem.h"
#include "rules/query.h"
#include "rules/route_fill.h"
#include "rules/trace.h"
#include "settings/mcp.h"
#include "settings/snapshot.h"
#include "work/memory.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stdint.h>

struct batch;
struct form;
struct mcp;
struct task;
struct xmlrpc;

#define REQUEST_ID_MAX 64

/* What its calls have been, for the log and the reply's header lines. */
struct request_sums {
    size_t n_calls;
    unsigned attempts; /* of the one call that had most */
    int64_t upstream_us, queue_us;
    size_t repaired;
    unsigned retry_after; /* the longest of the problems that a 200 tells of [s]; 0: none */
    bool has_fault_code;
    int64_t fault_code;
    int upstream_status; /* HTTP's, of the last answer; 0: there was none */
};

/* What it gives a route, and what comes of that. */
struct request_route {
    struct json_scan scan; /* of its body */
    struct turn turn;
    struct route_filling *filling; /* owned; NULL: it has not begun, or is over */
    struct route_filled filled;
};

struct request {
    struct front *front;
    struct site *site;         /* held: this request's configuration and pools */
    struct endpoint *endpoint; /* where it came in */
    struct http_exchange *exchange;
    enum request_state state;
    struct list in_state; /* on front->requests_in[state] */
    int64_t began_us;

    char id[REQUEST_ID_MAX + 1];
    const struct task *task; /* which has begun; NULL: none */
    bool is_preflight;       /* a browser's question before it sends one; asks for no path */
    struct query query;
    struct caller caller;
    const char *caller_name; /* NULL: not known (yet) */
    bool is_in_flight;       /* counts among its max_in_flight */
    const char *cors_origin; /* the origin of the page that sends it; NULL: none or our own */
    const struct upstream_config *upstream; /* NULL: not known (yet) */
    const struct route_config *route;       /* by which it comes; NULL: by none */
    int64_t timeout_ms;                     /* X-Rpcgate-Timeout; CLOCK_NEVER: none */

    struct memory_share *share; /* its caller's */
    struct buf tracestate;      /* where it came in several lines */
    struct trace trace;         /* that its calls have spans in */
    bool type_is_wrong;         /* its first byte will be refused for its Content-Type */
    struct buf body;            /* the caller's JSON */
    struct memory_wait memory;  /* of the body, and of what comes of it */
    struct memory_hold hold;    /* the body until it is whole, the reply until it is read */
    bool is_cut_off;            /* the reply: others waited for its memory */
    bool is_whole;              /* all of it is there */
    uint64_t body_bytes;        /* all that came, also what was thrown away */
    struct chain reply;         /* the JSON that is sent */
    struct request_sums sums;
    struct call_kept kept; /* of its only call */
    struct batch *batch;   /* owned; NULL: it is none, or has ended */
    bool is_batch;
    struct xmlrpc *xmlrpc;       /* owned, while a document of its caller is read or written */
    struct mcp *mcp;             /* owned; NULL: it is none of MCP */
    char tool[MCP_NAME_MAX + 1]; /* of MCP; "": none is known */
    size_t n_items;              /* the calls of a batch, */
    size_t n_failed;             /* and those that brought no result */

    bool failed; /* `error` is the answer */
    /* Its name, or that of a reply in other words, or of one of a batch's: then `error` is that.
     * Static; for the log. */
    const char *problem;
    const char *refused_for;   /* which part of the head: "path", "host" or "origin"; NULL: none */
    const struct fault *fault; /* what belongs to the error, */
    const struct problem_protocol *protocol; /* only while the reply is made */
    struct str errors;                       /* of a request by a route, all that is wrong: JSON */
    unsigned allow;                          /* methods for its header line; 0: it has none */
    bool close;                              /* the connection, after the reply */
    int status;
    size_t reply_bytes;
    bool caller_gone;

    struct describe describe;     /* of one that asks what an upstream has */
    struct exposition exposition; /* of one that asks for the numbers */
    struct openapi_work openapi;  /* of one that asks for an OpenAPI document */
    /* What follows is not zeroed for the next request, but cleared or filled when it is used. */
    struct target target; /* what it asks for: a row, or nothing that is there */
    struct error error;
    struct call call;              /* of a request with one at a time */
    struct request_route by_route; /* of one by a route */
};

/* The HTTP server's handler; its context is a struct endpoint. */
extern const struct http_handler request_handler;

/* Where it is counted. */
struct upstream_record *request_record(const struct request *r);

/* Moves on. Which state may follow which is checked. */
void request_enter(struct request *r, enum request_state next);

/* Answers with r->error: the only place where a problem document becomes a reply. */
void request_fail(struct request *r);

/* Answers with the JSON in r->reply, of which the form makes what is sent. */
void request_succeed(struct request *r, int status);

/* Answers with what is in r->reply. */
void request_send(struct request *r);

/* Is there room for so many bytes more of what is made of it? `kind`, `on_room` and `held` of
 * r->memory are set. False: it waits, or has failed, with nothing executed. */
bool request_has_room(struct request *r, size_t bytes) MUST_CHECK;

/* Answers with the end of its only call, which has failed. */
void request_fail_with(struct request *r, const struct verdict *verdict);

/* At the end of limits.drain, after its calls were cut off: ends it with `draining` where it has
 * not ended by that. */
void request_cut_off(struct request *r);

/* front/admit.c: the checks that need only the head, in the order that docs/api.md tells. False:
 * r->error. */
bool request_admit(struct request *r) MUST_CHECK;

/* front/admit.c: the most bytes that its body may have, and the setting that says so. */
size_t request_body_max(const struct request *r, const char **ret_setting);

/* front/admit.c: does the body say that it is JSON? err: UNSUPPORTED_MEDIA_TYPE. */
bool request_check_type(const struct request *r, struct error *err) MUST_CHECK;

/* front/permission.c: may the caller call that method of r->upstream, but for the params, which
 * are not known yet? err: FORBIDDEN. */
bool request_may_call(const struct request *r, struct str method, struct error *err) MUST_CHECK;

/* front/permission.c: is that route there for the caller? */
bool request_may_see_route(const struct request *r, const struct route_config *route) MUST_CHECK;

/* front/permission.c: or any route of that upstream? */
bool request_may_see_a_route(const struct request *r,
                             const struct upstream_config *upstream) MUST_CHECK;

/* front/permission.c: and with those params (JSON that is known to be valid, or no bytes)? */
bool request_may_call_with(const struct request *r, struct str method, struct str params,
                           struct error *err) MUST_CHECK;

/* front/permission.c: whose memory it takes; its caller is known. */
struct memory_share *request_share(const struct request *r);

/* front/permission.c: takes that many calls off the caller's rate, all or none.
 * err: RATE_LIMITED. */
bool request_take_calls(struct request *r, size_t n, struct error *err) MUST_CHECK;

/* front/permission.c: counts among those of its caller that are in flight. err: RATE_LIMITED. */
bool request_enter_flight(struct request *r, struct error *err) MUST_CHECK;
void request_leave_flight(struct request *r);

/* front/task_call.c: what a call has of the request that it is made for. */
void request_fill_call(struct request *r, struct call *c, const struct method_rule *rule);

/* front/task_call.c: so, how long it may take alone. */
void request_limit_call(const struct request *r, struct call *c, const struct method_rule *rule);

/* front/task_call.c: a call has ended. */
void request_add_call(struct request *r, const struct call *c);

/* front/task_call.c: so, its only one, whose end is counted in its upstream's record. */
void request_count_call(struct request *r, const struct call *c, const struct verdict *verdict);

/* front/reply.c: writes a problem of it, in a form's words for the call with that `id`; `form`
 * NULL: the document alone. Whatever a form is given to write is without secrets. */
void request_write_problem(const struct request *r, struct problem *problem,
                           const struct form *form, struct str id, struct chain *to);

/* front/reply.c: so, r->error alone with that fault; NULL: none. */
void request_write_document(const struct request *r, const struct fault *fault, struct chain *to);

/* front/reply.c: the reply's header lines, and the reply. */
void request_reply(struct request *r);

#endif
