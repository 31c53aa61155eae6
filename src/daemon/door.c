/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/door.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/generation.h"
#include "daemon/worker_state.h"
#include "front/refusals.h"
#include "front/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct http_limits limits_for(const struct worker *w, const struct limits_config *limits)
{
    size_t n = w->gateway->n_workers;
    return (struct http_limits){
        .head_bytes = limits->headers,
        .connections = ((size_t)limits->connections + n - 1) / n,
        .header_time_ms = limits->header_time,
        .body_time_ms = limits->body_time,
        .write_time_ms = limits->write_time,
        .idle_ms = limits->idle,
    };
}

static void on_tls_failed(void *context, const char *ip, const char *reason)
{
    struct door *door = context;
    struct listener_state *l = door->listener;
    atomic_fetch_add_explicit(&l->handshakes_failed, 1, memory_order_relaxed);
    refusals_log_handshake(&door->worker->gateway->handshakes, l->listener.name, ip, reason);
}

static bool door_open(struct worker *w, const struct generation *generation,
                      const struct generation_listener *at)
{
    struct door *door = xcalloc(1, sizeof *door);
    struct http_tls tls;
    door->worker = w;
    door->server = http_server_new(&(struct http_server_options){
        .loop = w->loop,
        .listen_fd = at->state->listener.fds[w->index],
        .limits = limits_for(w, &generation->config->limits),
        .tls = http_tls_of(at->config, &tls) ? &tls : NULL,
        .handler = &request_handler,
        .context = door,
        .tls_failed = on_tls_failed,
    });
    if (door->server == NULL) {
        int error = errno;
        free(door);
        errno = error;
        return false;
    }
    door->listener = listener_state_ref(at->state);
    door->config = config_ref(generation->config);
    door->listen = at->config;
    door->serve = at->config->serve;
    list_add_last(&w->doors, &door->in_worker);
    return true;
}

static void door_free(struct door *door)
{
    http_server_free(door->server);
    list_remove(&door->in_worker);
    listener_state_unref(door->listener);
    config_unref(door->config);
    free(door);
}

static void door_close(struct door *door)
{
    if (!door->is_closing)
        http_server_quiesce(door->server);
    door->is_closing = true;
}

/* The door that is open on that listener, or NULL. */
static struct door *find_door(const struct worker *w, const struct listener_state *listener)
{
    for (const struct list *at = w->doors.next; at != &w->doors; at = at->next) {
        struct door *door = CONTAINER_OF(at, struct door, in_worker);
        if (door->listener == listener && !door->is_closing)
            return door;
    }
    return NULL;
}

/* Would a server be made in the same way today? */
static bool is_as_wanted(const struct door *door, const struct generation *generation,
                         const struct listen_config *listen)
{
    const struct limits_config *a = &door->config->limits, *b = &generation->config->limits;
    return a->headers == b->headers && a->connections == b->connections &&
           a->header_time == b->header_time && a->body_time == b->body_time &&
           a->write_time == b->write_time && a->idle == b->idle &&
           config_same_listen(door->listen, listen);
}

static bool has_listener(const struct generation *generation, const struct listener_state *state)
{
    for (size_t i = 0; i < generation->listeners.n; i++)
        if (generation->listeners.items[i].state == state)
            return true;
    return false;
}

/* It differs in nothing, but the configuration that opened it shall go, and its secrets. */
static void door_stay(struct door *door, const struct generation *generation,
                      const struct listen_config *listen)
{
    struct config *before = door->config;
    door->config = config_ref(generation->config);
    door->listen = listen;
    door->serve = listen->serve;
    config_unref(before);
}

bool doors_follow(struct worker *w, const struct generation *generation)
{
    for (size_t i = 0; i < generation->listeners.n; i++) {
        const struct generation_listener *at = &generation->listeners.items[i];
        struct door *door = find_door(w, at->state);
        if (door != NULL && is_as_wanted(door, generation, at->config)) {
            door_stay(door, generation, at->config);
            continue;
        }
        if (!door_open(w, generation, at))
            return false;
        if (door != NULL)
            door_close(door);
    }
    LIST_EACH (&w->doors, at, following) {
        struct door *door = CONTAINER_OF(at, struct door, in_worker);
        if (!has_listener(generation, door->listener))
            door_close(door);
    }
    return true;
}

/* Each worker finds it out; one says so. */
static void tell_ended(const struct door *door)
{
    int ended = http_server_ended(door->server);
    if (LIKELY(ended == 0) || atomic_exchange(&door->listener->told_ended, true))
        return;
    LOG_EVENT(LOG_LEVEL_ERROR,
              "a listener's socket was ended from outside: it takes in nobody any more, until "
              "rpcgated is restarted",
              LOG_TEXT("listen", door->listener->listener.name),
              LOG_TEXT("reason", ended == EINVAL ? "shut down" : strerror(ended)));
}

/* The listener's number has those of its former doors, too. */
static void count(struct door *door)
{
    atomic_size_t *sum = &door->listener->connections[door->worker->index];
    size_t n = http_server_connections(door->server);
    if (n == door->n_counted)
        return;
    size_t others = atomic_load_explicit(sum, memory_order_relaxed) - door->n_counted;
    atomic_store_explicit(sum, others + n, memory_order_relaxed);
    door->n_counted = n;
}

void doors_count(const struct worker *w)
{
    for (const struct list *at = w->doors.next; at != &w->doors; at = at->next)
        count(CONTAINER_OF(at, struct door, in_worker));
}

void doors_run(struct worker *w)
{
    LIST_EACH (&w->doors, at, following) {
        struct door *door = CONTAINER_OF(at, struct door, in_worker);
        http_server_run(door->server);
        tell_ended(door);
        count(door);
        if (UNLIKELY(door->is_closing) && http_server_is_empty(door->server))
            door_free(door);
    }
}

int64_t doors_deadline_ms(const struct worker *w)
{
    int64_t deadline = CLOCK_NEVER;
    for (const struct list *at = w->doors.next; at != &w->doors; at = at->next) {
        struct door *door = CONTAINER_OF(at, struct door, in_worker);
        deadline = clock_min(deadline, http_server_deadline_ms(door->server));
    }
    return deadline;
}

void doors_close(struct worker *w)
{
    LIST_EACH (&w->doors, at, following) {
        struct door *door = CONTAINER_OF(at, struct door, in_worker);
        door_close(door);
        http_server_hurry(door->server);
    }
}

void doors_free(struct worker *w)
{
    LIST_EACH (&w->doors, at, following) {
        door_free(CONTAINER_OF(at, struct door, in_worker));
    }
}
