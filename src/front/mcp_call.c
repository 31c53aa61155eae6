/* SPDX-License-Identifier: Apache-2.0 */
/* tools/call: the tool's arguments become the params of one call, its value a result for models. */
#include "front/mcp.h"

#include "base/clock.h"
#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "front/request.h"
#include "settings/method_rule.h"
#include "work/metrics.h"

#include <stdio.h>

/* Longer names are those of no tool. [bytes] */
#define TOOL_NAME_MAX ((size_t)1024)

/* `a1` to `a255`. */
#define ARGUMENTS_MAX 255

/* How much of a value is written before others get their turn. [bytes] */
#define COPY_STEP ((size_t)64 * 1024)

#define WITHIN "/params/arguments"

/* ---- The result ----------------------------------------------------------------------------- */

static void refuse_memory(struct request *r)
{
    error_limit(&r->error, PROBLEM_RESPONSE_TOO_LARGE, "limits.memory",
                "The result does not fit into limits.memory now. Ask for less, or raise that "
                "limit.");
    r->error.executed = EXECUTED_YES;
    mcp_fail_tool(r);
}

static void end_copy(struct request *r)
{
    struct mcp *m = r->mcp;
    chain_append(&m->out, STR("}\"}],\"structuredContent\":{\"result\":"));
    chain_append_range(&m->out, &r->reply, 0, chain_len(&r->reply));
    chain_append(&m->out, STR("},\"isError\":false"));
    mcp_close_result(r, false, &m->out);
    if (chain_state(&m->out) != CHAIN_OK) {
        refuse_memory(r);
        return;
    }
    chain_done(&r->reply);
    chain_move(&r->reply, &m->out);
    request_succeed(r, 200);
}

/* The value within the text's quotes. */
static void copy(struct request *r)
{
    char piece[4096];
    struct mcp *m = r->mcp;
    size_t n;
    for (size_t done = 0; done < COPY_STEP; done += n) {
        n = chain_read(&r->reply, &m->from, piece, sizeof piece);
        if (n == 0) {
            end_copy(r);
            return;
        }
        json_write_text(&m->out, (struct str){ piece, n });
    }
    mcp_ask_turn(r, copy);
}

static void begin_copy(struct request *r)
{
    struct mcp *m = r->mcp;
    chain_init(&m->out, SIZE_MAX, &r->share->budget);
    mcp_open_result(r, &m->out);
    chain_append(&m->out, STR("\"content\":[{\"type\":\"text\",\"text\":\"{\\\"result\\\":"));
    copy(r);
}

/* A decoder leaves a blank where an array would begin. */
static void cut_blank(struct chain *value)
{
    struct chain_cursor from = { .started = false };
    char first;
    if (chain_read(value, &from, &first, 1) == 1 && first == ' ')
        chain_cut(value, 0, 1);
}

static void succeed(struct request *r)
{
    cut_blank(&r->reply);
    size_t max = r->target.mcp->max_result, len = chain_len(&r->reply);
    if (r->route != NULL && r->route->status == 204) {
        chain_truncate(&r->reply, 0);
        chain_append(&r->reply, STR("null"));
    } else if (len > max) {
        error_limit(&r->error, PROBLEM_RESPONSE_TOO_LARGE, "mcp.max_result",
                    "The result has %zu bytes, max_result is %zu: ask for less, such as fewer "
                    "records or fields.",
                    len, max);
        r->error.executed = EXECUTED_YES;
        mcp_fail_tool(r);
        return;
    }
    begin_copy(r);
}

/* ---- The call ------------------------------------------------------------------------------- */

/* Makes a pointer into the call's params one into the request. */
static void point_at_argument(const struct request *r, struct error *err)
{
    CLEANUP(buf_done) struct buf pointer;
    char copied[ERROR_POINTER_MAX];
    unsigned index;
    int behind = 0;
    buf_init(&pointer, 2 * ERROR_POINTER_MAX, NULL);
    if (r->route != NULL) {
        route_error_is_of(r->route, err, WITHIN);
        return;
    }
    if (!err->has_pointer)
        return;
    memcpy(copied, err->pointer, sizeof copied);
    if (r->mcp->are_numbered && sscanf(copied, "/%3u%n", &index, &behind) == 1)
        buf_printf(&pointer, WITHIN "/a%u%s", index + 1, copied + behind);
    else
        buf_printf(&pointer, WITHIN "/params%s", copied);
    err->has_pointer = false;
    error_at(err, buf_str(&pointer));
}

/* Rules about params are judged by what was built. */
static bool on_translated(struct call *c)
{
    return request_may_call_with(c->user, c->text.method, c->text.params, &c->error);
}

static void on_text_used(struct call *c)
{
    struct request *r = c->user;
    buf_done(&r->body);
    buf_done(&r->by_route.filled.params);
    c->params_held = 0;
}

static void on_ended(struct call *c, const struct verdict *verdict)
{
    struct request *r = c->user;
    request_count_call(r, c, verdict);
    if (verdict->error == NULL) {
        succeed(r);
        return;
    }
    r->error = *verdict->error;
    r->fault = verdict->fault;
    r->protocol = verdict->protocol;
    if (verdict->fault == NULL)
        point_at_argument(r, &r->error);
    mcp_fail_tool(r);
    r->fault = NULL;
    r->protocol = NULL;
}

static const struct call_owner owner = {
    .translated = on_translated,
    .text_used = on_text_used,
    .ended = on_ended,
};

static void refuse_call(struct request *r)
{
    metrics_count_outcome(request_record(r), r->front->work->index, target_method(&r->target),
                          1 + (size_t)r->error.type);
    mcp_fail_tool(r);
}

/* The time of X-Rpcgate-Timeout runs from the request on, for the search, too. */
static void limit(const struct request *r, struct call *c)
{
    if (r->timeout_ms != CLOCK_NEVER)
        c->deadline_ms = clock_min(c->deadline_ms, r->began_us / 1000 + r->timeout_ms);
}

static void begin_call(struct request *r, struct str params)
{
    struct call *c = &r->call;
    if (r->caller_gone) { /* while upstreams were asked, or its params were read */
        error_set(&r->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
        refuse_call(r);
        return;
    }
    const struct route_config *route = r->route;
    struct method_rule rule = route != NULL
                                  ? method_rule_of_route(route)
                                  : method_rule_find(r->upstream, target_method(&r->target));
    request_fill_call(r, c, &rule);
    limit(r, c);
    c->owner = &owner;
    c->text.method = target_method(&r->target);
    c->text.params = params;
    c->params_held = r->body.cap + r->by_route.filled.params.cap;
    if (route != NULL)
        c->part = (struct verdict_part){ route->watch, route->result.at, (int)route->result.empty };
    call_begin(c);
}

/* ---- Arguments ------------------------------------------------------------------------------ */

/* The numbered arguments of a method. */
struct numbered {
    struct str values[ARGUMENTS_MAX];
    size_t n; /* the greatest number */
};

static bool refuse_argument(struct request *r, struct str name, const char *what)
{
    CLEANUP(buf_done) struct buf text;
    struct str inside = str_slice(name, 1, name.len - 1);
    buf_init(&text, 512, NULL);
    buf_printf(&text, "`%.*s%s` %s", ERROR_CUT_ARGS(error_cut(inside, 64)), what);
    return error_set(&r->error, PROBLEM_INVALID_REQUEST, "%s", buf_c(&text));
}

/* `"a7"` is 7; 0: it is none. */
static size_t number_of(struct str quoted)
{
    uint64_t n;
    struct str digits = str_slice(quoted, quoted.len > 3 ? 2 : quoted.len, quoted.len);
    if (digits.len == 0 || quoted.data[1] != 'a' || digits.data[0] == '0')
        return 0;
    digits.len--;
    return str_to_uint(digits, ARGUMENTS_MAX, &n) ? (size_t)n : 0;
}

static bool read_numbered(struct request *r, struct numbered *to, struct str *ret_params)
{
    struct str name, value;
    struct json_cursor members = json_enter(r->mcp->arguments);
    while (json_next(&members, &name, &value)) {
        size_t number = number_of(name);
        if (number > 0)
            to->values[number - 1] = value;
        else if (!str_eq(name, STR("\"params\"")))
            return refuse_argument(r, name,
                                   "is not known here: the params are `a1`, `a2` and so on, or "
                                   "`params` is an array of them.");
        else if (value.data[0] != '[')
            return refuse_argument(r, name, "must be an array: the method's params, in order.");
        else
            *ret_params = value;
        to->n = number > to->n ? number : to->n;
    }
    if (to->n > 0 && ret_params->data != NULL)
        return refuse_argument(r, STR("\"params\""),
                               "stands beside `a1`: give one of them, not both.");
    return true;
}

static bool write_numbered(struct request *r, const struct numbered *from)
{
    struct buf *to = &r->by_route.filled.params;
    buf_append_byte(to, '[');
    for (size_t i = 0; i < from->n; i++) {
        if (from->values[i].data == NULL)
            return error_set(&r->error, PROBLEM_INVALID_REQUEST,
                             "`a%zu` is missing, and `a%zu` is given: params stand in order.",
                             i + 1, from->n);
        buf_append_c(to, i > 0 ? "," : "");
        buf_append(to, from->values[i]);
    }
    buf_append_byte(to, ']');
    if (!buf_ok(to))
        call_error_memory(&r->error);
    return buf_ok(to);
}

static bool make_params_of_method(struct request *r, struct str *ret)
{
    struct mcp *m = r->mcp;
    struct numbered numbered = { .n = 0 };
    *ret = (struct str){ NULL, 0 };
    if (m->arguments.data == NULL)
        return true;
    if (!read_numbered(r, &numbered, ret))
        return false;
    m->are_numbered = numbered.n > 0;
    if (numbered.n == 0)
        return true;
    if (!write_numbered(r, &numbered))
        return false;
    *ret = buf_str(&r->by_route.filled.params);
    return true;
}

/* ---- The tool ------------------------------------------------------------------------------- */

/* Without a choice of the caller's integers are such that models' readers lose no digits. */
static void choose_integers(struct request *r)
{
    if (r->query.has_integers)
        return;
    r->query.has_integers = true;
    r->query.integers = INTEGERS_SAFE;
}

static void fill(struct request *r)
{
    struct route_filled *filled = &r->by_route.filled;
    switch (route_fill_step(r->mcp->filling, &r->error)) {
    case CODEC_MORE:
        mcp_ask_turn(r, fill);
        break;
    case CODEC_FAILED:
        r->errors = buf_str(&filled->errors);
        refuse_call(r);
        break;
    case CODEC_DONE:
        choose_integers(r);
        if (!r->query.has_types && filled->query.has_types) {
            r->query.has_types = true;
            r->query.types = filled->query.types;
        }
        begin_call(r, buf_str(&filled->params));
        break;
    }
}

static void begin_route(struct request *r)
{
    struct route_given given = { .body = r->mcp->arguments, .by_name = true, .within = WITHIN };
    r->mcp->filling = route_fill_begin(r->route, &given, &r->by_route.filled);
    fill(r);
}

static void begin_method(struct request *r)
{
    struct str params;
    if (!make_params_of_method(r, &params)) {
        refuse_call(r);
        return;
    }
    choose_integers(r);
    begin_call(r, params);
}

static void begin_tool(struct request *r, const struct mcp_tool *tool)
{
    r->upstream = tool->upstream;
    r->route = tool->route;
    r->memory.patience_ms = tool->upstream->pool.queue_timeout;
    target_set_method(&r->target, tool->method);
    snprintf(r->tool, sizeof r->tool, "%s", tool->name);
    if (!request_may_call(r, target_method(&r->target), &r->error))
        refuse_call(r);
    else if (r->route != NULL)
        begin_route(r);
    else
        begin_method(r);
}

static const struct mcp_tool *find(const struct request *r, const struct mcp_tool *tools, size_t n,
                                   struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(name, tools[i].name) && mcp_may_use(r, &tools[i]))
            return &tools[i];
    return NULL;
}

/* An upstream that told nothing may have it: then its reason is the tool's failure. */
static bool is_of_failed(const struct request *r, struct str name)
{
    const struct mcp_search *s = &r->mcp->search;
    if (!s->any_failed)
        return false;
    struct str of = str_of(r->site->config->upstreams[s->failed].name);
    return access_may_see(&r->caller.access, of) && str_starts_with(name, of) &&
           str_starts_with(str_slice(name, of.len, name.len), STR("__"));
}

static void on_found(struct request *r)
{
    struct mcp *m = r->mcp;
    CLEANUP(buf_done) struct buf text = { .data = NULL };
    bool is_text = mcp_unquote(m->name, TOOL_NAME_MAX, &text);
    struct str name = { buf_c(&text), text.len };
    const struct mcp_tool *tool = is_text ? find(r, m->tools, m->n_tools, name) : NULL;
    if (tool != NULL) {
        begin_tool(r, tool);
        return;
    }
    if (is_of_failed(r, name)) {
        r->upstream = &r->site->config->upstreams[m->search.failed];
        r->error = m->search.error;
        mcp_fail_tool(r);
        return;
    }
    error_set(&r->error, PROBLEM_NOT_FOUND,
              "Unknown tool: %.*s%s. Those that you may use are in tools/list.",
              ERROR_CUT_ARGS(error_cut(name, 64)));
    mcp_refuse(r, 200, MCP_INVALID_PARAMS, (struct str){ NULL, 0 });
}

void mcp_call_begin(struct request *r)
{
    struct mcp *m = r->mcp;
    const struct mcp_config *server = r->target.mcp;
    CLEANUP(buf_done) struct buf name = { .data = NULL };
    bool is_text = mcp_unquote(m->name, TOOL_NAME_MAX, &name);
    if (!is_text || (m->arguments.data != NULL && !mcp_is_object(m->arguments))) {
        error_set(&r->error, PROBLEM_INVALID_REQUEST, "%s",
                  is_text ? "`params.arguments` must be an object."
                          : "`params.name` must be the name of a tool: see tools/list.");
        mcp_refuse(r, m->is_modern ? 400 : 200, MCP_INVALID_PARAMS, (struct str){ NULL, 0 });
        return;
    }
    if (!request_take_calls(r, 1, &r->error)) { /* a search counts as well */
        refuse_call(r);
        return;
    }
    const struct mcp_tool *tool =
        find(r, server->known, server->n_known, (struct str){ buf_c(&name), name.len });
    if (tool != NULL)
        begin_tool(r, tool);
    else
        mcp_search(r, on_found);
}
