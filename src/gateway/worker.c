/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/worker.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "gateway/memory.h"
#include "gateway/pool.h"
#include "gateway/probe.h"
#include "gateway/request.h"
#include "gateway/turn.h"
#include "gateway/worker_state.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

/* How long replies that are made at the very end may take to be sent. */
#define FLUSH_MS 1000

/* How often requests that wait for memory look whether there is some. */
#define STARVED_MS 10

static int64_t next_deadline(struct worker *w)
{
    int64_t deadline = clock_min(upstreams_deadline_ms(w->client), w->wait_due_ms);
    if (!list_empty(&w->turns))
        return 0;
    for (size_t i = 0; i < w->n_doors; i++)
        deadline = clock_min(deadline, http_server_deadline_ms(w->doors[i].server));
    deadline = clock_min(deadline, w->probes_due_ms);
    if (!list_empty(&w->starved))
        deadline = clock_min(deadline, clock_now_ms() + STARVED_MS);
    if (w->flush_until_ms != 0)
        deadline = clock_min(deadline, w->flush_until_ms);
    return deadline;
}

/* First those that wait, so that none of them is sent when another gives its permit back. */
static void cut_off_all(struct worker *w)
{
    static const enum call_state calls[] = { CALL_TRANSLATING, CALL_QUEUED, CALL_BACKOFF,
                                             CALL_CALLING };
    static const enum request_state requests[] = { REQUEST_READING, REQUEST_WORKING };
    /* One may end others, too. */
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        while (!list_empty(&w->calls_in[calls[i]]))
            call_cut_off(LIST_FIRST(&w->calls_in[calls[i]], struct call, in_state));
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        LIST_EACH (&w->requests_in[requests[i]], at, following)
            request_cut_off(CONTAINER_OF(at, struct request, in_state));
}

/* Does what the service's phase asks for. False: the worker is at its end. */
static bool follow_phase(struct worker *w)
{
    enum gateway_phase phase = gateway_phase(w->gateway);
    if (phase < GATEWAY_DRAINING)
        return true;
    if (!w->quiet)
        for (size_t i = 0; i < w->n_doors; i++)
            http_server_quiesce(w->doors[i].server);
    w->quiet = true;
    if (phase == GATEWAY_DRAINING) {
        if (!worker_busy(w))
            eventfd_write(w->gateway->idle_fd, 1);
        return true;
    }
    cut_off_all(w);
    if (w->flush_until_ms == 0)
        w->flush_until_ms = clock_now_ms() + FLUSH_MS;
    return !list_empty(&w->requests_in[REQUEST_REPLYING]) && clock_now_ms() < w->flush_until_ms;
}

void worker_count_connections(struct worker *w)
{
    for (size_t i = 0; i < w->n_doors; i++)
        metrics_set_connections(w->gateway->metrics[w->index], i,
                                http_server_connections(w->doors[i].server));
}

static void run_once(struct worker *w)
{
    loop_wait(w->loop, next_deadline(w));
    upstreams_run(w->client);
    pools_run(w);
    probes_run(w);
    memory_feed(w);
    turns_run(w);
    for (size_t i = 0; i < w->n_doors; i++)
        http_server_run(w->doors[i].server);
    worker_count_connections(w);
    /* Calls that have just been submitted go out now, without another turn of the loop. */
    upstreams_run(w->client);
}

static void *thread_main(void *argument)
{
    struct worker *w = argument;
    while (follow_phase(w))
        run_once(w);
    return NULL;
}

static bool open_doors(struct worker *w, const struct worker_options *options)
{
    const struct limits_config *limits = &options->config->limits;
    size_t share = ((size_t)limits->connections + options->n_workers - 1) / options->n_workers;
    for (size_t i = 0; i < options->n_listeners; i++) {
        struct http_server_options server = {
            .loop = w->loop,
            .listen_fd = options->listeners[i].fds[options->index],
            .limits = {
                .head_bytes = limits->headers,
                .connections = share,
                .header_time_ms = limits->header_time,
                .body_time_ms = limits->body_time,
                .write_time_ms = limits->write_time,
                .idle_ms = limits->idle,
            },
            .handler = &request_handler,
            .context = &w->doors[i],
        };
        w->doors[i].worker = w;
        w->doors[i].server = http_server_new(&server);
        if (w->doors[i].server == NULL)
            return false;
    }
    return true;
}

static bool open_upstreams(struct worker *w, struct config *config)
{
    w->client = upstreams_new(w->loop);
    w->view = w->client != NULL ? view_open(w, config) : NULL;
    if (w->view == NULL)
        return false;
    probes_open(w);
    return true;
}

void worker_free(struct worker *w)
{
    for (size_t i = 0; i < w->n_doors; i++)
        if (w->doors[i].server != NULL)
            http_server_free(w->doors[i].server);
    probes_close(w);
    view_close(w->view);
    if (w->client != NULL)
        upstreams_free(w->client);
    if (w->loop != NULL)
        loop_free(w->loop);
    worker_free_spare(w);
    free(w->doors);
    free(w);
}

struct worker *worker_start(const struct worker_options *options)
{
    struct worker *w = xcalloc(1, sizeof *w);
    int error;
    w->index = options->index;
    w->gateway = options->gateway;
    w->gateway->workers[w->index] = w;
    w->n_doors = options->n_listeners;
    w->doors = xcalloc(w->n_doors, sizeof *w->doors);
    for (size_t i = 0; i < WORKER_REQUEST_STATES; i++)
        list_init(&w->requests_in[i]);
    for (size_t i = 0; i < WORKER_CALL_STATES; i++)
        list_init(&w->calls_in[i]);
    list_init(&w->turns);
    list_init(&w->starved);
    list_init(&w->pools);
    w->wait_due_ms = CLOCK_NEVER;
    if (getrandom(&w->next_id, sizeof w->next_id, 0) != (ssize_t)sizeof w->next_id)
        w->next_id = (uint64_t)clock_now_us() * (options->index + 1);
    w->loop = loop_new();
    if (w->loop != NULL && open_upstreams(w, options->config) && open_doors(w, options)) {
        error = pthread_create(&w->thread, NULL, thread_main, w);
        if (error == 0)
            return w;
        errno = error;
    }
    error = errno;
    worker_free(w);
    errno = error;
    return NULL;
}

void worker_wake(struct worker *worker)
{
    loop_wake(worker->loop);
}

bool worker_busy(const struct worker *worker)
{
    return atomic_load_explicit(&worker->running, memory_order_relaxed) > 0;
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}
