/* SPDX-License-Identifier: Apache-2.0 */
#include "front/task_openapi.h"

#include "base/clock.h"
#include "codec/json/cursor.h"
#include "front/request.h"
#include "front/task.h"

/* So many methods of an upstream are asked for their signatures; of others the names are told. */
#define DESCRIBED_MAX 500

/* How many are written before others have their turn. */
#define METHODS_STEP 200

enum asked { ASKED_KNOWN, ASKED_UNKNOWN, ASKED_WAITS };

static struct request *request_of(struct openapi_work *w)
{
    return CONTAINER_OF(w, struct request, openapi);
}

static const struct upstream_config *upstream_of(const struct openapi_work *w)
{
    return &w->document.config->upstreams[w->upstream];
}

static void go_on(struct request *r);

static void on_told(struct once_wait *wait, bool in_time)
{
    struct openapi_work *w = CONTAINER_OF(wait, struct openapi_work, waiter.wait);
    struct request *r = request_of(w);
    if (in_time) {
        go_on(r);
        return;
    }
    introspection_leave(&w->waiter);
    error_set(&r->error, PROBLEM_TIMEOUT,
              "The upstream %s has not told of its methods in the time of X-Rpcgate-Timeout. Give "
              "it more time; what it tells is then kept.",
              upstream_of(w)->name);
    r->error.executed = EXECUTED_NO;
    request_fail(r);
}

/* An upstream that is down leaves its part of the document general. */
static enum asked ask(struct openapi_work *w, struct str key, struct description **ret)
{
    struct error ignored;
    switch (introspection_ask(&w->waiter, key, ret, &ignored)) {
    case INTROSPECTION_READY:
        return ASKED_KNOWN;
    case INTROSPECTION_WAIT:
        return ASKED_WAITS;
    case INTROSPECTION_FAILED:
        break;
    }
    return ASKED_UNKNOWN;
}

static void begin_upstream(struct request *r, size_t index)
{
    struct openapi_work *w = &r->openapi;
    int64_t until = w->waiter.until_ms;
    description_unref(TAKE(w->methods));
    w->upstream = index;
    w->at = 1;
    w->n_asked = 0;
    w->waiter = (struct introspection_waiter){ .until_ms = until };
    w->waiter.wait.go_on = on_told;
    w->waiter.site = r->site;
    if (index < r->site->config->n_upstreams)
        w->waiter.upstream = upstream_of(w);
}

/* False: it waits. */
static bool write_method(struct openapi_work *w, struct str method)
{
    struct description *described = NULL;
    struct str known = { NULL, 0 };
    if (!openapi_may_call(&w->document, upstream_of(w), method))
        return true;
    if (w->n_asked < DESCRIBED_MAX) {
        enum asked asked = ask(w, method, &described);
        if (asked == ASKED_WAITS)
            return false;
        if (asked == ASKED_KNOWN)
            known = description_text(described);
        w->n_asked++;
    }
    openapi_write_method(&w->document, upstream_of(w), method, known);
    description_unref(described);
    return true;
}

/* False: it waits, for a method or its turn. */
static bool write_methods(struct request *r)
{
    CLEANUP(buf_done) struct buf name;
    struct openapi_work *w = &r->openapi;
    struct str text = description_text(w->methods), quoted;
    buf_init(&name, text.len, NULL);
    struct json_cursor names = { .rest = str_slice(text, w->at, text.len), .first = w->at == 1 };
    for (size_t n = 0; json_next(&names, NULL, &quoted); n++) {
        if (n == METHODS_STEP) {
            turn_ask(r->front->work, &w->turn);
            return false;
        }
        buf_clear(&name);
        json_unquote(quoted, &name);
        if (!write_method(w, (struct str){ buf_c(&name), name.len }))
            return false;
        w->at = text.len - names.rest.len;
    }
    return true;
}

static bool is_wanted(const struct request *r, const struct upstream_config *upstream)
{
    return (r->upstream == NULL || r->upstream == upstream) && (upstream->faces & FACE_JSON) != 0 &&
           access_may_see(&r->caller.access, str_of(upstream->name));
}

/* False: it waits. */
static bool write_upstream(struct request *r)
{
    struct openapi_work *w = &r->openapi;
    if (w->methods == NULL) {
        enum asked asked = ask(w, KEY_METHODS, &w->methods);
        if (asked == ASKED_WAITS)
            return false;
        if (asked == ASKED_UNKNOWN || !w->methods->there) {
            openapi_write_any_method(&w->document, upstream_of(w));
            return true;
        }
    }
    return write_methods(r);
}

static void go_on(struct request *r)
{
    struct openapi_work *w = &r->openapi;
    for (; w->upstream < r->site->config->n_upstreams; begin_upstream(r, w->upstream + 1))
        if (is_wanted(r, upstream_of(w)) && !write_upstream(r))
            return;
    openapi_end(&w->document);
    request_succeed(r, 200);
}

static void take_turn(struct turn *turn)
{
    go_on(request_of(CONTAINER_OF(turn, struct openapi_work, turn)));
}

static void begin(struct request *r)
{
    struct openapi_work *w = &r->openapi;
    list_init(&w->turn.in_turns);
    w->turn.take = take_turn;
    w->waiter.until_ms = r->timeout_ms == CLOCK_NEVER || r->upstream == NULL
                             ? CLOCK_NEVER
                             : clock_now_ms() + r->timeout_ms;
    w->document =
        (struct openapi){ .config = r->site->config, .access = &r->caller.access, .to = &r->reply };
    request_enter(r, REQUEST_WORKING);
    begin_upstream(r, 0);
    openapi_begin(&w->document, r->upstream);
    openapi_write_routes(&w->document, r->upstream);
    go_on(r);
}

static void drop(struct request *r)
{
    list_remove(&r->openapi.turn.in_turns);
    introspection_leave(&r->openapi.waiter);
    description_unref(TAKE(r->openapi.methods));
}

const struct task task_openapi = { .begin = begin, .drop = drop, .asks_upstreams = true };
