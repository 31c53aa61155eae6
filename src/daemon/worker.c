/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/worker.h"

#include "base/alloc.h"
#include "base/chain.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/client.h"
#include "client/join.h"
#include "client/pool.h"
#include "client/probe.h"
#include "client/site.h"
#include "front/endpoint.h"
#include "front/front.h"
#include "io/transports.h"
#include "work/memory.h"
#include "work/once.h"
#include "work/turn.h"
#include "work/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How long replies that are made at the very end may take to be sent. */
#define FLUSH_MS 1000

/* When a listener that could not be served is tried again. */
#define FOLLOW_AGAIN_MS 1000

struct worker {
    struct work work;
    struct client client;
    struct front front;
    _Atomic(struct generation *) mailbox; /* the newest that it was not told of yet; NULL: none */
    struct generation *generation;        /* the newest */
    atomic_uint followed;                 /* number of the newest that all is done for */
    struct timer follow_again;            /* set: not all is done for the newest */
    atomic_uint n_turns;                  /* of the loop; for the watchdog */
    struct timer flushed; /* the end of the end: replies still on their way are waited for */
    bool is_flushing, is_over;
    pthread_t thread;
};

static int64_t next_deadline(struct worker *w)
{
    if (!list_empty(&w->work.turns) || !list_empty(&w->client.joins))
        return 0;
    int64_t deadline = clock_min(client_deadline_ms(&w->client), endpoints_deadline_ms(&w->front));
    return clock_min(deadline, timers_deadline_ms(&w->work));
}

/* Opens and closes what the newest generation asks for. Once the service stops what cannot be
 * opened is not waited for. */
static bool follow_listeners(struct worker *w)
{
    struct generation *generation = w->generation;
    timer_stop(&w->work, &w->follow_again);
    if (!endpoints_follow(&w->front, generation->config, &generation->listeners) &&
        phase_of(w->work.commons) <= PHASE_READY) {
        timer_set(&w->work, &w->follow_again, clock_now_ms() + FOLLOW_AGAIN_MS);
        return false;
    }
    atomic_store_explicit(&w->followed, generation->number, memory_order_release);
    return true;
}

/* Takes a reference that was the caller's. */
static bool follow(struct worker *w, struct generation *generation)
{
    struct generation *before = w->generation;
    w->generation = generation;
    front_follow(&w->front, generation->config, generation->upstreams, generation->callers);
    probes_follow(&w->client);
    bool good = follow_listeners(w);
    generation_unref(before);
    return good;
}

static void tell_followed(const struct worker *w, bool good)
{
    if (!good)
        log_error("worker %zu cannot serve all listeners: %s; it will be tried again",
                  w->work.index, strerror(errno));
    eventfd_write(w->work.commons->main_fd, 1);
}

/* Looks for a new generation. */
static void follow_generation(struct worker *w)
{
    struct generation *news = NULL;
    if (UNLIKELY(atomic_load_explicit(&w->mailbox, memory_order_relaxed) != NULL))
        news = atomic_exchange_explicit(&w->mailbox, NULL, memory_order_acquire);
    if (UNLIKELY(news != NULL))
        tell_followed(w, follow(w, news));
}

static void on_follow_again(struct timer *timer)
{
    struct worker *w = CONTAINER_OF(timer, struct worker, follow_again);
    if (!w->work.quiet)
        tell_followed(w, follow_listeners(w));
}

static void on_flushed(struct timer *timer)
{
    CONTAINER_OF(timer, struct worker, flushed)->is_over = true;
}

/* Does what the service's phase asks for. False: the worker is at its end. */
static bool follow_phase(struct worker *w)
{
    enum phase phase = phase_of(w->work.commons);
    if (phase < PHASE_DRAINING)
        return true;
    if (!w->work.quiet)
        endpoints_close(&w->front);
    w->work.quiet = true;
    if (phase == PHASE_DRAINING) {
        if (worker_running(w) == 0)
            eventfd_write(w->work.commons->main_fd, 1);
        return true;
    }
    client_cut_off(&w->client);
    front_cut_off(&w->front);
    sites_leave(&w->client);
    if (!w->is_flushing)
        timer_set(&w->work, &w->flushed, clock_now_ms() + FLUSH_MS);
    w->is_flushing = true;
    return (front_is_busy(&w->front) && !w->is_over) || w->client.n_leaving > 0;
}

static void run_once(struct worker *w)
{
    loop_wait(w->work.loop, next_deadline(w));
    atomic_fetch_add_explicit(&w->n_turns, 1, memory_order_relaxed);
    transport_run(w->client.transport);
    pools_run(&w->client);
    timers_run(&w->work);
    if (work_was_told(&w->work, NEWS_YIELD))
        memory_yield(&w->work);
    if (work_was_told(&w->work, NEWS_ROOM))
        memory_feed(&w->work);
    if (work_was_told(&w->work, NEWS_MADE))
        once_feed(&w->work);
    turns_run(&w->work);
    endpoints_run(&w->front);
    joins_run(&w->client);
    /* Calls that have just been submitted go out now, without another turn of the loop. */
    transport_run(w->client.transport);
    if (work_was_told(&w->work, NEWS_TRIM)) {
        work_free_spare(&w->work);
        client_free_spare(&w->client);
        front_free_spare(&w->front);
        chain_free_spare();
    }
}

static void *thread_main(void *argument)
{
    struct worker *w = argument;
    while (follow_phase(w)) {
        if (!w->work.quiet)
            follow_generation(w);
        run_once(w);
    }
    chain_free_spare();
    return NULL;
}

void worker_free(struct worker *w)
{
    front_done(&w->front);
    client_done(&w->client);
    work_done(&w->work);
    generation_unref(atomic_load(&w->mailbox));
    generation_unref(w->generation);
    free(w);
}

static bool open_all(struct worker *w, struct gateway *g, size_t index,
                     struct generation *generation)
{
    if (!work_init(&w->work, &g->commons, index))
        return false;
    client_init(&w->client, &w->work, transports_new(w->work.loop));
    w->client.kept = g->kept;
    w->client.traces = &g->traces;
    w->client.joins_calls = true;
    front_init(&w->front, &w->work, &w->client, &g->front);
    return follow(w, generation_ref(generation));
}

struct worker *worker_start(struct gateway *g, size_t index, struct generation *generation)
{
    struct worker *w = xcalloc(1, sizeof *w);
    int error;
    w->follow_again.fire = on_follow_again;
    w->flushed.fire = on_flushed;
    if (open_all(w, g, index, generation)) {
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
    work_wake(&worker->work);
}

unsigned worker_followed(const struct worker *worker)
{
    return atomic_load_explicit(&worker->followed, memory_order_acquire);
}

void worker_wake(struct worker *worker)
{
    work_wake(&worker->work);
}

void worker_trim(struct worker *worker)
{
    work_tell(&worker->work, NEWS_TRIM);
}

unsigned worker_turns(const struct worker *worker)
{
    return atomic_load_explicit(&worker->n_turns, memory_order_relaxed);
}

size_t worker_running(const struct worker *worker)
{
    return atomic_load_explicit(&worker->front.running, memory_order_relaxed);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}
