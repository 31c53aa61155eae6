/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: the numbers of all workers in Prometheus' text format, version 0.0.4. */
#include "base/log.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/session_store.h"
#include "client/traces.h"
#include "front/endpoint.h"
#include "front/form.h"
#include "front/metric_list.h"
#include "front/request.h"
#include "front/task.h"
#include "work/process.h"

#include <assert.h>
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

/* Lines for so many upstreams are written before others have their turn. */
#define UPSTREAMS_STEP 256

static const char *const bounds[METRICS_BUCKETS] = { "0.0005", "0.001", "0.0025", "0.005",
                                                     "0.01",   "0.025", "0.05",   "0.1",
                                                     "0.25",   "0.5",   "1",      "2.5",
                                                     "5",      "10",    "30",     "+Inf" };

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

static const char *method_name(const struct upstream_record *record, size_t method)
{
    if (record->name[0] == '\0')
        return "";
    if (method == METHOD_OTHER)
        return "other";
    return atomic_load(&record->methods.names[method]);
}

static uint64_t sum_outcome(const struct upstream_record *record, size_t method, size_t outcome)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < record->n_workers; w++) {
        atomic_ullong *row =
            atomic_load_explicit(&record->by_worker[w].outcomes[method], memory_order_acquire);
        if (row != NULL)
            sum += atomic_load_explicit(&row[outcome], memory_order_relaxed);
    }
    return sum;
}

static bool is_counted(const struct upstream_record *record, size_t method)
{
    for (size_t w = 0; w < record->n_workers; w++)
        if (atomic_load_explicit(&record->by_worker[w].outcomes[method], memory_order_acquire) !=
            NULL)
            return true;
    return false;
}

static void add_method(const struct upstream_record *record, size_t method, struct chain *to)
{
    for (size_t outcome = 0; outcome < METRICS_OUTCOMES; outcome++) {
        uint64_t n = sum_outcome(record, method, outcome);
        if (n == 0)
            continue;
        add(to, "%s{", rows[METRIC_REQUESTS].name);
        add_label(to, "upstream", record->name);
        chain_append_byte(to, ',');
        add_label(to, "method", method_name(record, method));
        add(to, ",outcome=\"%s\"} %" PRIu64 "\n",
            outcome == 0 ? "ok" : problem_info((enum problem_type)(outcome - 1))->name, n);
    }
}

static void add_requests_of(const struct upstream_record *record, struct chain *to)
{
    for (size_t method = 0; method <= METHOD_OTHER; method++)
        if (is_counted(record, method))
            add_method(record, method, to);
}

static void add_requests(struct upstream_state *upstream, struct chain *to)
{
    add_requests_of(upstream->record, to);
}

static void add_faces(struct upstream_state *upstream, struct chain *to)
{
    static const char *const names[] = {
#define X(word, name) name,
        FACE_LIST(X)
#undef X
    };
    const struct upstream_record *record = upstream->record;
    static_assert(ARRAY_LEN(names) == METRICS_FACES, "a number for each face");
    for (size_t face = 0; face < METRICS_FACES; face++) {
        unsigned long long n = 0;
        for (size_t w = 0; w < record->n_workers; w++)
            n += atomic_load_explicit(&record->by_worker[w].faces[face], memory_order_relaxed);
        if (n > 0)
            add(to, "%s{upstream=\"%s\",face=\"%s\"} %llu\n", rows[METRIC_FACE_REQUESTS].name,
                record->name, names[face], n);
    }
}

static void add_histogram_of(const struct upstream_record *record, enum metric metric,
                             size_t offset, struct chain *to)
{
    const char *name = rows[metric].name;
    uint64_t n = 0, sum_us = 0;
    for (size_t bucket = 0; bucket < METRICS_BUCKETS; bucket++) {
        for (size_t w = 0; w < record->n_workers; w++) {
            const char *of = (const char *)&record->by_worker[w] + offset;
            const struct histogram *h = (const struct histogram *)(const void *)of;
            n += atomic_load_explicit(&h->buckets[bucket], memory_order_relaxed);
            if (bucket == 0)
                sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
        }
        add(to, "%s_bucket{upstream=\"%s\",le=\"%s\"} %" PRIu64 "\n", name, record->name,
            bounds[bucket], n);
    }
    add(to, "%s_sum{upstream=\"%s\"} %.15g\n", name, record->name, (double)sum_us / 1e6);
    add(to, "%s_count{upstream=\"%s\"} %" PRIu64 "\n", name, record->name, n);
}

#define HISTOGRAM(field, metric)                                                                   \
    static void add_##field(struct upstream_state *upstream, struct chain *to)                     \
    {                                                                                              \
        add_histogram_of(upstream->record, metric, offsetof(struct upstream_metrics, field), to);  \
    }
HISTOGRAM(request, METRIC_REQUEST_DURATION)
HISTOGRAM(upstream, METRIC_UPSTREAM_DURATION)
HISTOGRAM(queue, METRIC_QUEUE_DURATION)

static void add_connections_of(struct upstream_state *upstream, struct chain *to)
{
    const char *name = rows[METRIC_UPSTREAM_CONNECTIONS].name;
    add(to, "%s{upstream=\"%s\",state=\"active\"} %u\n", name, upstream->config->name,
        slots_out(&upstream->slots));
    add(to, "%s{upstream=\"%s\",state=\"waiting\"} %u\n", name, upstream->config->name,
        slots_waiting(&upstream->slots));
}

static void add_up(struct upstream_state *upstream, struct chain *to)
{
    add(to, "%s{upstream=\"%s\"} %d\n", rows[METRIC_UPSTREAM_UP].name, upstream->config->name,
        upstream_state_health(upstream) != UPSTREAM_DOWN);
}

static void add_urls(struct upstream_state *upstream, struct chain *to)
{
    size_t n = upstream_state_targets(upstream);
    for (size_t i = 0; n > 1 && i < n; i++) {
        add(to, "%s{upstream=\"%s\",", rows[METRIC_URL_UP].name, upstream->config->name);
        add_label(to, "url", upstream->config->targets[i].shown);
        add(to, "} %d\n", upstream_state_target_is_up(upstream, i));
    }
}

static void add_breaker(struct upstream_state *upstream, struct chain *to)
{
    static const char *const states[] = { "closed", "open", "probing" };
    unsigned is = (unsigned)breaker_state(&upstream->breaker);
    for (unsigned state = 0; state < ARRAY_LEN(states); state++)
        add(to, "%s{upstream=\"%s\",state=\"%s\"} %d\n", rows[METRIC_BREAKER_STATE].name,
            upstream->config->name, states[state], is == state);
}

static void add_retries(struct upstream_state *upstream, struct chain *to)
{
    const struct upstream_record *record = upstream->record;
    uint64_t n = 0;
    for (size_t w = 0; w < record->n_workers; w++)
        n += atomic_load_explicit(&record->by_worker[w].retries, memory_order_relaxed);
    add(to, "%s{upstream=\"%s\"} %" PRIu64 "\n", rows[METRIC_RETRIES].name, upstream->config->name,
        n);
}

static void add_kept(struct upstream_state *upstream, struct chain *to)
{
    uint64_t n[KEPT_RESULTS], all = 0;
    for (size_t i = 0; i < KEPT_RESULTS; i++)
        all += n[i] = kept_counted(&upstream->kept, (enum kept_result)i);
    for (size_t i = 0; i < KEPT_RESULTS && (all > 0 || upstream->config->cache.present); i++)
        add(to, "%s{upstream=\"%s\",result=\"%s\"} %" PRIu64 "\n", rows[METRIC_CACHE].name,
            upstream->config->name, kept_result_name((enum kept_result)i), n[i]);
}

static void add_joins(struct upstream_state *upstream, struct chain *to)
{
    if (upstream->config->join.present)
        add(to, "%s{upstream=\"%s\"} %llu\n", rows[METRIC_JOINS].name, upstream->config->name,
            atomic_load(&upstream->joins));
}

static void add_joined_calls(struct upstream_state *upstream, struct chain *to)
{
    if (upstream->config->join.present)
        add(to, "%s{upstream=\"%s\"} %llu\n", rows[METRIC_JOINED_CALLS].name,
            upstream->config->name, atomic_load(&upstream->joined_calls));
}

static void add_logins(struct upstream_state *upstream, struct chain *to)
{
    static const char *const results[LOGIN_RESULTS] = { "ok", "refused", "failed" };
    for (size_t i = 0; i < LOGIN_RESULTS && upstream->sessions != NULL; i++)
        add(to, "%s{upstream=\"%s\",result=\"%s\"} %llu\n", rows[METRIC_SESSION_LOGINS].name,
            upstream->config->name, results[i], atomic_load(&upstream->record->logins[i]));
}

static void add_expired(struct upstream_state *upstream, struct chain *to)
{
    if (upstream->sessions != NULL)
        add(to, "%s{upstream=\"%s\"} %llu\n", rows[METRIC_SESSION_EXPIRED].name,
            upstream->config->name, atomic_load(&upstream->record->sessions_expired));
}

static void add_active(struct upstream_state *upstream, struct chain *to)
{
    if (upstream->sessions != NULL)
        add(to, "%s{upstream=\"%s\"} %zu\n", rows[METRIC_SESSION_ACTIVE].name,
            upstream->config->name, session_store_active(upstream->sessions));
}

/* Those with lines for each upstream. */
static const struct {
    enum metric metric;
    void (*add)(struct upstream_state *upstream, struct chain *to);
} families[] = {
    { METRIC_REQUESTS, add_requests },
    { METRIC_FACE_REQUESTS, add_faces },
    { METRIC_REQUEST_DURATION, add_request },
    { METRIC_UPSTREAM_DURATION, add_upstream },
    { METRIC_QUEUE_DURATION, add_queue },
    { METRIC_UPSTREAM_CONNECTIONS, add_connections_of },
    { METRIC_UPSTREAM_UP, add_up },
    { METRIC_URL_UP, add_urls },
    { METRIC_BREAKER_STATE, add_breaker },
    { METRIC_RETRIES, add_retries },
    { METRIC_CACHE, add_kept },
    { METRIC_JOINS, add_joins },
    { METRIC_JOINED_CALLS, add_joined_calls },
    { METRIC_SESSION_LOGINS, add_logins },
    { METRIC_SESSION_EXPIRED, add_expired },
    { METRIC_SESSION_ACTIVE, add_active },
};

static void add_calls(const struct commons *commons, struct chain *to)
{
    begin(to, METRIC_CALLS);
    for (unsigned i = CALL_ENDED + 1; i < CALL_STATES; i++)
        add(to, "%s{state=\"%s\"} %zu\n", rows[METRIC_CALLS].name,
            call_state_name((enum call_state)i), client_calls_in(commons, (enum call_state)i).n);
}

static void add_reloads(struct front_commons *shared, struct chain *to)
{
    const char *name = rows[METRIC_RELOADS].name;
    begin(to, METRIC_RELOADS);
    add(to, "%s{result=\"success\"} %u\n", name, atomic_load(&shared->reloads_good));
    add(to, "%s{result=\"failure\"} %u\n", name, atomic_load(&shared->reloads_bad));
    add_plain(to, METRIC_LAST_RELOAD, atomic_load(&shared->last_reload_bad) ? 0 : 1);
}

static void add_connections(const struct listener_set *listeners, size_t n_workers,
                            struct chain *to)
{
    begin(to, METRIC_CONNECTIONS);
    for (size_t i = 0; i < listeners->n; i++) {
        const struct listener_state *l = listeners->items[i].state;
        size_t n = 0;
        for (size_t w = 0; w < n_workers; w++)
            n += atomic_load_explicit(&l->connections[w], memory_order_relaxed);
        add(to, "%s{", rows[METRIC_CONNECTIONS].name);
        add_label(to, "listener", l->listener.name);
        add(to, "} %zu\n", n);
    }
}

static void add_handshakes(const struct listener_set *listeners, struct chain *to)
{
    begin(to, METRIC_HANDSHAKES_FAILED);
    for (size_t i = 0; i < listeners->n; i++) {
        const struct open_listener *at = &listeners->items[i];
        if (!at->config->tls.present)
            continue;
        add(to, "%s{", rows[METRIC_HANDSHAKES_FAILED].name);
        add_label(to, "listener", at->state->listener.name);
        add(to, "} %llu\n", atomic_load(&at->state->handshakes_failed));
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

static void add_traces(struct traces *t, struct chain *to)
{
    const char *spans = rows[METRIC_TRACE_SPANS].name, *exports = rows[METRIC_TRACE_EXPORTS].name;
    begin(to, METRIC_TRACE_SPANS);
    add(to, "%s{result=\"sent\"} %llu\n", spans, atomic_load(&t->sent));
    add(to, "%s{result=\"dropped\"} %llu\n", spans, atomic_load(&t->dropped));
    begin(to, METRIC_TRACE_EXPORTS);
    add(to, "%s{result=\"success\"} %llu\n", exports, atomic_load(&t->exports_good));
    add(to, "%s{result=\"failure\"} %llu\n", exports, atomic_load(&t->exports_failed));
}

static void add_others(const struct front *front, struct chain *to)
{
    const struct commons *commons = front->work->commons;
    add_calls(commons, to);
    add_reloads(front->shared, to);
    add_connections(front->listeners, commons->n_workers, to);
    add_handshakes(front->listeners, to);
    add_plain(to, METRIC_CACHE_BYTES, (double)kept_bytes(front->client->kept));
    add_plain(to, METRIC_MEMORY, (double)atomic_load(&commons->memory.used));
    add_plain(to, METRIC_LOG_DROPPED, (double)log_dropped());
    add_traces(front->client->traces, to);
    begin(to, METRIC_BUILD_INFO);
    add(to, "%s{version=\"%s\"} 1\n", rows[METRIC_BUILD_INFO].name, RPCGATE_VERSION);
    add_process(to);
}

/* The next upstream's lines of the family. Upstreams that left the configuration are not shown, and
 * so their number is bounded. */
static void add_next(struct request *r)
{
    struct exposition *e = &r->exposition;
    if (e->upstream == 0)
        begin(&r->reply, families[e->family].metric);
    if (e->upstream < r->site->config->n_upstreams) {
        families[e->family].add(r->site->pools[e->upstream++]->shared, &r->reply);
        return;
    }
    if (families[e->family].metric == METRIC_REQUESTS)
        add_requests_of(r->front->shared->no_upstream, &r->reply);
    e->family++;
    e->upstream = 0;
}

static void write_metrics(struct turn *turn)
{
    struct request *r = CONTAINER_OF(turn, struct request, exposition.turn);
    for (size_t n = 0; n < UPSTREAMS_STEP && r->exposition.family < ARRAY_LEN(families); n++)
        add_next(r);
    if (r->exposition.family < ARRAY_LEN(families)) {
        turn_ask(r->front->work, turn);
        return;
    }
    add_others(r->front, &r->reply);
    request_succeed(r, 200);
}

static void begin_metrics(struct request *r)
{
    endpoints_count(r->front); /* this one's connection is new, perhaps */
    list_init(&r->exposition.turn.in_turns);
    r->exposition.turn.take = write_metrics;
    request_enter(r, REQUEST_WORKING);
    write_metrics(&r->exposition.turn);
}

static void drop_metrics(struct request *r)
{
    list_remove(&r->exposition.turn.in_turns);
}

const struct form form_exposition = { .content_type = "text/plain; version=0.0.4; charset=utf-8" };

const struct task task_metrics = { .begin = begin_metrics, .drop = drop_metrics };
