/* SPDX-License-Identifier: Apache-2.0 */
#include "front/task_openapi.h"

#include "base/clock.h"
#include "front/request.h"
#include "front/task.h"

static struct request *request_of(struct openapi_work *w)
{
    return CONTAINER_OF(w, struct request, openapi);
}

static void on_room(struct memory_wait *wait)
{
    struct request *r = CONTAINER_OF(wait, struct request, memory);
    turn_ask(r->front->work, &r->openapi.turn);
}

static void go_on(struct request *r)
{
    struct openapi_writer *w = &r->openapi.writer;
    r->memory.kind = MEMORY_REPLY;
    r->memory.on_room = on_room;
    r->memory.held = chain_len(&r->reply);
    if (!request_has_room(r, w->wanted))
        return;
    switch (openapi_writer_step(w)) {
    case OPENAPI_DONE:
        request_succeed(r, 200);
        break;
    case OPENAPI_MORE:
        turn_ask(r->front->work, &r->openapi.turn);
        break;
    case OPENAPI_WAITS:
        break;
    }
}

static void take_turn(struct turn *turn)
{
    go_on(request_of(CONTAINER_OF(turn, struct openapi_work, turn)));
}

static void on_told(struct once_wait *wait, bool in_time)
{
    struct openapi_work *w = CONTAINER_OF(wait, struct openapi_work, writer.waiter.wait);
    struct request *r = request_of(w);
    if (in_time) {
        go_on(r);
        return;
    }
    introspection_leave(&w->writer.waiter);
    error_set(&r->error, PROBLEM_TIMEOUT,
              "The upstream %s has not told of its methods in the time of X-Rpcgate-Timeout. Give "
              "it more time; what it tells is then kept.",
              openapi_writer_upstream(&w->writer)->name);
    r->error.executed = EXECUTED_NO;
    request_fail(r);
}

static void begin(struct request *r)
{
    struct openapi_work *w = &r->openapi;
    list_init(&w->turn.in_turns);
    w->turn.take = take_turn;
    openapi_writer_init(&w->writer);
    w->writer.document = (struct openapi){ .config = r->site->config,
                                           .only = r->upstream,
                                           .without_methods = r->task == &task_routes,
                                           .access = &r->caller.access,
                                           .to = &r->reply };
    w->writer.waiter.site = r->site;
    w->writer.waiter.wait.go_on = on_told;
    w->writer.waiter.until_ms = r->timeout_ms == CLOCK_NEVER || r->upstream == NULL
                                    ? CLOCK_NEVER
                                    : clock_now_ms() + r->timeout_ms;
    request_enter(r, REQUEST_WORKING);
    go_on(r);
}

static void drop(struct request *r)
{
    list_remove(&r->openapi.turn.in_turns);
    openapi_writer_done(&r->openapi.writer);
}

const struct task task_routes = { .begin = begin, .drop = drop };
const struct task task_openapi = {
    .begin = begin, .drop = drop, .asks_upstreams = true, .shows_routes = true
};
