/* SPDX-License-Identifier: Apache-2.0 */
#include "front/task_describe.h"

#include "base/clock.h"
#include "codec/json/cursor.h"
#include "codec/json/write.h"
#include "front/request.h"
#include "front/task.h"
#include "settings/method_rule.h"

/* How many names are written before others have their turn. */
#define NAMES_STEP 2000

/* About how long these are in what is kept, and what becomes of it. [bytes] */
#define STEP_BYTES ((size_t)64 * 1024)
#define GROWTH 2

static struct request *request_of(struct describe *d)
{
    return CONTAINER_OF(d, struct request, describe);
}

/* A name in quotes as its characters; `to` holds them where there are escapes. */
static struct str plain_name(struct str quoted, struct buf *to)
{
    struct str inside = str_slice(quoted, 1, quoted.len - 1);
    if (memchr(inside.data, '\\', inside.len) == NULL)
        return inside;
    buf_clear(to);
    json_unquote(quoted, to);
    return (struct str){ buf_c(to), to->len };
}

/* Is there room for so much of the reply? False: it waits, or has failed. */
static bool has_room(struct request *r, size_t bytes, void (*on_room)(struct memory_wait *))
{
    r->memory.kind = MEMORY_REPLY;
    r->memory.on_room = on_room;
    r->memory.held = chain_len(&r->reply);
    return request_has_room(r, bytes);
}

static void on_room_for_names(struct memory_wait *wait)
{
    struct request *r = CONTAINER_OF(wait, struct request, memory);
    turn_ask(r->front->work, &r->describe.turn);
}

/* Methods that the gateway has for callers of XML-RPC, whatever the upstream has. */
static const struct str own[] = {
    { "system.getCapabilities", 22 }, { "system.listMethods", 18 }, { "system.methodHelp", 17 },
    { "system.methodSignature", 22 }, { "system.multicall", 16 },
};

static bool is_own(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_eq(own[i], name))
            return true;
    return false;
}

static void write_name(struct request *r, struct str quoted, struct buf *scratch)
{
    struct error ignored;
    struct str name = plain_name(quoted, scratch);
    bool is_rest = r->describe.form == DESCRIBE_AS_REST;
    if (!request_may_call(r, name, &ignored) || (!is_rest && is_own(name)))
        return;
    chain_append_c(&r->reply, r->describe.any ? "," : "");
    chain_append_c(&r->reply, is_rest ? "{\"name\":" : "");
    chain_append(&r->reply, quoted);
    chain_append_c(&r->reply, is_rest ? "}" : "");
    r->describe.any = true;
}

static void end_list(struct request *r)
{
    if (r->describe.form == DESCRIBE_AS_REST)
        chain_append(&r->reply, STR("]}"));
    for (size_t i = 0; i < ARRAY_LEN(own) && r->describe.form == DESCRIBE_NAMES; i++) {
        chain_append_c(&r->reply, r->describe.any ? ",\"" : "\"");
        chain_append(&r->reply, own[i]);
        chain_append_byte(&r->reply, '"');
        r->describe.any = true;
    }
    if (r->describe.form == DESCRIBE_NAMES)
        chain_append(&r->reply, STR("]]"));
    request_succeed(r, 200);
}

/* A part of the list, of which each caller sees what it may use. */
static void write_names(struct turn *turn)
{
    CLEANUP(buf_done) struct buf scratch;
    struct describe *d = CONTAINER_OF(turn, struct describe, turn);
    struct request *r = request_of(d);
    struct str text = description_text(d->methods), name;
    size_t left = text.len - d->at;
    buf_init(&scratch, text.len, NULL);
    if (!has_room(r, GROWTH * (left < STEP_BYTES ? left : STEP_BYTES), on_room_for_names))
        return;
    struct json_cursor names = { .rest = str_slice(text, d->at, text.len), .first = d->at == 1 };
    for (size_t n = 0; n < NAMES_STEP; n++) {
        if (!json_next(&names, NULL, &name)) {
            end_list(r);
            return;
        }
        write_name(r, name, &scratch);
    }
    d->at = text.len - names.rest.len;
    turn_ask(r->front->work, turn);
}

static void write_names_alone(struct request *r)
{
    struct description *methods = r->describe.methods;
    chain_append(&r->reply, STR("[["));
    if (!methods->there) {
        end_list(r);
        return;
    }
    r->describe.at = 1;
    write_names(&r->describe.turn);
}

static void write_list(struct request *r)
{
    struct description *methods = r->describe.methods;
    if (r->describe.form == DESCRIBE_NAMES) {
        write_names_alone(r);
        return;
    }
    chain_append(&r->reply, STR("{\"name\":"));
    json_write_string(&r->reply, target_upstream(&r->target));
    if (!methods->there) {
        chain_append(&r->reply, STR(",\"methods\":null,\"reason\":"));
        json_write_string(&r->reply, description_text(methods));
        chain_append_byte(&r->reply, '}');
        request_succeed(r, 200);
        return;
    }
    chain_append(&r->reply, STR(",\"methods\":["));
    r->describe.at = 1;
    write_names(&r->describe.turn);
}

static void on_room_for_method(struct memory_wait *wait);

/* One of the two members, as the conventions of XML-RPC have it: a method without known signatures
 * has a text in their place. */
static void write_member(struct request *r, const struct description *described)
{
    struct json_cursor members = { .rest = description_text(described),
                                   .first = true,
                                   .in_object = true };
    bool is_help = r->describe.form == DESCRIBE_HELP;
    struct str name, value;
    chain_append_byte(&r->reply, '[');
    while (json_next(&members, &name, &value)) {
        if (!str_eq(name, is_help ? STR("\"help\"") : STR("\"signatures\"")))
            continue;
        chain_append(&r->reply, str_eq(value, STR("null"))
                                    ? (is_help ? STR("\"\"") : STR("\"undef\""))
                                    : value);
    }
    chain_append_byte(&r->reply, ']');
    request_succeed(r, 200);
}

static void write_method(struct request *r, const struct description *described)
{
    if (!has_room(r, described->len, on_room_for_method))
        return;
    if (r->describe.form != DESCRIBE_AS_REST) {
        write_member(r, described);
        return;
    }
    chain_append(&r->reply, STR("{\"method\":"));
    json_write_string(&r->reply, target_method(&r->target));
    chain_append_byte(&r->reply, ',');
    chain_append(&r->reply, description_text(described));
    chain_append_c(&r->reply, method_rule_find(r->upstream, target_method(&r->target)).safe
                                  ? ",\"safe\":true}"
                                  : ",\"safe\":false}");
    request_succeed(r, 200);
}

/* Where the methods are known, others are not there. */
static bool is_there(const struct request *r)
{
    CLEANUP(buf_done) struct buf scratch;
    const struct description *methods = r->describe.methods;
    struct str name;
    buf_init(&scratch, methods->len, NULL);
    if (!methods->there)
        return true;
    struct json_cursor names = json_enter(description_text(methods));
    while (json_next(&names, NULL, &name))
        if (str_eq(plain_name(name, &scratch), target_method(&r->target)))
            return true;
    return false;
}

static bool fail_unknown(struct request *r)
{
    return error_set(&r->error, PROBLEM_NOT_FOUND,
                     "The upstream has no method of this name. GET /v1/%s lists those that you may "
                     "call.",
                     r->upstream->name);
}

/* Asks for one key. False: the request waits, or has an answer. */
static bool ask(struct request *r, struct str key, struct description **ret)
{
    struct describe *d = &r->describe;
    switch (introspection_ask(&d->waiter, key, ret, &r->error)) {
    case INTROSPECTION_READY:
        return true;
    case INTROSPECTION_WAIT:
        return false;
    case INTROSPECTION_FAILED:
        break;
    }
    request_fail(r);
    return false;
}

static void go_on(struct request *r)
{
    struct description *described;
    if (r->describe.methods == NULL && !ask(r, KEY_METHODS, &r->describe.methods))
        return;
    if (r->target.method_len == 0) {
        write_list(r);
    } else if (!is_there(r)) {
        fail_unknown(r);
        request_fail(r);
    } else if (ask(r, target_method(&r->target), &described)) {
        write_method(r, described);
        description_unref(described);
    }
}

/* What was asked for is kept, or is asked for anew. */
static void on_room_for_method(struct memory_wait *wait)
{
    go_on(CONTAINER_OF(wait, struct request, memory));
}

static void end_wait(struct request *r)
{
    introspection_leave(&r->describe.waiter);
    error_set(&r->error, PROBLEM_TIMEOUT,
              "The upstream %s has not told of its methods in the time of X-Rpcgate-Timeout. Give "
              "it more time; what it tells is then kept.",
              r->upstream->name);
    r->error.executed = EXECUTED_NO;
    request_fail(r);
}

static void on_told(struct once_wait *wait, bool in_time)
{
    struct request *r = request_of(CONTAINER_OF(wait, struct describe, waiter.wait));
    if (in_time)
        go_on(r);
    else
        end_wait(r);
}

static void begin(struct request *r)
{
    list_init(&r->describe.turn.in_turns);
    r->describe.turn.take = write_names;
    r->describe.waiter.until_ms =
        r->timeout_ms == CLOCK_NEVER ? CLOCK_NEVER : clock_now_ms() + r->timeout_ms;
    r->describe.waiter.wait.go_on = on_told;
    r->describe.waiter.site = r->site;
    r->describe.waiter.upstream = r->upstream;
    request_enter(r, REQUEST_WORKING);
    go_on(r);
}

static void drop(struct request *r)
{
    list_remove(&r->describe.turn.in_turns);
    introspection_leave(&r->describe.waiter);
    description_unref(TAKE(r->describe.methods));
}

const struct task task_describe = { .begin = begin, .drop = drop };
