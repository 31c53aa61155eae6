/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watchdog.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/notify.h"
#include "daemon/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_number(const char *text, long long *ret)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

int64_t watchdog_interval_ms(const char *usec, const char *pid, long own)
{
    long long us, process;
    if (!read_number(usec, &us) || us == 0)
        return 0;
    if (pid != NULL && (!read_number(pid, &process) || process != own))
        return 0;
    return us / 2000 > 0 ? us / 2000 : 1;
}

bool watchdog_see(struct watchdog *w, const unsigned *turns)
{
    bool all = true;
    for (size_t i = 0; i < w->n_workers; i++)
        all = all && turns[i] != w->turns[i];
    memcpy(w->turns, turns, w->n_workers * sizeof *turns);
    return all;
}

static void wake_all(struct worker *const *workers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        worker_wake(workers[i]);
}

void watchdog_init(struct watchdog *w, struct worker *const *workers, size_t n_workers)
{
    *w = (struct watchdog){ .due_ms = CLOCK_NEVER, .n_workers = n_workers };
    w->every_ms =
        watchdog_interval_ms(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), (long)getpid());
    if (w->every_ms == 0)
        return;
    w->turns = xcalloc(n_workers, sizeof *w->turns);
    for (size_t i = 0; i < n_workers; i++)
        w->turns[i] = worker_turns(workers[i]);
    w->due_ms = clock_now_ms() + w->every_ms;
    wake_all(workers, n_workers);
}

void watchdog_done(struct watchdog *w)
{
    free(w->turns);
}

void watchdog_run(struct watchdog *w, struct worker *const *workers, int64_t now_ms)
{
    if (now_ms < w->due_ms)
        return;
    w->due_ms = now_ms + w->every_ms;
    unsigned *turns = xcalloc(w->n_workers, sizeof *turns);
    for (size_t i = 0; i < w->n_workers; i++)
        turns[i] = worker_turns(workers[i]);
    if (watchdog_see(w, turns))
        notify_send("WATCHDOG=1");
    else
        log_error("a worker has made no progress for %lld ms: the watchdog is not told that all is "
                  "well",
                  (long long)w->every_ms);
    free(turns);
    wake_all(workers, w->n_workers);
}
