/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/exposition.h"

#include "base/log.h"
#include "gateway/metric_list.h"
#include "gateway/process.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum metric {
#define X(word, name, type, help) METRIC_##word,
    METRIC_LIST(X)
#undef X
};

static const struct {
    const char *name, *type, *help;
} rows[] = {
#define X(word, name, type, help) { name, type, help },
    METRIC_LIST(X)
#undef X
};

static const char *const bounds[METRICS_BUCKETS] = {
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25",   "0.5",   "1",      "2.5",   "5",    "10",    "30",   "+Inf"
};

/* Lines are short but for labels, which are written by themselves. */
static void add(struct chain *to, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct chain *to, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    chain_append(to, (struct str){ text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 });
}

static void begin(struct chain *to, enum metric metric)
{
    chain_append_c(to, "# HELP ");
    chain_append_c(to, rows[metric].name);
    chain_append_c(to, " ");
    chain_append_c(to, rows[metric].help);
    add(to, "\n# TYPE %s %s\n", rows[metric].name, rows[metric].type);
}

static void add_plain(struct chain *to, enum metric metric, double value)
{
    begin(to, metric);
    add(to, "%s %.15g\n", rows[metric].name, value);
}

static void add_label(struct chain *to, const char *name, const char *value)
{
    chain_append_c(to, name);
    chain_append_c(to, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            chain_append_byte(to, '\\');
        chain_append_byte(to, *value);
    }
    chain_append_byte(to, '"');
}

static const char *upstream_name(const struct gateway *g, size_t upstream)
{
    return upstream < g->n_upstreams ? g->upstreams[upstream]->config->name : "";
}

static const char *method_name(struct gateway *g, size_t upstream, size_t method)
{
    if (upstream == g->n_upstreams)
        return "";
    if (method == METHOD_OTHER)
        return "other";
    return atomic_load(&g->upstreams[upstream]->methods.names[method]);
}

static uint64_t sum_outcome(const struct gateway *g, size_t upstream, size_t method, size_t outcome)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < g->n_workers; w++) {
        struct upstream_metrics *u = &g->metrics[w]->upstreams[upstream];
        atomic_ullong *row = atomic_load_explicit(&u->outcomes[method], memory_order_acquire);
        if (row != NULL)
            sum += atomic_load_explicit(&row[outcome], memory_order_relaxed);
    }
    return sum;
}

static void add_requests_of(struct gateway *g, size_t upstream, size_t method, struct chain *to)
{
    for (size_t outcome = 0; outcome < METRICS_OUTCOMES; outcome++) {
        uint64_t n = sum_outcome(g, upstream, method, outcome);
        if (n == 0)
            continue;
        add(to, "%s{", rows[METRIC_REQUESTS].name);
        add_label(to, "upstream", upstream_name(g, upstream));
        chain_append_byte(to, ',');
        add_label(to, "method", method_name(g, upstream, method));
        add(to, ",outcome=\"%s\"} %" PRIu64 "\n",
            outcome == 0 ? "ok" : problem_info((enum problem_type)(outcome - 1))->name, n);
    }
}

static void add_requests(struct gateway *g, struct chain *to)
{
    begin(to, METRIC_REQUESTS);
    for (size_t u = 0; u <= g->n_upstreams; u++)
        for (size_t method = 0; method <= METHOD_OTHER; method++)
            add_requests_of(g, u, method, to);
}

static void add_histogram(struct gateway *g, enum metric metric, size_t offset, struct chain *to)
{
    begin(to, metric);
    for (size_t u = 0; u < g->n_upstreams; u++) {
        const char *upstream = upstream_name(g, u), *name = rows[metric].name;
        uint64_t n = 0, sum_us = 0;
        for (size_t bucket = 0; bucket < METRICS_BUCKETS; bucket++) {
            for (size_t w = 0; w < g->n_workers; w++) {
                char *of = (char *)&g->metrics[w]->upstreams[u] + offset;
                struct histogram *h = (struct histogram *)(void *)of;
                n += atomic_load_explicit(&h->buckets[bucket], memory_order_relaxed);
                if (bucket == 0)
                    sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
            }
            add(to, "%s_bucket{upstream=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, upstream,
                bounds[bucket], n);
        }
        add(to, "%s_sum{upstream=\"%s\"} %.15g\n", name, upstream, (double)sum_us / 1e6);
        add(to, "%s_count{upstream=\"%s\"} %" PRIu64 "\n", name, upstream, n);
    }
}

static void add_upstreams(struct gateway *g, struct chain *to)
{
    static const char *const states[] = { "closed", "open", "probing" };
    begin(to, METRIC_UPSTREAM_CONNECTIONS);
    for (size_t u = 0; u < g->n_upstreams; u++) {
        const struct permits *permits = &g->upstreams[u]->permits;
        const char *name = rows[METRIC_UPSTREAM_CONNECTIONS].name;
        add(to, "%s{upstream=\"%s\",state=\"active\"} %u\n", name, upstream_name(g, u),
            permits_out(permits));
        add(to, "%s{upstream=\"%s\",state=\"waiting\"} %u\n", name, upstream_name(g, u),
            permits_waiting(permits));
    }
    begin(to, METRIC_UPSTREAM_UP);
    for (size_t u = 0; u < g->n_upstreams; u++)
        add(to, "%s{upstream=\"%s\"} %d\n", rows[METRIC_UPSTREAM_UP].name, upstream_name(g, u),
            upstream_state_health(g->upstreams[u]) != UPSTREAM_DOWN);
    begin(to, METRIC_BREAKER_STATE);
    for (size_t u = 0; u < g->n_upstreams; u++)
        for (unsigned state = 0; state < ARRAY_LEN(states); state++)
            add(to, "%s{upstream=\"%s\",state=\"%s\"} %d\n", rows[METRIC_BREAKER_STATE].name,
                upstream_name(g, u), states[state],
                (unsigned)breaker_state(&g->upstreams[u]->breaker) == state);
    begin(to, METRIC_RETRIES);
    for (size_t u = 0; u < g->n_upstreams; u++) {
        uint64_t n = 0;
        for (size_t w = 0; w < g->n_workers; w++)
            n += atomic_load_explicit(&g->metrics[w]->upstreams[u].retries, memory_order_relaxed);
        add(to, "%s{upstream=\"%s\"} %" PRIu64 "\n", rows[METRIC_RETRIES].name,
            upstream_name(g, u), n);
    }
}

static void add_connections(struct gateway *g, struct chain *to)
{
    begin(to, METRIC_CONNECTIONS);
    for (size_t i = 0; i < g->n_listeners; i++) {
        size_t n = 0;
        for (size_t w = 0; w < g->n_workers; w++)
            n += atomic_load_explicit(&g->metrics[w]->connections[i], memory_order_relaxed);
        add(to, "%s{", rows[METRIC_CONNECTIONS].name);
        add_label(to, "listener", g->listener_names[i]);
        add(to, "} %zu\n", n);
    }
}

static void add_process(struct chain *to)
{
    struct process_numbers p = process_numbers();
    add_plain(to, METRIC_CPU, p.cpu_seconds);
    add_plain(to, METRIC_RESIDENT, p.resident_bytes);
    add_plain(to, METRIC_OPEN_FDS, p.open_fds);
    add_plain(to, METRIC_MAX_FDS, p.max_fds);
    add_plain(to, METRIC_START_TIME, p.start_seconds);
}

void exposition_write(struct gateway *g, struct chain *to)
{
    add_requests(g, to);
    add_histogram(g, METRIC_REQUEST_DURATION, offsetof(struct upstream_metrics, request), to);
    add_histogram(g, METRIC_UPSTREAM_DURATION, offsetof(struct upstream_metrics, upstream), to);
    add_histogram(g, METRIC_QUEUE_DURATION, offsetof(struct upstream_metrics, queue), to);
    add_upstreams(g, to);
    add_connections(g, to);
    add_plain(to, METRIC_MEMORY, (double)atomic_load(&g->memory.used));
    add_plain(to, METRIC_LOG_DROPPED, (double)log_dropped());
    begin(to, METRIC_BUILD_INFO);
    add(to, "%s{version=\"%s\"} 1\n", rows[METRIC_BUILD_INFO].name, RPCGATE_VERSION);
    add_process(to);
}
