/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's watchdog: it is told that all is well only while every worker makes progress. */
#ifndef RPCGATE_DAEMON_WATCHDOG_H
#define RPCGATE_DAEMON_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

struct watchdog {
    int64_t every_ms;
    int64_t due_ms;  /* CLOCK_NEVER: nobody watches */
    unsigned *turns; /* of each worker's loop, when it was last looked at */
    size_t n_workers;
};

/* How often to tell, from $WATCHDOG_USEC and $WATCHDOG_PID (NULL: not set): twice as often as is
 * asked for. 0: nobody watches process `own`. */
int64_t watchdog_interval_ms(const char *usec, const char *pid, long own);

/* Have all moved on? `turns` are theirs now, and are kept for the next time. */
bool watchdog_see(struct watchdog *w, const unsigned *turns);

void watchdog_init(struct watchdog *w, struct worker *const *workers, size_t n_workers);
void watchdog_done(struct watchdog *w);

/* When its time has come: tells the service manager if all have made a turn since the last time,
 * and wakes them for the next. */
void watchdog_run(struct watchdog *w, struct worker *const *workers, int64_t now_ms);

#endif
