/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the service, for src/daemon only: all of it belongs to the main thread. */
#ifndef RPCGATE_DAEMON_SERVICE_STATE_H
#define RPCGATE_DAEMON_SERVICE_STATE_H

#include "daemon/generation.h"
#include "daemon/listeners.h"
#include "daemon/upkeep.h"
#include "daemon/watchdog.h"
#include "daemon/worker.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service {
    const char *path; /* of the configuration file; NULL: there is none to read again */
    bool journald;    /* reads the log */
    struct gateway gateway;
    struct generation *generation; /* the newest */
    bool is_settling;              /* some worker has not followed it yet */
    struct listeners listeners;
    struct worker **workers;
    size_t n_workers;
    struct loop *loop; /* the main thread's own */
    struct loop_source signals, news;
    struct watchdog watchdog;
    struct upkeep upkeep;
    unsigned stops;         /* how many times we were asked to */
    int64_t phase_until_ms; /* when the phase ends at the latest */
};

/* service.c: what else follows the configuration. */
void service_apply(struct service *s, const struct config *config);
void service_follow_traces(struct service *s, struct config *config);

/* reload.c: SIGHUP. */
void service_reload(struct service *s);

/* reload.c: workers may have followed the newest generation. */
void service_settle(struct service *s);

#endif
