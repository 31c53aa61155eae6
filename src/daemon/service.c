/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/notify.h"
#include "gateway/generation.h"
#include "gateway/worker.h"
#include "io/listener.h"
#include "io/loop.h"
#include "io/upstream.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

struct service {
    struct config *config;
    struct gateway gateway;
    struct generation *generation;
    struct worker **workers;
    size_t n_workers;
    struct loop *loop; /* the main thread's own */
    struct loop_source signals, idle;
    unsigned stops;         /* how many times we were asked to */
    int64_t phase_until_ms; /* when the phase ends at the latest */
};

static void fill_signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void service_block_signals(void)
{
    sigset_t set;
    fill_signal_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Every connection costs two descriptors, and the soft limit is meant for select(2). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void forbid_core_dumps(void)
{
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
}

static size_t count_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (size_t)CPU_COUNT(&set);
}

static void enter_phase(struct service *s, enum gateway_phase phase, int64_t for_ms)
{
    atomic_store_explicit(&s->gateway.phase, phase, memory_order_relaxed);
    s->phase_until_ms = clock_now_ms() + for_ms;
    for (size_t i = 0; i < s->n_workers; i++)
        worker_wake(s->workers[i]);
}

static bool anything_runs(const struct service *s)
{
    for (size_t i = 0; i < s->n_workers; i++)
        if (worker_running(s->workers[i]) > 0)
            return true;
    return false;
}

static void on_stop_signal(struct service *s, uint32_t number)
{
    s->stops++;
    if (s->stops > 1) {
        log_warn("second %s: ending at once", number == SIGINT ? "SIGINT" : "SIGTERM");
        enter_phase(s, GATEWAY_STOPPING, 0);
        return;
    }
    log_info("stopping: running calls have limits.drain to end");
    notify_send("STOPPING=1\nSTATUS=Draining.");
    enter_phase(s, GATEWAY_LAME_DUCK, s->config->limits.lame_duck);
}

static void on_signal(struct loop_source *source, uint32_t events)
{
    struct service *s = CONTAINER_OF(source, struct service, signals);
    struct signalfd_siginfo info;
    (void)events;
    if (read(source->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        log_warn("SIGHUP: a changed configuration takes effect with a restart");
    else
        on_stop_signal(s, info.ssi_signo);
}

static void on_idle(struct loop_source *source, uint32_t events)
{
    eventfd_t ignored;
    (void)events;
    eventfd_read(source->fd, &ignored);
}

/* The workers have their own descriptors of the sockets, and close them when they see the phase. */
static void close_listeners(struct service *s)
{
    for (size_t i = 0; s->generation != NULL && i < s->generation->n_listeners; i++)
        listener_close(&s->generation->listeners[i].state->listener, true);
}

static void drain(struct service *s)
{
    close_listeners(s);
    enter_phase(s, GATEWAY_DRAINING, s->config->limits.drain);
}

/* Moves from phase to phase as time and running calls tell. False: it is over. */
static bool follow_phase(struct service *s)
{
    bool over = clock_now_ms() >= s->phase_until_ms;
    switch (gateway_phase(&s->gateway)) {
    case GATEWAY_STARTING:
    case GATEWAY_READY:
        return true;
    case GATEWAY_LAME_DUCK:
        if (over)
            drain(s);
        return true;
    case GATEWAY_DRAINING:
        if (over && anything_runs(s))
            log_warn("calls still run after limits.drain: they are cut off");
        return !over && anything_runs(s);
    case GATEWAY_STOPPING:
        break;
    }
    return false;
}

static int64_t next_deadline(struct service *s)
{
    enum gateway_phase phase = gateway_phase(&s->gateway);
    return phase == GATEWAY_LAME_DUCK || phase == GATEWAY_DRAINING ? s->phase_until_ms
                                                                   : CLOCK_NEVER;
}

static bool open_listeners(struct service *s, size_t n_workers)
{
    size_t n = s->config->n_listen;
    struct generation_listener *listeners = xcalloc(n, sizeof *listeners);
    bool good = true;
    size_t n_open = 0;
    for (; good && n_open < n; n_open += good) {
        CLEANUP(free_charp) char *why = NULL;
        struct listener opened;
        good = listener_open(&s->config->listen[n_open], n_workers, &opened, &why);
        if (!good) {
            log_error("%s", why);
            break;
        }
        listeners[n_open].state = listener_state_new(&opened, n_workers);
        listeners[n_open].config = &s->config->listen[n_open];
    }
    s->generation = generation_new(&s->gateway, s->config, NULL, listeners, n_open);
    return good;
}

static bool start_workers(struct service *s, size_t n)
{
    s->workers = xcalloc(n, sizeof(struct worker *));
    for (size_t i = 0; i < n; i++) {
        struct worker *w = worker_start(&s->gateway, i, s->generation);
        if (w == NULL) {
            log_error("worker %zu cannot start: %s", i, strerror(errno));
            return false;
        }
        s->workers[s->n_workers++] = w;
    }
    return true;
}

static bool open_loop(struct service *s)
{
    sigset_t set;
    fill_signal_set(&set);
    s->loop = loop_new();
    s->signals = (struct loop_source){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), on_signal };
    s->idle = (struct loop_source){ eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_idle };
    s->gateway.main_fd = s->idle.fd;
    if (s->loop != NULL && s->signals.fd >= 0 && s->idle.fd >= 0 &&
        loop_add(s->loop, &s->signals, EPOLLIN) && loop_add(s->loop, &s->idle, EPOLLIN))
        return true;
    log_error("cannot wait for signals: %s", strerror(errno));
    return false;
}

static void announce(struct service *s)
{
    for (size_t i = 0; i < s->generation->n_listeners; i++)
        LOG_EVENT(LOG_LEVEL_INFO, "ready",
                  LOG_TEXT("listen", s->generation->listeners[i].state->name),
                  LOG_NUM("workers", (int64_t)s->n_workers),
                  LOG_NUM("upstreams", (int64_t)s->config->n_upstreams));
    notify_send("READY=1\nSTATUS=Serving %zu upstreams.\nMAINPID=%ld", s->config->n_upstreams,
                (long)getpid());
}

static void service_end(struct service *s)
{
    enter_phase(s, GATEWAY_STOPPING, 0);
    for (size_t i = 0; i < s->n_workers; i++)
        worker_join(s->workers[i]);
    for (size_t i = 0; i < s->n_workers; i++)
        worker_free(s->workers[i]);
    close_listeners(s);
    if (s->loop != NULL)
        loop_free(s->loop);
    if (s->signals.fd >= 0)
        close(s->signals.fd);
    if (s->idle.fd >= 0)
        close(s->idle.fd);
    generation_unref(s->generation);
    gateway_done(&s->gateway);
    free(s->workers);
}

int service_run(struct config *config)
{
    struct service s = { .config = config, .signals.fd = -1, .idle.fd = -1 };
    int status = EX_UNAVAILABLE;
    raise_descriptor_limit();
    forbid_core_dumps();
    size_t n_workers = config->workers > 0 ? (size_t)config->workers : count_cpus();
    gateway_init(&s.gateway, n_workers);
    atomic_store(&s.gateway.memory.max, config->limits.memory);
    if (!open_loop(&s) || !upstreams_global_init()) {
        service_end(&s);
        return status;
    }
    if (open_listeners(&s, n_workers) && start_workers(&s, n_workers)) {
        enter_phase(&s, GATEWAY_READY, 0);
        announce(&s);
        while (follow_phase(&s))
            loop_wait(s.loop, next_deadline(&s));
        status = EX_OK;
    }
    service_end(&s);
    upstreams_global_done();
    if (status == EX_OK)
        log_info("stopped");
    return status;
}
