/* SPDX-License-Identifier: Apache-2.0 */
#include "front/access_log.h"
#include "front/form.h"
#include "front/mcp.h"
#include "front/request.h"
#include "front/task.h"

#include "rules/framing.h"
#include "rules/media.h"
#include "rules/origin.h"

#include <inttypes.h>
#include <string.h>

/* Names of upstreams in a problem. [bytes] */
#define NAMES_MAX ((size_t)300)

static void take_id(struct request *r, const struct request_head *head)
{
    struct str given = head_request_id(head);
    if (given.data != NULL && given.len <= REQUEST_ID_MAX) {
        memcpy(r->id, given.data, given.len);
        r->id[given.len] = '\0';
        return;
    }
    str_write_hex(work_next_number(r->front->work), r->id);
    r->id[STR_HEX_DIGITS] = '\0';
}

/* A listener serves what its `serve` says; all else is not there. err: the path cannot be read. */
static bool find_target(struct request *r, const struct request_head *head, struct error *err)
{
    bool found = surface_find(head, r->site->config, &r->target, err);
    if (r->target.row != NULL && (r->target.row->serve & r->endpoint->serve) == 0)
        r->target.row = NULL;
    return found;
}

static bool is_for(const struct request *r, enum surface_who who)
{
    return r->target.row != NULL && r->target.row->who == who;
}

/* Where health alone is served there is nothing for a caller. It may be open to a network without
 * TLS: no token must be sent there, nor guessed. */
static bool asks_for_no_caller(const struct request *r)
{
    return is_for(r, FOR_ANYBODY) || is_for(r, FOR_VISITOR) || r->endpoint->serve == SERVE_HEALTH;
}

/* What the log names it for. */
static bool refuse_for(struct request *r, const char *part)
{
    r->refused_for = part;
    return false;
}

static bool not_found(struct request *r)
{
    r->upstream = NULL;
    return error_set(&r->error, PROBLEM_NOT_FOUND,
                     "There is nothing at this path that you may use. Calls go to "
                     "POST /v1/{upstream}/{method}, several at once to POST "
                     "/v1/{upstream}, those of JSON-RPC to POST /jsonrpc/{upstream}, those of "
                     "XML-RPC to POST /xmlrpc/{upstream}.");
}

/* May the caller use something of it, by the way that it has come? */
static bool may_see(const struct request *r, const struct upstream_config *upstream)
{
    return (upstream->faces & r->target.row->form->face) != 0 &&
           access_may_see(&r->caller.access, str_of(upstream->name));
}

static bool shows_a_route(const struct request *r)
{
    return r->target.row->task->shows_routes && request_may_see_a_route(r, r->upstream);
}

/* As many names as find room, with ` and N more` behind them. */
static void add_names(const struct request *r, struct buf *to)
{
    size_t told = 0, more = 0;
    for (size_t i = 0; i < r->site->config->n_upstreams; i++) {
        struct str name = str_of(r->site->config->upstreams[i].name);
        if (!may_see(r, &r->site->config->upstreams[i]))
            continue;
        if (to->len + name.len > NAMES_MAX) {
            more++;
            continue;
        }
        buf_append_c(to, told++ > 0 ? ", " : "");
        buf_append(to, name);
    }
    if (more > 0)
        buf_printf(to, " and %zu more, which GET /v1 lists", more);
}

/* The same for one that is not there and one of which the caller may use nothing: it tells what
 * this caller may use, which it is told by GET /v1, too, and nothing more. */
static bool no_such_upstream(struct request *r)
{
    CLEANUP(buf_done) struct buf names;
    buf_init(&names, NAMES_MAX + 64, NULL);
    add_names(r, &names);
    r->upstream = NULL;
    if (names.len == 0)
        return error_set(&r->error, PROBLEM_NOT_FOUND,
                         "There is no upstream of that name that you may use, nor any other. The "
                         "administrator allows it with the setting `allow`.");
    return error_set(&r->error, PROBLEM_NOT_FOUND,
                     "There is no upstream of that name that you may use. You may use %s.",
                     buf_c(&names));
}

static bool check_caller(struct request *r, const struct request_head *head)
{
    const struct credentials credentials = {
        .head = head,
        .peer = http_peer(r->exchange),
        .may_be_basic = r->target.row != NULL && r->target.row->form->is_xml,
    };
    switch (caller_find(r->site->config, &credentials, &r->caller, &r->error)) {
    case CALLER_KNOWN:
        r->caller_name = r->caller.config != NULL ? r->caller.config->told : "anonymous";
        return true;
    case CALLER_WRONG:
        refusals_log(&r->front->shared->refusals, r);
        break;
    case CALLER_NONE:
        break;
    }
    return false;
}

/* The methods of those routes at the path that the caller may use. */
static void allow_route(void *context, const struct route_config *route, unsigned method)
{
    struct request *r = context;
    if (request_may_see_route(r, route))
        r->target.allow |= method;
}

/* Which of its path's routes it is. What the caller may not use is not there. */
static bool find_route(struct request *r)
{
    const struct route_config *route = r->target.route;
    if (route != NULL && request_may_see_route(r, route)) {
        r->route = route;
        r->upstream = route->upstream;
        target_set_method(&r->target, str_of(route->method));
        return true;
    }
    r->target.allow = 0;
    surface_find_routes(http_head(r->exchange), r->site->config, allow_route, r);
    return r->target.allow > 0;
}

static bool refuse_http_method(struct request *r)
{
    char allow[SURFACE_ALLOW_TEXT];
    r->allow = r->target.allow;
    surface_write_allow(r->allow, allow);
    return error_set(&r->error, PROBLEM_METHOD_NOT_ALLOWED, "Use %s for this path.", allow);
}

static bool check_path(struct request *r)
{
    const struct target *target = &r->target;
    if (target->row == NULL || (target->row->task == &task_route && !find_route(r)))
        return not_found(r);
    if (target->row->task == &task_mcp &&
        (target->mcp == NULL || !mcp_may_see(r->site->config, &r->caller.access, target->mcp)))
        return not_found(r);
    if (target->upstream_len > 0) {
        r->upstream = config_upstream(r->site->config, target_upstream(target));
        if (r->upstream == NULL || !(may_see(r, r->upstream) || shows_a_route(r)))
            return no_such_upstream(r);
    }
    return target->allow == 0 || refuse_http_method(r);
}

static bool is_there(struct request *r)
{
    return check_path(r) || refuse_for(r, "path");
}

static bool check_method(struct request *r)
{
    return r->target.method_len == 0 || request_may_call(r, target_method(&r->target), &r->error);
}

/* What asks an upstream about itself counts like a call. */
static bool check_rate(struct request *r)
{
    if (r->upstream == NULL && !r->target.row->task->asks_upstreams)
        return true;
    return request_enter_flight(r, &r->error) &&
           (r->target.row->task->takes_calls || request_take_calls(r, 1, &r->error));
}

bool request_check_type(const struct request *r, struct error *err)
{
    const struct form *form = r->target.row->form;
    if (form->is_xml)
        return media_check_xml(http_head(r->exchange), err);
    return media_check(http_head(r->exchange), form->media, err);
}

/* A body in chunks may turn out to have no bytes, and then it needs no type. */
static bool check_type(struct request *r, const struct request_head *head)
{
    bool is_chunked = head_find(head, HEADER_CONTENT_LENGTH) == NULL;
    struct error ignored;
    if (!is_chunked)
        return request_check_type(r, &r->error);
    r->type_is_wrong = !request_check_type(r, &ignored);
    return true;
}

size_t request_body_max(const struct request *r, const char **ret_setting)
{
    const struct mcp_config *mcp = r->target.mcp;
    size_t max = r->site->config->limits.body;
    bool is_less = mcp != NULL && mcp->max_request < max;
    *ret_setting = is_less ? "mcp.max_request" : "limits.body";
    return is_less ? mcp->max_request : max;
}

static bool check_body(struct request *r, const struct request_head *head)
{
    const char *setting;
    size_t max = request_body_max(r, &setting);
    uint64_t announced = 0;
    if (!head_has_body(head))
        return true;
    if (head_content_length(head, &announced) && announced > max)
        return error_limit(&r->error, PROBLEM_BODY_TOO_LARGE, setting,
                           "The body has %" PRIu64 " bytes, %s is %zu. Send less, or "
                           "raise that limit.",
                           announced, setting, max);
    return !r->target.row->takes_body || check_type(r, head);
}

/* It says how values show in JSON. */
static bool check_query(struct request *r)
{
    const struct surface *row = r->target.row;
    if (row == NULL || !row->form->is_xml || (!r->query.has_types && !r->query.has_integers))
        return true;
    return error_set(&r->error, PROBLEM_INVALID_REQUEST,
                     "`types` and `integers` in the query are for answers in JSON: leave them out, "
                     "values keep their types here.");
}

bool request_admit(struct request *r)
{
    const struct request_head *head = http_head(r->exchange);
    const struct config *config = r->site->config;
    const struct framing_limits framing = {
        .head_bytes = config->limits.headers,
        .header_count = (size_t)config->limits.header_count,
    };
    struct error path_error;
    take_id(r, head);
    if (!framing_check(head, &framing, &r->error)) {
        r->close = true; /* where this request ends is not certain */
        return false;
    }
    bool has_path = find_target(r, head, &path_error);
    if (!is_for(r, FOR_ANYBODY) && !origin_check_host(head, &config->hosts, &r->error))
        return refuse_for(r, "host");
    if (!is_for(r, FOR_VISITOR) &&
        !origin_check_origin(head, &config->cors_origins, &r->cors_origin, &r->error))
        return refuse_for(r, "origin");
    if (!has_path) {
        r->error = path_error;
        return refuse_for(r, "path");
    }
    if (r->cors_origin != NULL && origin_is_preflight(head)) {
        r->target.row = surface_server();
        r->is_preflight = true;
        return check_body(r, head);
    }
    bool takes_query = r->target.row == NULL || r->target.row->task != &task_route;
    if (takes_query && (!query_parse(head->query, &r->query, &r->error) || !check_query(r)))
        return false;
    if (asks_for_no_caller(r))
        return is_there(r) && check_body(r, head);
    return check_caller(r, head) && is_there(r) && check_method(r) && check_rate(r) &&
           check_body(r, head);
}
