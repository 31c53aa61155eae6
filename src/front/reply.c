/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "client/session_store.h"
#include "front/form.h"
#include "front/freshness.h"
#include "front/request.h"
#include "front/task.h"
#include "rules/redacted.h"

#include <stdint.h>
#include <stdio.h>

/* Content-Type, request id, Cache-Control, nosniff, Server, and what the case adds. */
#define HEADERS_MAX 20
#define NUMBER_TEXT 24

/* How long a browser may keep the answer to a preflight. [s] */
#define PREFLIGHT_MAX_AGE "600"

struct lines {
    struct http_reply_header items[HEADERS_MAX];
    size_t n;
    char retry_after[NUMBER_TEXT];
    char repaired[NUMBER_TEXT];
    struct freshness freshness;
    char allow[SURFACE_ALLOW_TEXT];
    char cors_allow[SURFACE_ALLOW_TEXT];
};

static void add(struct lines *lines, const char *name, const char *value)
{
    lines->items[lines->n++] = (struct http_reply_header){ name, value };
}

/* Does the reply tell of a problem in the words of its form? What is found before the body came is
 * HTTP's, but for what a client of XML-RPC should see as a fault: it would not find the reason in a
 * document of ours. */
static bool is_in_words(const struct request *r)
{
    enum problem_type type = r->error.type;
    if (r->target.row == NULL || r->target.row->form->write_reply == NULL)
        return false;
    return r->is_whole || type == PROBLEM_RATE_LIMITED || type == PROBLEM_OVERLOADED ||
           type == PROBLEM_DRAINING;
}

/* The explorer, whose own problems are no page. */
static bool is_page(const struct request *r)
{
    return !r->failed && r->target.row->form->is_page;
}

/* What every answer of ours carries. */
static void add_common(struct lines *lines, const struct request *r)
{
    const struct freshness *f = &lines->freshness;
    if (r->status != 204 && r->status != 202 && r->status != 304)
        add(lines, "Content-Type",
            r->failed && !is_in_words(r) ? "application/problem+json"
                                         : r->target.row->form->content_type);
    add(lines, "X-Request-Id", r->id);
    if (is_page(r))
        add(lines, "Cache-Control", "no-cache");
    else
        add(lines, "Cache-Control", f->control[0] != '\0' ? f->control : "no-store");
    add(lines, "X-Content-Type-Options", "nosniff");
    add(lines, "Server", "rpcgate");
}

/* Who keeps it must not give it to another caller. */
static void add_freshness(struct lines *lines)
{
    const struct freshness *f = &lines->freshness;
    if (f->status[0] != '\0')
        add(lines, "Cache-Status", f->status);
    if (f->age[0] != '\0')
        add(lines, "Age", f->age);
    if (f->control[0] != '\0')
        add(lines, "Vary", "Authorization");
    if (f->etag[0] != '\0')
        add(lines, "ETag", f->etag);
    if (f->timing[0] != '\0')
        add(lines, "Server-Timing", f->timing);
}

static void add_of_problem(struct lines *lines, const struct request *r)
{
    bool is_xml = r->target.row != NULL && r->target.row->form->is_xml;
    if (r->error.type == PROBLEM_UNAUTHENTICATED)
        add(lines, "WWW-Authenticate", is_xml ? "Basic realm=\"rpcgate\", Bearer" : "Bearer");
}

/* GET / has two answers, of which a cache must not take the one for the other. */
static void add_of_page(struct lines *lines, const struct request *r)
{
    if (!r->failed && (is_page(r) || r->target.row->task == &task_root))
        add(lines, "Vary", "Accept");
    if (!is_page(r))
        return;
    add(lines, "ETag", r->front->shared->explorer.etag);
    add(lines, "Content-Security-Policy", r->front->shared->explorer.policy);
    add(lines, "Referrer-Policy", "no-referrer");
    add(lines, "X-Frame-Options", "DENY");
    add(lines, "Cross-Origin-Opener-Policy", "same-origin");
}

static void add_allow(struct lines *lines, unsigned methods)
{
    if (methods == 0)
        return;
    surface_write_allow(methods, lines->allow);
    add(lines, "Allow", lines->allow);
}

static void add_retry_after(struct lines *lines, unsigned seconds)
{
    if (seconds == 0)
        return;
    snprintf(lines->retry_after, sizeof lines->retry_after, "%u", seconds);
    add(lines, "Retry-After", lines->retry_after);
}

/* For pages of the origins in `cors_origins`. Fetch standard, section 3.2.3. */
static void add_of_cors(struct lines *lines, const struct request *r)
{
    add(lines, "Access-Control-Allow-Origin", r->cors_origin);
    add(lines, "Vary", "Origin");
    if (!r->is_preflight) {
        add(lines, "Access-Control-Expose-Headers",
            "Age, Cache-Status, ETag, Retry-After, Server-Timing, X-Request-Id, "
            "X-Rpcgate-Repaired");
        return;
    }
    surface_write_allow(surface_methods(r->site->config) & ~(unsigned)SURFACE_OPTIONS,
                        lines->cors_allow);
    add(lines, "Access-Control-Allow-Methods", lines->cors_allow);
    add(lines, "Access-Control-Allow-Headers",
        "Authorization, Cache-Control, Content-Type, If-None-Match, MCP-Protocol-Version, "
        "Mcp-Method, Mcp-Name, traceparent, tracestate, X-Request-Id, X-Rpcgate-Timeout");
    add(lines, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
}

void request_write_problem(const struct request *r, struct problem *problem,
                           const struct form *form, struct str id, struct chain *to)
{
    struct hidden *hidden = session_hidden(r->site, r->upstream);
    struct redacted shown;
    problem->request_id = str_of(r->id);
    redacted_make(problem, hidden_redactor(hidden, r->site->config), &r->share->budget, &shown);
    hidden_unref(hidden);
    if (form != NULL)
        form->write_problem(&shown.problem, id, to);
    else if (is_in_words(r))
        r->target.row->form->write_reply(&shown.problem, to);
    else
        problem_write(&shown.problem, to);
    redacted_done(&shown);
}

void request_write_document(const struct request *r, const struct fault *fault, struct chain *to)
{
    struct problem problem = { .error = &r->error, .fault = fault, .protocol = r->protocol };
    if (r->upstream != NULL) {
        problem.upstream = str_of(r->upstream->name);
        if (r->target.method_len > 0)
            problem.method = target_method(&r->target);
    }
    if (r->route != NULL)
        problem.route = str_of(r->route->name);
    problem.errors = r->errors;
    request_write_problem(r, &problem, NULL, (struct str){ NULL, 0 }, to);
}

/* A full budget must not take the words away that say so: without a fault's long text a problem is
 * small, and not counted. */
static void write_short_document(struct request *r)
{
    struct fault fault;
    if (r->fault != NULL) {
        fault = *r->fault;
        fault_shorten(&fault);
    }
    chain_done(&r->reply);
    chain_init(&r->reply, SIZE_MAX, NULL);
    request_write_document(r, r->fault != NULL ? &fault : NULL, &r->reply);
    if (chain_state(&r->reply) != CHAIN_OK)
        die_without_memory();
}

static void write_problem(struct request *r)
{
    chain_done(&r->reply);
    request_write_document(r, r->fault, &r->reply);
    if (chain_state(&r->reply) != CHAIN_OK)
        write_short_document(r);
    r->status = is_in_words(r) ? 200 : r->error.status;
}

void request_reply(struct request *r)
{
    struct lines lines = { .n = 0 };
    if (r->failed)
        write_problem(r);
    freshness_find(r, &lines.freshness);
    add_common(&lines, r);
    add_freshness(&lines);
    if (r->failed)
        add_of_problem(&lines, r);
    add_of_page(&lines, r);
    add_allow(&lines, r->allow);
    add_retry_after(&lines, r->failed ? r->error.retry_after : r->sums.retry_after);
    if (r->sums.repaired > 0) {
        snprintf(lines.repaired, sizeof lines.repaired, "%zu", r->sums.repaired);
        add(&lines, "X-Rpcgate-Repaired", lines.repaired);
    }
    if (r->cors_origin != NULL)
        add_of_cors(&lines, r);
    r->reply_bytes = chain_len(&r->reply);
    memory_hold(&r->hold, r->front->work, r->share, r->reply_bytes);
    /* Before the reply: who has read it may send the next one at once. */
    request_leave_flight(r);
    http_reply(r->exchange, &(struct http_reply){
                                .status = r->status,
                                .headers = lines.items,
                                .n_headers = lines.n,
                                .body = &r->reply,
                                .close = r->close,
                            });
}
