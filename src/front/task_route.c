/* SPDX-License-Identifier: Apache-2.0 */
/* A request by a route of the configuration: what it gives becomes the params of one call. */
#include "front/request.h"

#include "codec/json/text.h"
#include "front/form.h"
#include "front/task.h"
#include "rules/media.h"
#include "rules/route_find.h"
#include "settings/method_rule.h"

#include <assert.h>

/* How much of a body is checked before others get their turn. [bytes] */
#define SCAN_STEP ((size_t)256 * 1024)

/* ---- The call ------------------------------------------------------------------------------- */

/* Rules about params are judged by what was built. */
static bool on_translated(struct call *c)
{
    return request_may_call_with(c->user, c->text.method, c->text.params, &c->error);
}

static void on_text_used(struct call *c)
{
    struct request *r = c->user;
    buf_done(&r->by_route.filled.params);
    c->params_held = 0;
}

static void succeed(struct request *r)
{
    const struct route_config *route = r->route;
    if (route->status == 204)
        chain_truncate(&r->reply, 0);
    else if (route->result.wrap)
        r->target.row->form->close_result((struct str){ NULL, 0 }, &r->reply);
    request_succeed(r, (int)route->status);
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct request *r = c->user;
    request_count_call(r, c, verdict);
    if (verdict->error == NULL) {
        succeed(r);
        return;
    }
    if (verdict->fault == NULL)
        route_error_is_of(r->route, &c->error, NULL);
    request_fail_with(r, verdict);
}

static const struct call_owner owner = {
    .translated = on_translated,
    .text_used = on_text_used,
    .ended = on_ended,
};

static void begin_call(struct request *r)
{
    struct call *c = &r->call;
    const struct route_config *route = r->route;
    struct method_rule rule = method_rule_of_route(route);
    struct buf *params = &r->by_route.filled.params;
    buf_done(&r->body);
    r->query = r->by_route.filled.query;
    request_fill_call(r, c, &rule);
    c->owner = &owner;
    c->text.method = target_method(&r->target);
    c->text.params = buf_str(params);
    c->params_held = params->cap;
    c->part = (struct verdict_part){ route->watch, route->result.at, (int)route->result.empty };
    if (route->result.wrap)
        r->target.row->form->open_result(&r->reply);
    call_begin(c);
}

/* ---- What it gives -------------------------------------------------------------------------- */

static void fill(struct turn *turn)
{
    struct request_route *by_route = CONTAINER_OF(turn, struct request_route, turn);
    struct request *r = CONTAINER_OF(by_route, struct request, by_route);
    switch (route_fill_step(by_route->filling, &r->error)) {
    case CODEC_MORE:
        turn_ask(r->front->work, turn);
        break;
    case CODEC_DONE:
        route_fill_end(TAKE(by_route->filling));
        begin_call(r);
        break;
    case CODEC_FAILED:
        r->errors = buf_str(&by_route->filled.errors);
        request_fail(r);
        break;
    }
}

static void begin_filling(struct request *r)
{
    const struct request_head *head = http_head(r->exchange);
    struct request_route *by_route = &r->by_route;
    struct route_match match;
    json_scan_clear(&by_route->scan);
    bool found = route_find(r->site->config, head->path, r->route->http_method, &match);
    assert(found && match.route == r->route);
    (void)found;
    struct route_given given = { .segments = match.segments,
                                 .query = head->query,
                                 .body = buf_str(&r->body) };
    by_route->filling = route_fill_begin(r->route, &given, &by_route->filled);
    by_route->turn.take = fill;
    fill(&by_route->turn);
}

static void check(struct turn *turn)
{
    struct request_route *by_route = CONTAINER_OF(turn, struct request_route, turn);
    struct request *r = CONTAINER_OF(by_route, struct request, by_route);
    switch (json_scan_step(&by_route->scan, SCAN_STEP, &r->error)) {
    case CODEC_MORE:
        turn_ask(r->front->work, turn);
        break;
    case CODEC_DONE:
        begin_filling(r);
        break;
    case CODEC_FAILED:
        request_fail(r);
        break;
    }
}

static void begin(struct request *r)
{
    struct request_route *by_route = &r->by_route;
    struct str body = json_without_mark(buf_str(&r->body));
    json_scan_init(&by_route->scan, &r->share->budget);
    route_filled_init(&by_route->filled, &r->share->budget);
    by_route->filling = NULL;
    list_init(&by_route->turn.in_turns);
    by_route->turn.take = check;
    request_enter(r, REQUEST_WORKING);
    if (body.len == 0) {
        begin_filling(r);
        return;
    }
    json_scan_begin(&by_route->scan, body, (unsigned)r->site->config->limits.depth);
    check(&by_route->turn);
}

static void gone(struct request *r)
{
    if (call_runs(&r->call))
        call_abandon(&r->call);
}

static void drop(struct request *r)
{
    struct request_route *by_route = &r->by_route;
    if (call_runs(&r->call))
        call_drop(&r->call);
    list_remove(&by_route->turn.in_turns);
    json_scan_done(&by_route->scan);
    route_fill_end(by_route->filling);
    route_filled_done(&by_route->filled);
}

const struct task task_route = { .begin = begin, .gone = gone, .drop = drop };
