/* SPDX-License-Identifier: Apache-2.0 */
/* POST /xmlrpc/{upstream}: reads the methodCall, and begins what it asks for: a call, the calls of
 * a system.multicall, or what the upstream tells of itself. */
#include "front/request.h"

#include "base/alloc.h"
#include "codec/interop.h"
#include "codec/json/cursor.h"
#include "codec/xml/decode.h"
#include "front/form.h"
#include "front/task.h"
#include "front/xmlrpc.h"
#include "rules/media.h"
#include "work/spares.h"

/* JSON is hardly longer than the XML that it comes from. */
#define GROWTH 2

/* Values keep their types, whatever the upstream's settings say. */
static const struct query typed = {
    .has_types = true,
    .types = TYPES_TAGGED,
    .has_integers = true,
    .integers = INTEGERS_NUMBER,
};

static void drop(struct request *r)
{
    memory_leave(&r->memory);
    xmlrpc_drop(r);
}

static void fail(struct request *r)
{
    drop(r);
    buf_done(&r->body);
    request_fail(r);
}

static void refuse(struct request *r, enum interop_code code, const char *detail)
{
    error_set(&r->error, PROBLEM_INVALID_REQUEST, "%s", detail);
    r->error.fault_code = code;
    fail(r);
}

/* ---- What it asks for ----------------------------------------------------------------------- */

/* Of a request that was read. `params` is its JSON. */
static void begin_task(struct request *r, const struct task *task)
{
    drop(r);
    r->memory.kind = MEMORY_DOCUMENT;
    r->query = typed;
    r->task = task;
    task->begin(r);
}

static void begin_counted(struct request *r, const struct task *task)
{
    if (request_take_calls(r, 1, &r->error))
        begin_task(r, task);
    else
        fail(r);
}

static void begin_call(struct request *r)
{
    if (request_may_call(r, target_method(&r->target), &r->error))
        begin_counted(r, &task_call);
    else
        fail(r);
}

/* Its one param is the list of calls: the text without the outer brackets. */
static void begin_multicall(struct request *r)
{
    struct buf *body = &r->body;
    if (r->xmlrpc->n_params != 1 || body->data[1] != '[') {
        refuse(r, INTEROP_BAD_PARAMS,
               "system.multicall has one param: an array of structs with methodName and params.");
        return;
    }
    memmove(body->data, body->data + 1, body->len - 2);
    body->len -= 2;
    body->data[body->len] = '\0';
    r->target.method_len = 0;
    begin_task(r, &task_batch);
}

/* The method that is asked about becomes the request's. */
static bool take_asked(struct request *r)
{
    struct json_cursor params = json_enter(buf_str(&r->body));
    struct str value;
    struct buf name;
    if (!json_next(&params, NULL, &value) || value.data[0] != '"') {
        error_set(&r->error, PROBLEM_INVALID_REQUEST, "The param is a method's name, a string.");
        r->error.fault_code = INTEROP_BAD_PARAMS;
        return false;
    }
    buf_init(&name, r->body.len, NULL);
    json_unquote(value, &name);
    bool is_name = path_check_method_name(buf_str(&name), &r->error);
    if (is_name)
        target_set_method(&r->target, buf_str(&name));
    buf_done(&name);
    return is_name;
}

static void begin_describe(struct request *r, enum describe_form form)
{
    r->describe.form = form;
    if (form == DESCRIBE_NAMES)
        r->target.method_len = 0;
    else if (!take_asked(r) || !request_may_call(r, target_method(&r->target), &r->error)) {
        fail(r);
        return;
    }
    begin_counted(r, &task_describe);
}

static void begin_capabilities(struct request *r)
{
    request_enter(r, REQUEST_WORKING);
    chain_append(&r->reply,
                 STR("[{\"xmlrpc\":{\"specUrl\":\"http://xmlrpc.com/spec.md\",\"specVersion\":1},"
                     "\"faults_interop\":{\"specUrl\":\"http://xmlrpc-epi.sourceforge.net/specs/"
                     "rfc.fault_codes.php\",\"specVersion\":20010516},"
                     "\"introspection\":{\"specUrl\":\"http://xmlrpc-c.sourceforge.net/"
                     "introspection.html\",\"specVersion\":1}}]"));
    request_succeed(r, 200);
}

static const struct task task_capabilities = { .begin = begin_capabilities };

/* What is ours, with so many params; with others the upstream's is meant. */
static const struct own {
    struct str method;
    size_t n_params;
    enum describe_form form;
} descriptions[] = {
    { { "system.listMethods", 18 }, 0, DESCRIBE_NAMES },
    { { "system.methodSignature", 22 }, 1, DESCRIBE_SIGNATURES },
    { { "system.methodHelp", 17 }, 1, DESCRIBE_HELP },
};

static void begin_asked(struct request *r)
{
    struct str method = target_method(&r->target);
    size_t n = r->xmlrpc->n_params;
    if (str_eq(method, STR("system.multicall"))) {
        begin_multicall(r);
        return;
    }
    if (str_eq(method, STR("system.getCapabilities")) && n == 0) {
        begin_counted(r, &task_capabilities);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(descriptions); i++) {
        if (!str_eq(method, descriptions[i].method) || n != descriptions[i].n_params)
            continue;
        begin_describe(r, descriptions[i].form);
        return;
    }
    begin_call(r);
}

/* ---- Its document --------------------------------------------------------------------------- */

/* The JSON in one piece is the body from here on. */
static bool take_params(struct request *r)
{
    char piece[4096];
    struct xmlrpc *x = r->xmlrpc;
    struct chain_cursor cursor = { 0 };
    size_t n;
    buf_done(&r->body);
    buf_init(&r->body, SIZE_MAX / 2, &r->share->budget);
    if (!buf_reserve(&r->body, chain_len(&x->chain)))
        return false;
    while ((n = chain_read(&x->chain, &cursor, piece, sizeof piece)) > 0)
        buf_append(&r->body, (struct str){ piece, n });
    return true;
}

static void end(struct request *r)
{
    struct xmlrpc *x = r->xmlrpc;
    if (!x->is_call) {
        refuse(r, INTEROP_NO_CALL, "The document is no methodCall with a methodName: send one.");
        return;
    }
    if (!take_params(r)) {
        call_error_memory(&r->error);
        fail(r);
        return;
    }
    if (r->caller_gone) {
        error_set(&r->error, PROBLEM_REQUEST_TIMEOUT, "The caller left before the call was sent.");
        fail(r);
        return;
    }
    begin_asked(r);
}

/* What there is to know of it is known; the names in it last only until the next document. */
static bool take_result(struct request *r, const struct decode_result *result)
{
    struct xmlrpc *x = r->xmlrpc;
    x->is_read = true;
    x->is_call = result->kind == DOCUMENT_CALL && result->method.data != NULL;
    x->n_params = result->n_params;
    if (!x->is_call)
        return true;
    if (!path_check_method_name(result->method, &r->error))
        return false;
    target_set_method(&r->target, result->method);
    return true;
}

/* The next part of it. */
static enum codec_step step(struct request *r)
{
    struct xmlrpc *x = r->xmlrpc;
    struct str rest = str_slice(buf_str(&r->body), x->at, r->body.len);
    struct decode_result result;
    if (x->is_read)
        return decoder_arrange(x->decoder, XMLRPC_STEP, &r->error);
    rest = str_slice(rest, 0, rest.len < XMLRPC_STEP ? rest.len : XMLRPC_STEP);
    if (!decoder_feed(x->decoder, rest, &r->error))
        return CODEC_FAILED;
    x->at += rest.len;
    if (x->at < r->body.len)
        return CODEC_MORE;
    if (!decoder_end(x->decoder, &result, &r->error) || !take_result(r, &result))
        return CODEC_FAILED;
    return result.unarranged ? CODEC_MORE : CODEC_DONE;
}

static void read(struct turn *turn)
{
    struct xmlrpc *x = CONTAINER_OF(turn, struct xmlrpc, turn);
    struct request *r = x->request;
    r->memory.held = r->body.cap + chain_len(&x->chain);
    if (!request_has_room(r, GROWTH * XMLRPC_STEP))
        return;
    switch (step(r)) {
    case CODEC_MORE:
        turn_ask(r->front->work, turn);
        break;
    case CODEC_FAILED:
        fail(r);
        break;
    case CODEC_DONE:
        end(r);
        break;
    }
}

static void on_room(struct memory_wait *wait)
{
    struct request *r = CONTAINER_OF(wait, struct request, memory);
    turn_ask(r->front->work, &r->xmlrpc->turn);
}

static struct str charset_of(const struct request *r)
{
    const struct header *type = head_find(http_head(r->exchange), HEADER_CONTENT_TYPE);
    return type != NULL ? media_charset(type->value) : (struct str){ NULL, 0 };
}

static void begin(struct request *r)
{
    const struct config *config = r->site->config;
    struct xmlrpc *x = xcalloc(1, sizeof *x);
    x->request = r;
    x->turn.take = read;
    x->decoder = work_take_decoder(r->front->work);
    x->options = (struct decode_options){
        .is_request = true,
        .types = TYPES_TAGGED,
        .integers = INTEGERS_NUMBER,
        .text = TEXT_REJECT,
        .depth = (unsigned)config->limits.depth,
        .document_max = (size_t)config->limits.body,
        .encoding_declared = charset_of(r),
    };
    list_init(&x->turn.in_turns);
    buf_init(&x->json, 0, NULL);
    chain_init(&x->chain, SIZE_MAX, &r->share->budget);
    r->xmlrpc = x;
    r->memory.on_room = on_room;
    decoder_begin(x->decoder, &x->options, &x->chain);
    read(&x->turn);
}

const struct task task_xmlrpc = { .begin = begin, .drop = drop, .takes_calls = true };
