/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP: the configuration is read again, all or nothing. */
#include "daemon/service_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "config/indexes.h"
#include "daemon/notify.h"

#include <limits.h>
#include <stdio.h>

static struct config *read_again(struct service *s)
{
    struct config_report report;
    config_report_init(&report);
    struct config *config =
        config_read_path(s->path, &(struct config_read_options){ .testing = false }, &report);
    log_lines(LOG_LEVEL_WARN, buf_c(&report.warnings));
    log_lines(LOG_LEVEL_ERROR, buf_c(&report.errors));
    config_report_done(&report);
    return config;
}

static void warn_of_restart(const struct service *s, const struct config *config)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)config->workers);
    if (config->workers != s->generation->config->workers && config->workers != 0 &&
        (size_t)config->workers != s->n_workers)
        log_warn("workers = %s takes effect with a restart; until then there are %zu",
                 origin_told(&config->origins[MAIN_workers], number), s->n_workers);
}

/* The new generation, or NULL. */
static struct generation *make(struct service *s)
{
    struct listener_set listeners;
    struct generation *generation = NULL;
    struct config *config = read_again(s);
    if (config != NULL && listeners_open(&s->listeners, config, &listeners))
        generation = generation_new(&s->gateway, config, s->generation, &listeners);
    config_unref(config);
    return generation;
}

static void publish(struct service *s, struct generation *generation)
{
    warn_of_restart(s, generation->config);
    listeners_follow(&s->listeners, generation);
    /* At once, so that the workers, which have descriptors of their own, take in who waits there
     * and are the last to close them. */
    if (!s->is_settling)
        listeners_sweep(&s->listeners, generation->number);
    service_apply(s, generation->config);
    service_follow_traces(s, generation->config);
    generation_unref(s->generation);
    s->generation = generation;
    s->is_settling = true;
    for (size_t i = 0; i < s->n_workers; i++)
        worker_tell(s->workers[i], generation);
}

void service_reload(struct service *s)
{
    if (s->stops > 0) {
        log_warn("SIGHUP while stopping: the configuration is not read again");
        return;
    }
    if (s->path == NULL) {
        log_warn("SIGHUP: there is no configuration file that could be read again");
        return;
    }
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_now_us());
    struct generation *generation = make(s);
    atomic_store(&s->gateway.front.last_reload_bad, generation == NULL);
    if (generation != NULL) {
        atomic_fetch_add(&s->gateway.front.reloads_good, 1);
        publish(s, generation);
        return;
    }
    atomic_fetch_add(&s->gateway.front.reloads_bad, 1);
    log_error("the configuration is not reloaded; what was in force stays");
    if (!s->is_settling)
        notify_send("READY=1");
}

void service_settle(struct service *s)
{
    unsigned followed = UINT_MAX;
    for (size_t i = 0; i < s->n_workers; i++) {
        unsigned number = worker_followed(s->workers[i]);
        followed = number < followed ? number : followed;
    }
    listeners_sweep(&s->listeners, followed);
    if (!s->is_settling || followed < s->generation->number)
        return;
    s->is_settling = false;
    LOG_EVENT(LOG_LEVEL_INFO, "configuration reloaded",
              LOG_NUM("upstreams", (int64_t)s->generation->config->n_upstreams),
              LOG_NUM("changed", (int64_t)s->generation->n_changed),
              LOG_NUM("listeners", (int64_t)s->generation->listeners.n));
    notify_send("READY=1");
}
