/* SPDX-License-Identifier: Apache-2.0 */
#include "front/endpoint.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "front/access_log.h"
#include "front/front.h"
#include "front/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct listener_state *listener_state_new(const struct listener *listener, size_t n_workers)
{
    struct listener_state *s = xcalloc(1, sizeof *s);
    s->listener = *listener;
    s->connections = xcalloc(n_workers, sizeof *s->connections);
    atomic_init(&s->references, 1);
    return s;
}

struct listener_state *listener_state_ref(struct listener_state *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void listener_state_unref(struct listener_state *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1)
        return;
    assert(s->listener.fds == NULL);
    free(s->connections);
    free(s);
}

static struct http_limits limits_for(const struct front *front, const struct limits_config *limits)
{
    size_t n = front->work->commons->n_workers;
    return (struct http_limits){
        .head_bytes = limits->headers,
        .head_lines = (size_t)limits->header_count,
        .connections = ((size_t)limits->connections + n - 1) / n,
        .header_time_ms = limits->header_time,
        .body_time_ms = limits->body_time,
        .write_time_ms = limits->write_time,
        .idle_ms = limits->idle,
    };
}

static void on_tls_failed(void *context, const char *ip, const char *reason)
{
    struct endpoint *endpoint = context;
    struct listener_state *l = endpoint->listener;
    atomic_fetch_add_explicit(&l->handshakes_failed, 1, memory_order_relaxed);
    refusals_log_handshake(&endpoint->front->shared->handshakes, l->listener.name, ip, reason);
}

static bool endpoint_open(struct front *front, struct config *config,
                          const struct open_listener *at)
{
    struct endpoint *endpoint = xcalloc(1, sizeof *endpoint);
    struct http_tls tls;
    endpoint->front = front;
    endpoint->server = http_server_new(&(struct http_server_options){
        .loop = front->work->loop,
        .listen_fd = at->state->listener.fds[front->work->index],
        .limits = limits_for(front, &config->limits),
        .tls = http_tls_of(at->config, &tls) ? &tls : NULL,
        .handler = &request_handler,
        .context = endpoint,
        .tls_failed = on_tls_failed,
    });
    if (endpoint->server == NULL) {
        int error = errno;
        free(endpoint);
        errno = error;
        return false;
    }
    endpoint->listener = listener_state_ref(at->state);
    endpoint->config = config_ref(config);
    endpoint->listen = at->config;
    endpoint->serve = at->config->serve;
    list_add_last(&front->endpoints, &endpoint->in_front);
    return true;
}

static void endpoint_free(struct endpoint *endpoint)
{
    http_server_free(endpoint->server);
    list_remove(&endpoint->in_front);
    listener_state_unref(endpoint->listener);
    config_unref(endpoint->config);
    free(endpoint);
}

static void endpoint_close(struct endpoint *endpoint)
{
    if (!endpoint->is_closing)
        http_server_quiesce(endpoint->server);
    endpoint->is_closing = true;
}

/* The endpoint that is open on that listener, or NULL. */
static struct endpoint *find_endpoint(const struct front *front,
                                      const struct listener_state *listener)
{
    for (const struct list *at = front->endpoints.next; at != &front->endpoints; at = at->next) {
        struct endpoint *endpoint = CONTAINER_OF(at, struct endpoint, in_front);
        if (endpoint->listener == listener && !endpoint->is_closing)
            return endpoint;
    }
    return NULL;
}

/* Would a server be made in the same way today? */
static bool is_as_wanted(const struct endpoint *endpoint, const struct config *config,
                         const struct listen_config *listen)
{
    const struct limits_config *a = &endpoint->config->limits, *b = &config->limits;
    return a->headers == b->headers && a->header_count == b->header_count &&
           a->connections == b->connections && a->header_time == b->header_time &&
           a->body_time == b->body_time && a->write_time == b->write_time && a->idle == b->idle &&
           config_same_listen(endpoint->listen, listen);
}

static bool has_listener(const struct listener_set *listeners, const struct listener_state *state)
{
    for (size_t i = 0; i < listeners->n; i++)
        if (listeners->items[i].state == state)
            return true;
    return false;
}

/* It differs in nothing, but the configuration that opened it shall go, and its secrets. */
static void endpoint_stay(struct endpoint *endpoint, struct config *config,
                          const struct listen_config *listen)
{
    struct config *before = endpoint->config;
    endpoint->config = config_ref(config);
    endpoint->listen = listen;
    endpoint->serve = listen->serve;
    config_unref(before);
}

bool endpoints_follow(struct front *front, struct config *config,
                      const struct listener_set *listeners)
{
    front->listeners = listeners;
    for (size_t i = 0; i < listeners->n; i++) {
        const struct open_listener *at = &listeners->items[i];
        struct endpoint *endpoint = find_endpoint(front, at->state);
        if (endpoint != NULL && is_as_wanted(endpoint, config, at->config)) {
            endpoint_stay(endpoint, config, at->config);
            continue;
        }
        if (!endpoint_open(front, config, at))
            return false;
        if (endpoint != NULL)
            endpoint_close(endpoint);
    }
    LIST_EACH (&front->endpoints, at, following) {
        struct endpoint *endpoint = CONTAINER_OF(at, struct endpoint, in_front);
        if (!has_listener(listeners, endpoint->listener))
            endpoint_close(endpoint);
    }
    return true;
}

/* Each worker finds it out; one says so. */
static void tell_ended(const struct endpoint *endpoint)
{
    int ended = http_server_ended(endpoint->server);
    if (LIKELY(ended == 0) || atomic_exchange(&endpoint->listener->told_ended, true))
        return;
    LOG_EVENT(LOG_LEVEL_ERROR,
              "a listener's socket was ended from outside: it takes in nobody any more, until "
              "rpcgated is restarted",
              LOG_TEXT("listen", endpoint->listener->listener.name),
              LOG_TEXT("reason", ended == EINVAL ? "shut down" : strerror(ended)));
}

/* The listener's number has those of its former endpoints, too. */
static void count(struct endpoint *endpoint)
{
    atomic_size_t *sum = &endpoint->listener->connections[endpoint->front->work->index];
    size_t n = http_server_connections(endpoint->server);
    if (n == endpoint->n_counted)
        return;
    size_t others = atomic_load_explicit(sum, memory_order_relaxed) - endpoint->n_counted;
    atomic_store_explicit(sum, others + n, memory_order_relaxed);
    endpoint->n_counted = n;
}

void endpoints_count(const struct front *front)
{
    for (const struct list *at = front->endpoints.next; at != &front->endpoints; at = at->next)
        count(CONTAINER_OF(at, struct endpoint, in_front));
}

void endpoints_run(struct front *front)
{
    LIST_EACH (&front->endpoints, at, following) {
        struct endpoint *endpoint = CONTAINER_OF(at, struct endpoint, in_front);
        http_server_run(endpoint->server);
        tell_ended(endpoint);
        count(endpoint);
        if (UNLIKELY(endpoint->is_closing) && http_server_is_empty(endpoint->server))
            endpoint_free(endpoint);
    }
}

int64_t endpoints_deadline_ms(const struct front *front)
{
    int64_t deadline = CLOCK_NEVER;
    for (const struct list *at = front->endpoints.next; at != &front->endpoints; at = at->next) {
        struct endpoint *endpoint = CONTAINER_OF(at, struct endpoint, in_front);
        deadline = clock_min(deadline, http_server_deadline_ms(endpoint->server));
    }
    return deadline;
}

void endpoints_close(struct front *front)
{
    LIST_EACH (&front->endpoints, at, following) {
        struct endpoint *endpoint = CONTAINER_OF(at, struct endpoint, in_front);
        endpoint_close(endpoint);
        http_server_hurry(endpoint->server);
    }
}

void endpoints_free(struct front *front)
{
    LIST_EACH (&front->endpoints, at, following) {
        endpoint_free(CONTAINER_OF(at, struct endpoint, in_front));
    }
}
