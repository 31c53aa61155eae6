/* SPDX-License-Identifier: Apache-2.0 */
/* What the main thread does from time to time while the service runs: it tells the service manager
 * how it goes, and gives memory back to the system after a burst. */
#ifndef RPCGATE_DAEMON_UPKEEP_H
#define RPCGATE_DAEMON_UPKEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct generation;
struct gateway;
struct worker;

#define UPKEEP_STATUS 256

struct upkeep {
    int64_t due_ms;
    char status[UPKEEP_STATUS]; /* the last that was sent */
    bool is_trimming;           /* the workers were told to free what they can */
    double trimmed_bytes;       /* resident after the last trim */
    size_t trim_connections;    /* that there were when the workers were told */
};

void upkeep_init(struct upkeep *u);

/* `workers` are all that there are. */
void upkeep_run(struct upkeep *u, struct gateway *g, struct worker *const *workers,
                const struct generation *generation, int64_t now_ms);

#endif
