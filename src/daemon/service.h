/* SPDX-License-Identifier: Apache-2.0 */
/* The service's life: listeners and workers, signals, the end. */
#ifndef RPCGATE_DAEMON_SERVICE_H
#define RPCGATE_DAEMON_SERVICE_H

#include "settings/snapshot.h"

struct service_options {
    const char *path; /* of the configuration file; NULL: there is none to read again */
    bool journald;    /* for log_configure() */
};

/* Blocks the signals that service_run() waits for, in this thread and those that it starts; to be
 * called before any thread is. */
void service_block_signals(void);

/* Serves until SIGTERM or SIGINT. Returns the exit status: 0, or EX_UNAVAILABLE with the reason in
 * the log. Takes the configuration. */
int service_run(struct config *config, const struct service_options *options);

#endif
