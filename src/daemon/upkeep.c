/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upkeep.h"

#include "daemon/gateway.h"
#include "daemon/generation.h"
#include "daemon/notify.h"
#include "daemon/worker.h"
#include "work/process.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <string.h>

#define EVERY_MS 3000

/* Memory is given back when so much more is held than after the last time, */
#define TRIM_BYTES (8.0 * 1024 * 1024)

/* and hardly any of it is in use: a trim holds up whoever allocates meanwhile. */
#define TRIM_USED_BYTES ((size_t)1024 * 1024)

static size_t count_running(struct worker *const *workers, size_t n_workers)
{
    size_t n = 0;
    for (size_t i = 0; i < n_workers; i++)
        n += worker_running(workers[i]);
    return n;
}

/* Appends what fits. */
static void add(char to[UPKEEP_STATUS], const char *text)
{
    size_t len = strlen(to);
    snprintf(to + len, UPKEEP_STATUS - len, "%s", text);
}

/* "12 calls in flight; upstreams down: a, b" */
static void write_status(const struct gateway *g, const struct generation *generation,
                         size_t n_running, char to[UPKEEP_STATUS])
{
    size_t n_down = 0;
    snprintf(to, UPKEEP_STATUS, "%s%zu %s in flight",
             phase_of(&g->commons) > PHASE_READY ? "Stopping: " : "", n_running,
             n_running == 1 ? "call" : "calls");
    for (size_t i = 0; i < generation->config->n_upstreams; i++) {
        const char *name = generation->config->upstreams[i].name;
        if (upstream_state_health(generation->upstreams[i]) != UPSTREAM_DOWN)
            continue;
        add(to, n_down++ == 0 ? "; upstreams down: " : ", ");
        if (strlen(to) + strlen(name) + strlen(", …") >= UPKEEP_STATUS) {
            add(to, "…");
            break;
        }
        add(to, name);
    }
    if (atomic_load_explicit(&g->front.last_reload_bad, memory_order_relaxed))
        add(to, "; the last reload failed");
}

static void tell_status(struct upkeep *u, const struct gateway *g,
                        const struct generation *generation, size_t n_running)
{
    char status[UPKEEP_STATUS];
    write_status(g, generation, n_running, status);
    if (strcmp(status, u->status) == 0)
        return;
    memcpy(u->status, status, sizeof status);
    notify_send("STATUS=%s", status);
}

static size_t count_connections(const struct generation *generation, size_t n_workers)
{
    size_t n = 0;
    for (size_t i = 0; i < generation->listeners.n; i++)
        for (size_t w = 0; w < n_workers; w++)
            n += atomic_load_explicit(&generation->listeners.items[i].state->connections[w],
                                      memory_order_relaxed);
    return n;
}

/* More is resident than after the last time; or that was amid many connections, most of which have
 * ended. */
static bool is_worth_while(const struct upkeep *u, size_t n_connections)
{
    return process_numbers().resident_bytes > u->trimmed_bytes + TRIM_BYTES ||
           n_connections < u->trim_connections / 2;
}

/* After a burst: first the workers free what they have kept of it, then the C library gives back
 * what was freed. */
static void give_back(struct upkeep *u, const struct gateway *g, struct worker *const *workers,
                      const struct generation *generation)
{
    size_t n_connections = count_connections(generation, g->commons.n_workers);
    if (u->is_trimming) {
        u->is_trimming = false;
#ifdef __GLIBC__
        malloc_trim(0);
#endif
        u->trimmed_bytes = process_numbers().resident_bytes;
        return;
    }
    if (atomic_load_explicit(&g->commons.memory.used, memory_order_relaxed) > TRIM_USED_BYTES ||
        !is_worth_while(u, n_connections))
        return;
    u->is_trimming = true;
    u->trim_connections = n_connections;
    for (size_t i = 0; i < g->commons.n_workers; i++)
        worker_trim(workers[i]);
}

void upkeep_init(struct upkeep *u)
{
    *u = (struct upkeep){ .trimmed_bytes = process_numbers().resident_bytes };
}

void upkeep_run(struct upkeep *u, struct gateway *g, struct worker *const *workers,
                const struct generation *generation, int64_t now_ms)
{
    if (now_ms < u->due_ms)
        return;
    u->due_ms = now_ms + EVERY_MS;
    tell_status(u, g, generation, count_running(workers, g->commons.n_workers));
    refusals_sum_up(&g->front.strangers, REFUSALS_OF_STRANGERS);
    refusals_sum_up(&g->front.handshakes, REFUSALS_OF_HANDSHAKES);
    kept_sweep(g->kept, now_ms);
    give_back(u, g, workers, generation);
}
