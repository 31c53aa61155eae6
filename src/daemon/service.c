/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/service.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/client.h"
#include "daemon/notify.h"
#include "daemon/service_state.h"
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

/* What the end takes beyond the times that are set, and more. */
#define STOP_SPARE_MS 10000

static void fill_signal_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
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

static size_t count_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (size_t)CPU_COUNT(&set);
}

static void enter_phase(struct service *s, enum phase phase, int64_t for_ms)
{
    atomic_store_explicit(&s->gateway.commons.phase, phase, memory_order_relaxed);
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
        enter_phase(s, PHASE_STOPPING, 0);
        return;
    }
    log_info("stopping: running calls have limits.drain to end");
    const struct limits_config *limits = &s->generation->config->limits;
    /* Longer than it takes at most, whatever the unit's TimeoutStopSec= is. */
    notify_send("STOPPING=1\nSTATUS=Stopping\nEXTEND_TIMEOUT_USEC=%lld",
                (long long)(limits->lame_duck + limits->drain + STOP_SPARE_MS) * 1000);
    enter_phase(s, PHASE_LAME_DUCK, limits->lame_duck);
}

/* SIGUSR1: what calls do, of which one that is stuck is the oldest. */
static void tell_calls(const struct service *s)
{
    int64_t now_ms = clock_now_ms();
    for (unsigned i = CALL_ENDED + 1; i < CALL_STATES; i++) {
        enum call_state state = (enum call_state)i;
        struct calls_in_state calls = client_calls_in(&s->gateway.commons, state);
        struct log_field oldest = calls.oldest_ms == CLOCK_NEVER
                                      ? LOG_TEXT("oldest_ms", NULL)
                                      : LOG_NUM("oldest_ms", now_ms - calls.oldest_ms);
        LOG_EVENT(LOG_LEVEL_INFO, "calls", LOG_TEXT("state", call_state_name(state)),
                  LOG_NUM("n", (int64_t)calls.n), oldest);
    }
}

static void on_signal(struct loop_source *source, uint32_t events)
{
    struct service *s = CONTAINER_OF(source, struct service, signals);
    struct signalfd_siginfo info;
    (void)events;
    if (read(source->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGHUP)
        service_reload(s);
    else if (info.ssi_signo == SIGUSR1)
        tell_calls(s);
    else
        on_stop_signal(s, info.ssi_signo);
}

static void on_news(struct loop_source *source, uint32_t events)
{
    struct service *s = CONTAINER_OF(source, struct service, news);
    eventfd_t ignored;
    (void)events;
    eventfd_read(source->fd, &ignored);
    if (s->generation != NULL && s->n_workers == s->gateway.commons.n_workers)
        service_settle(s);
}

static void drain(struct service *s)
{
    listeners_close(&s->listeners);
    enter_phase(s, PHASE_DRAINING, s->generation->config->limits.drain);
}

/* Moves from phase to phase as time and running calls tell. False: it is over. */
static bool follow_phase(struct service *s)
{
    bool over = clock_now_ms() >= s->phase_until_ms;
    switch (phase_of(&s->gateway.commons)) {
    case PHASE_STARTING:
    case PHASE_READY:
        return true;
    case PHASE_LAME_DUCK:
        if (over && !s->is_settling) /* else endpoints are being opened on the listeners */
            drain(s);
        return true;
    case PHASE_DRAINING:
        if (over && anything_runs(s))
            log_warn("calls still run after limits.drain: they are cut off");
        return !over && anything_runs(s);
    case PHASE_STOPPING:
        break;
    }
    return false;
}

static int64_t next_deadline(const struct service *s)
{
    int64_t deadline = clock_min(s->watchdog.due_ms, s->upkeep.due_ms);
    if (s->stops > 0 && !s->is_settling)
        deadline = clock_min(deadline, s->phase_until_ms);
    return deadline;
}

static void run(struct service *s)
{
    while (follow_phase(s)) {
        loop_wait(s->loop, next_deadline(s));
        watchdog_run(&s->watchdog, s->workers, loop_now_ms(s->loop));
        upkeep_run(&s->upkeep, &s->gateway, s->workers, s->generation, loop_now_ms(s->loop));
    }
}

void service_apply(struct service *s, const struct config *config)
{
    log_configure(config->log.level, config->log.format, s->journald);
    memory_share_set_only(&s->gateway.front.anonymous, config->n_callers == 0);
    commons_set_memory(&s->gateway.commons, (size_t)config->limits.memory);
    kept_set_max(s->gateway.kept, config->limits.cache);
}

/* Without its thread the gateway is of use all the same. */
void service_follow_traces(struct service *s, struct config *config)
{
    if (!traces_follow(&s->gateway.traces, config))
        log_error("spans are not sent: their thread does not start: %s", strerror(errno));
}

static bool open_generation(struct service *s, struct config *config)
{
    struct listener_set listeners;
    if (!listeners_open(&s->listeners, config, &listeners))
        return false;
    s->generation = generation_new(&s->gateway, config, NULL, &listeners);
    listeners_follow(&s->listeners, s->generation);
    service_follow_traces(s, config);
    return true;
}

static bool start_workers(struct service *s)
{
    s->workers = xcalloc(s->gateway.commons.n_workers, sizeof(struct worker *));
    for (size_t i = 0; i < s->gateway.commons.n_workers; i++) {
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
    s->news = (struct loop_source){ eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_news };
    s->gateway.commons.main_fd = s->news.fd;
    if (s->loop != NULL && s->signals.fd >= 0 && s->news.fd >= 0 &&
        loop_add(s->loop, &s->signals, EPOLLIN) && loop_add(s->loop, &s->news, EPOLLIN))
        return true;
    log_error("cannot wait for signals: %s", strerror(errno));
    return false;
}

static void announce(struct service *s)
{
    for (size_t i = 0; i < s->generation->listeners.n; i++)
        LOG_EVENT(LOG_LEVEL_INFO, "ready",
                  LOG_TEXT("listen", s->generation->listeners.items[i].state->listener.name),
                  LOG_NUM("workers", (int64_t)s->n_workers),
                  LOG_NUM("upstreams", (int64_t)s->generation->config->n_upstreams));
    notify_send("READY=1\nMAINPID=%ld", (long)getpid());
}

static void service_end(struct service *s)
{
    enter_phase(s, PHASE_STOPPING, 0);
    for (size_t i = 0; i < s->n_workers; i++)
        worker_join(s->workers[i]);
    for (size_t i = 0; i < s->n_workers; i++)
        worker_free(s->workers[i]);
    traces_stop(&s->gateway.traces);
    refusals_sum_up(&s->gateway.front.strangers, REFUSALS_OF_STRANGERS);
    refusals_sum_up(&s->gateway.front.handshakes, REFUSALS_OF_HANDSHAKES);
    listeners_done(&s->listeners);
    watchdog_done(&s->watchdog);
    if (s->loop != NULL)
        loop_free(s->loop);
    if (s->signals.fd >= 0)
        close(s->signals.fd);
    if (s->news.fd >= 0)
        close(s->news.fd);
    generation_unref(s->generation);
    gateway_done(&s->gateway);
    free(s->workers);
}

static bool open_all(struct service *s, struct config *config)
{
    if (!notify_open()) {
        log_error("cannot tell the service manager anything: %s", strerror(errno));
        return false;
    }
    return open_loop(s) && open_generation(s, config) && start_workers(s);
}

static void serve(struct service *s)
{
    enter_phase(s, PHASE_READY, 0);
    watchdog_init(&s->watchdog, s->workers, s->n_workers);
    upkeep_init(&s->upkeep);
    announce(s);
    run(s);
}

int service_run(struct config *config, const struct service_options *options)
{
    struct service s = {
        .path = options->path,
        .journald = options->journald,
        .signals.fd = -1,
        .news.fd = -1,
    };
    raise_descriptor_limit();
    gateway_init(&s.gateway, config->workers > 0 ? (size_t)config->workers : count_cpus());
    listeners_init(&s.listeners, s.gateway.commons.n_workers);
    service_apply(&s, config);
    bool opened = open_all(&s, config);
    /* The generation has its own: when a reload replaces it, its secrets shall go. */
    config_unref(config);
    if (opened)
        serve(&s);
    service_end(&s);
    upstreams_global_done();
    if (!opened)
        return EX_UNAVAILABLE;
    log_info("stopped");
    return EX_OK;
}
