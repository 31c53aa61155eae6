/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/multicall.h"
#include "client/pool.h"
#include "client/probe.h"
#include "client/view.h"
#include "daemon/door.h"
#include "daemon/worker_state.h"
#include "front/look.h"
#include "front/request.h"
#include "work/memory.h"
#include "work/turn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

/* How long replies that are made at the very end may take to be sent. */
#define FLUSH_MS 1000

/* How often it is looked whether there is memory for those that wait for it, or what others find
 * out is known. */
#define LOOK_MS 10

/* When a listener that could not be served is tried again. */
#define FOLLOW_AGAIN_MS 1000

static int64_t next_deadline(struct worker *w)
{
    int64_t deadline = clock_min(upstreams_deadline_ms(w->client), w->wait_due_ms);
    if (!list_empty(&w->turns))
        return 0;
    deadline = clock_min(deadline, doors_deadline_ms(w));
    deadline = clock_min(deadline, views_deadline_ms(w));
    deadline = clock_min(deadline, looks_deadline_ms(w));
    deadline = clock_min(deadline, clock_min(w->probes_due_ms, w->follow_again_ms));
    if (!list_empty(&w->starved) || !list_empty(&w->awaiting))
        deadline = clock_min(deadline, clock_now_ms() + LOOK_MS);
    if (pools_press(w))
        deadline = clock_min(deadline, clock_now_ms() + LOOK_MS);
    if (w->flush_until_ms != 0)
        deadline = clock_min(deadline, w->flush_until_ms);
    return deadline;
}

/* Opens and closes what the newest generation asks for. Once the service stops what cannot be
 * opened is not waited for. */
static bool follow_doors(struct worker *w)
{
    w->follow_again_ms = CLOCK_NEVER;
    if (!doors_follow(w, w->generation) && gateway_phase(w->gateway) <= GATEWAY_READY) {
        w->follow_again_ms = clock_now_ms() + FOLLOW_AGAIN_MS;
        return false;
    }
    atomic_store_explicit(&w->followed, w->generation->number, memory_order_release);
    return true;
}

/* Takes a reference that was the caller's. */
static bool follow(struct worker *w, struct generation *generation)
{
    generation_unref(w->generation);
    w->generation = generation;
    views_follow(w, generation);
    probes_follow(w);
    return follow_doors(w);
}

/* Looks for a new generation. */
static void follow_generation(struct worker *w)
{
    struct generation *news = NULL;
    bool good;
    if (UNLIKELY(atomic_load_explicit(&w->mailbox, memory_order_relaxed) != NULL))
        news = atomic_exchange_explicit(&w->mailbox, NULL, memory_order_acquire);
    if (LIKELY(news == NULL && loop_now_ms(w->loop) < w->follow_again_ms))
        return;
    good = news != NULL ? follow(w, news) : follow_doors(w);
    if (!good)
        log_error("worker %zu cannot serve all listeners: %s; it will be tried again", w->index,
                  strerror(errno));
    eventfd_write(w->gateway->main_fd, 1);
}

/* First those that wait, so that none of them is sent when another gives its permit back. */
static void cut_off_all(struct worker *w)
{
    static const enum call_state calls[] = { CALL_TRANSLATING, CALL_HELD,    CALL_QUEUED,
                                             CALL_BACKOFF,     CALL_CALLING, CALL_ARRANGING };
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
        doors_close(w);
    w->quiet = true;
    if (phase == GATEWAY_DRAINING) {
        if (worker_running(w) == 0)
            eventfd_write(w->gateway->main_fd, 1);
        return true;
    }
    cut_off_all(w);
    if (w->flush_until_ms == 0)
        w->flush_until_ms = clock_now_ms() + FLUSH_MS;
    bool has_more = !list_empty(&w->requests_in[REQUEST_REPLYING]) ||
                    !list_empty(&w->requests_in[REQUEST_READING]);
    return has_more && clock_now_ms() < w->flush_until_ms;
}

static void run_once(struct worker *w)
{
    loop_wait(w->loop, next_deadline(w));
    atomic_fetch_add_explicit(&w->n_turns, 1, memory_order_relaxed);
    upstreams_run(w->client);
    pools_run(w);
    probes_run(w);
    memory_feed(w);
    multicall_feed(w);
    looks_run(w);
    turns_run(w);
    doors_run(w);
    /* Calls that have just been submitted go out now, without another turn of the loop. */
    upstreams_run(w->client);
    views_sweep(w);
    if (UNLIKELY(atomic_load_explicit(&w->shed, memory_order_relaxed))) {
        atomic_store_explicit(&w->shed, false, memory_order_relaxed);
        worker_free_spare(w);
    }
}

static void *thread_main(void *argument)
{
    struct worker *w = argument;
    while (follow_phase(w)) {
        if (!w->quiet)
            follow_generation(w);
        run_once(w);
    }
    return NULL;
}

void worker_free(struct worker *w)
{
    doors_free(w);
    if (w->client != NULL) {
        views_free(w);
        upstreams_free(w->client);
    }
    if (w->loop != NULL)
        loop_free(w->loop);
    generation_unref(atomic_load(&w->mailbox));
    generation_unref(w->generation);
    worker_free_spare(w);
    free(w);
}

static void init(struct worker *w)
{
    for (size_t i = 0; i < WORKER_REQUEST_STATES; i++)
        list_init(&w->requests_in[i]);
    for (size_t i = 0; i < WORKER_CALL_STATES; i++)
        list_init(&w->calls_in[i]);
    list_init(&w->turns);
    list_init(&w->looks);
    w->looks_due_ms = CLOCK_NEVER;
    list_init(&w->starved);
    list_init(&w->awaiting);
    list_init(&w->pools);
    list_init(&w->views);
    list_init(&w->doors);
    w->wait_due_ms = CLOCK_NEVER;
    w->views_due_ms = CLOCK_NEVER;
    w->probes_due_ms = CLOCK_NEVER;
    w->follow_again_ms = CLOCK_NEVER;
    if (getrandom(&w->next_id, sizeof w->next_id, 0) != (ssize_t)sizeof w->next_id)
        w->next_id = (uint64_t)clock_now_us() * (w->index + 1);
}

static bool open_all(struct worker *w, struct generation *generation)
{
    w->loop = loop_new();
    if (w->loop == NULL)
        return false;
    w->client = upstreams_new(w->loop);
    return follow(w, generation_ref(generation));
}

struct worker *worker_start(struct gateway *g, size_t index, struct generation *generation)
{
    struct worker *w = xcalloc(1, sizeof *w);
    int error;
    w->index = index;
    w->gateway = g;
    g->workers[index] = w;
    init(w);
    if (open_all(w, generation)) {
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

void worker_tell(struct worker *worker, struct generation *generation)
{
    generation_unref(atomic_exchange_explicit(&worker->mailbox, generation_ref(generation),
                                              memory_order_acq_rel));
    loop_wake(worker->loop);
}

unsigned worker_followed(const struct worker *worker)
{
    return atomic_load_explicit(&worker->followed, memory_order_acquire);
}

void worker_wake(struct worker *worker)
{
    loop_wake(worker->loop);
}

void worker_told(struct worker *worker)
{
    atomic_store_explicit(&worker->told, true, memory_order_release);
    loop_wake(worker->loop);
}

void worker_shed(struct worker *worker)
{
    atomic_store_explicit(&worker->shed, true, memory_order_relaxed);
    loop_wake(worker->loop);
}

unsigned worker_turns(const struct worker *worker)
{
    return atomic_load_explicit(&worker->n_turns, memory_order_relaxed);
}

size_t worker_running(const struct worker *worker)
{
    return atomic_load_explicit(&worker->running, memory_order_relaxed);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}
