/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front_rig.h"

/* ---- What stands in the server's place ------------------------------------------------------ */

const struct request_head *__wrap_http_head(const struct http_exchange *x);
const struct request_peer *__wrap_http_peer(struct http_exchange *x);
void __wrap_http_set_user(struct http_exchange *x, void *user);
void *__wrap_http_user(const struct http_exchange *x);
void __wrap_http_reply(struct http_exchange *x, const struct http_reply *reply);

static struct exchange *exchange_of(const struct http_exchange *x)
{
    return (struct exchange *)(uintptr_t)x;
}

static struct http_exchange *as_http(struct exchange *x)
{
    return (struct http_exchange *)(void *)x;
}

const struct request_head *__wrap_http_head(const struct http_exchange *x)
{
    return &exchange_of(x)->head.head;
}

const struct request_peer *__wrap_http_peer(struct http_exchange *x)
{
    return &exchange_of(x)->peer;
}

void __wrap_http_set_user(struct http_exchange *x, void *user)
{
    exchange_of(x)->request = user;
}

void *__wrap_http_user(const struct http_exchange *x)
{
    return exchange_of(x)->request;
}

void __wrap_http_reply(struct http_exchange *http, const struct http_reply *reply)
{
    struct exchange *x = exchange_of(http);
    assert_int_equal(x->n_replies++, 0);
    x->status = reply->status;
    x->close = reply->close;
    for (size_t i = 0; i < reply->n_headers; i++)
        buf_printf(&x->headers, "%s: %s\n", reply->headers[i].name, reply->headers[i].value);
    x->body = chain_dup(reply->body);
    chain_done(reply->body);
}

/* ---- The worker ----------------------------------------------------------------------------- */

void front_rig_open(struct front_rig *rig, const char *settings)
{
    struct config *config;
    memset(rig, 0, sizeof *rig);
    rig_open(&rig->rig, settings);
    config = rig->rig.config;
    front_commons_init(&rig->shared, &rig->rig.commons);
    front_init(&rig->front, &rig->rig.workers[0].work, &rig->rig.workers[0].client, &rig->shared);
    assert_true(config->n_callers <= RIG_CALLERS);
    for (size_t i = 0; i < config->n_callers; i++)
        rig->callers[i] = caller_state_new(config->callers[i].name, &rig->rig.commons);
    front_follow(&rig->front, config, rig->rig.states, rig->callers);
    rig->listener = listener_state_new(&(struct listener){ .name = "test" }, RIG_WORKERS);
    rig->open = (struct open_listener){ .state = rig->listener, .config = config->listen };
    rig->listeners = (struct listener_set){ .items = &rig->open, .n = 1 };
    rig->front.listeners = &rig->listeners;
    rig->endpoint = (struct endpoint){
        .front = &rig->front,
        .listener = rig->listener,
        .serve = SERVE_API | SERVE_ADMIN | SERVE_HEALTH | SERVE_METRICS,
    };
}

void front_rig_close(struct front_rig *rig)
{
    assert_int_equal(atomic_load(&rig->front.running), 0);
    front_done(&rig->front);
    for (size_t i = 0; i < rig->rig.config->n_callers; i++)
        caller_state_free(rig->callers[i]);
    front_commons_done(&rig->shared);
    listener_state_unref(rig->listener);
    rig_close(&rig->rig);
}

void front_rig_run(struct front_rig *rig)
{
    do
        rig_turn(&rig->rig, 0);
    while (!list_empty(&rig->rig.workers[0].work.turns));
}

/* ---- Requests ------------------------------------------------------------------------------- */

void exchange_begin(struct front_rig *rig, struct exchange *x, const char *target,
                    const char *lines)
{
    struct request_head *head = &x->head.head;
    struct str rest = str_of(target);
    memset(x, 0, sizeof *x);
    buf_init(&x->headers, SIZE_MAX - 1, NULL);
    head_text_init(&x->head, lines);
    size_t blank = str_find(rest, ' ');
    head->method = str_slice(rest, 0, blank);
    rest = str_slice(rest, blank + 1, rest.len);
    size_t question = str_find(rest, '?');
    head->path = str_slice(rest, 0, question);
    if (question < rest.len)
        head->query = str_slice(rest, question + 1, rest.len);
    request_handler.head(&rig->endpoint, as_http(x));
}

void exchange_go_on(struct front_rig *rig, struct exchange *x, const char *body)
{
    if (x->n_replies > 0)
        return;
    if (body[0] != '\0')
        assert_true(request_handler.body(&rig->endpoint, as_http(x), str_of(body)));
    request_handler.complete(&rig->endpoint, as_http(x));
    front_rig_run(rig);
}

void exchange_send(struct front_rig *rig, struct exchange *x, const char *target, const char *body)
{
    char lines[256] = "Host: 127.0.0.1:8080\nAuthorization: Bearer " EXCHANGE_TOKEN "\n";
    size_t len = strlen(lines);
    if (body[0] != '\0')
        snprintf(lines + len, sizeof lines - len,
                 "Content-Type: application/json\nContent-Length: %zu\n", strlen(body));
    exchange_begin(rig, x, target, lines);
    exchange_go_on(rig, x, body);
}

void exchange_leave(struct exchange *x)
{
    request_handler.gone(NULL, as_http(x));
}

void exchange_end(struct exchange *x)
{
    request_handler.closed(NULL, as_http(x), x->n_replies > 0);
    assert_null(x->request);
    buf_done(&x->headers);
    free(x->body);
}

void exchange_expect(const struct exchange *x, int status, const char *body)
{
    assert_int_equal(x->n_replies, 1);
    if (x->status != status)
        fail_msg("%d: %s", x->status, x->body);
    if (body != NULL)
        assert_string_equal(x->body, body);
}

void exchange_expect_problem(const struct exchange *x, int status, const char *name)
{
    char type[96];
    snprintf(type, sizeof type, "\"type\":\"urn:rpcgate:problem:%s\"", name);
    exchange_expect(x, status, NULL);
    assert_true(exchange_has(x, "Content-Type: application/problem+json"));
    if (strstr(x->body, type) == NULL)
        fail_msg("%s", x->body);
}

bool exchange_has(const struct exchange *x, const char *line)
{
    struct str rest = buf_str(&x->headers);
    while (rest.len > 0) {
        size_t end = str_find(rest, '\n');
        if (str_eq_c(str_slice(rest, 0, end), line))
            return true;
        rest = str_slice(rest, end + 1, rest.len);
    }
    return false;
}
