/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/step.h"
#include "io/http_connection.h"

#include <assert.h>
#include <fcntl.h>
#include <microhttpd.h>

/* Gives the reply to the library. False: it does not take it, and the connection must end. */
static bool queue(struct http_exchange *x)
{
    struct http_connection *c = http_connection_of(x);
    struct MHD_Response *response = TAKE(x->response);
    enum MHD_Result queued = MHD_queue_response(c->mhd, (unsigned)x->status, response);
    MHD_destroy_response(response);
    x->state = EXCHANGE_REPLIED;
    http_connection_enter(c, HTTP_WRITING);
    return queued == MHD_YES;
}

/* A reply in the library's first call closes the connection when it is sent, and a further request
 * could not be told from what is left of this one's body. That is what is wanted if a body is on
 * its way, or if nobody knows. */
static bool begin(struct http_exchange *x, const struct http_request_line *line)
{
    struct http_connection *c = http_connection_of(x);
    http_connection_enter(c, HTTP_BODY);
    c->heard_ms = c->since_ms;
    http_head_read(x, line);
    x->state = EXCHANGE_HEAD;
    c->server->handler->head(c->server->context, x);
    if (x->aborted)
        return false;
    x->state = EXCHANGE_BODY;
    if (x->response == NULL || !(x->close || head_has_body(&x->head)))
        return true;
    c->linger_fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
    return queue(x);
}

static bool take_body(struct http_exchange *x, struct str bytes)
{
    struct http_connection *c = http_connection_of(x);
    const struct http_server *server = c->server;
    c->heard_ms = clock_now_ms();
    bool taken = x->response != NULL || server->handler->body(server->context, x, bytes);
    if (x->aborted || taken)
        return !x->aborted;
    x->state = EXCHANGE_PAUSED;
    http_connection_enter(c, HTTP_RESTING);
    MHD_suspend_connection(c->mhd);
    return true;
}

static bool finish(struct http_exchange *x)
{
    struct http_connection *c = http_connection_of(x);
    if (x->response == NULL) {
        x->state = EXCHANGE_COMPLETE;
        c->server->handler->complete(c->server->context, x);
    }
    if (x->aborted)
        return false;
    if (x->response != NULL)
        return queue(x);
    x->state = EXCHANGE_RESTING;
    http_connection_enter(c, HTTP_RESTING);
    MHD_suspend_connection(c->mhd);
    return true;
}

bool http_exchange_step(struct http_exchange *x, const struct http_request_line *line,
                        struct str upload)
{
    step_begin("caller");
    if (http_connection_of(x)->server->closing)
        return false; /* nobody would reply to what rests now */
    if (x->state == EXCHANGE_NONE)
        return begin(x, line);
    if (x->state != EXCHANGE_BODY)
        return false; /* the library did not take the reply */
    return upload.len > 0 ? take_body(x, upload) : finish(x);
}

void http_exchange_end(struct http_exchange *x, bool sent)
{
    step_begin("closed");
    struct http_connection *c = http_connection_of(x);
    bool told = x->state != EXCHANGE_NONE;
    sent = sent && x->state == EXCHANGE_REPLIED;
    if (x->response != NULL)
        MHD_destroy_response(TAKE(x->response));
    if (told)
        c->server->handler->closed(c->server->context, x, sent);
    x->state = EXCHANGE_NONE;
    x->aborted = false;
    x->user = NULL;
    http_head_clear(x);
    if (c->phase != HTTP_ENDING)
        http_connection_enter(c, HTTP_IDLE);
}

const struct request_head *http_head(const struct http_exchange *x)
{
    return &x->head;
}

void http_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_user(const struct http_exchange *x)
{
    return x->user;
}

void http_reply(struct http_exchange *x, const struct http_reply *reply)
{
    struct http_connection *c = http_connection_of(x);
    assert(x->state != EXCHANGE_NONE && x->state != EXCHANGE_REPLIED && x->response == NULL);
    x->status = reply->status;
    x->close = reply->close || c->server->quiesced;
    x->response = http_response_new(x, reply, x->close);
    if (x->state != EXCHANGE_RESTING) {
        x->aborted |= x->response == NULL;
        return; /* the library's call that we are in, or the next one, takes it */
    }
    if (x->response == NULL || !queue(x)) {
        x->aborted = true;
        x->state = EXCHANGE_REPLIED;
        http_connection_enter(c, HTTP_WRITING);
    }
    MHD_resume_connection(c->mhd);
    c->server->pending = true;
}

void http_resume(struct http_exchange *x)
{
    struct http_connection *c = http_connection_of(x);
    assert(x->state == EXCHANGE_PAUSED);
    x->state = EXCHANGE_BODY;
    http_connection_enter(c, HTTP_BODY);
    c->heard_ms = c->since_ms;
    MHD_resume_connection(c->mhd);
    c->server->pending = true;
}

void http_abort(struct http_exchange *x)
{
    assert(x->state == EXCHANGE_HEAD || x->state == EXCHANGE_BODY || x->state == EXCHANGE_COMPLETE);
    x->aborted = true;
}
