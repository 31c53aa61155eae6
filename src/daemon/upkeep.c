/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/upkeep.h"

#include "base/clock.h"
#include "daemon/notify.h"
#include "gateway/generation.h"
#include "gateway/process.h"
#include "gateway/worker.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <string.h>

#define EVERY_MS 5000

/* Memory is given back when it has grown by this much, */
#define TRIM_GROWTH_BYTES (8.0 * 1024 * 1024)

/* and hardly any of it is in use: a trim holds up whoever allocates meanwhile. */
#define TRIM_USED_BYTES ((size_t)1024 * 1024)

static size_t count_running(const struct gateway *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_workers; i++)
        n += worker_running(g->workers[i]);
    return n;
}

/* Appends what fits. */
static void add(char to[UPKEEP_STATUS], const char *text)
{
    size_t len = strlen(to);
    snprintf(to + len, UPKEEP_STATUS - len, "%s", text);
}

void upkeep_status(struct gateway *g, const struct generation *generation, char to[UPKEEP_STATUS])
{
    size_t n_down = 0;
    size_t n_running = count_running(g);
    snprintf(to, UPKEEP_STATUS, "%s%zu %s in flight",
             gateway_phase(g) > GATEWAY_READY ? "Stopping: " : "", n_running,
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
    if (atomic_load_explicit(&g->last_reload_bad, memory_order_relaxed))
        add(to, "; the last reload failed");
}

static void tell_status(struct upkeep *u, struct gateway *g, const struct generation *generation)
{
    char status[UPKEEP_STATUS];
    upkeep_status(g, generation, status);
    if (strcmp(status, u->status) == 0)
        return;
    memcpy(u->status, status, sizeof status);
    notify_send("STATUS=%s", status);
}

/* The C library keeps what was freed: after a burst that is a lot. */
static void trim(struct upkeep *u, const struct gateway *g)
{
#ifdef __GLIBC__
    if (atomic_load_explicit(&g->memory.used, memory_order_relaxed) > TRIM_USED_BYTES)
        return;
    if (process_numbers().resident_bytes < u->trimmed_bytes + TRIM_GROWTH_BYTES)
        return;
    malloc_trim(0);
    u->trimmed_bytes = process_numbers().resident_bytes;
#else
    (void)u;
    (void)g;
#endif
}

void upkeep_init(struct upkeep *u)
{
    *u = (struct upkeep){ .trimmed_bytes = process_numbers().resident_bytes };
}

void upkeep_run(struct upkeep *u, struct gateway *g, const struct generation *generation,
                int64_t now_ms)
{
    if (now_ms < u->due_ms)
        return;
    u->due_ms = now_ms + EVERY_MS;
    tell_status(u, g, generation);
    trim(u, g);
}
