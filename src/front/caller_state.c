/* SPDX-License-Identifier: Apache-2.0 */
#include "front/caller_state.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "rules/rate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct caller_state *caller_state_new(const char *name, struct commons *commons)
{
    struct caller_state *s = xcalloc(1, sizeof *s);
    s->name = xstrdup(name);
    memory_share_init(&s->memory, commons);
    return s;
}

void caller_state_free(struct caller_state *s)
{
    memory_share_done(&s->memory);
    free(s->name);
    free(s);
}

bool caller_state_enter(struct caller_state *s, const struct caller_config *config,
                        struct error *err)
{
    unsigned now = atomic_load_explicit(&s->in_flight, memory_order_relaxed);
    do {
        if (config->max_in_flight > 0 && now >= config->max_in_flight)
            return error_limit(err, PROBLEM_RATE_LIMITED, "callers.max_in_flight",
                               "%u of your requests are under way, and you may have %" PRId64
                               " (max_in_flight): wait for one of them to end.",
                               now, config->max_in_flight);
    } while (!atomic_compare_exchange_weak_explicit(&s->in_flight, &now, now + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void caller_state_leave(struct caller_state *s)
{
    unsigned before = atomic_fetch_sub_explicit(&s->in_flight, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

bool caller_state_take(struct caller_state *s, const struct caller_config *config, size_t n,
                       struct error *err)
{
    const struct rate_limit limit = { .rate = config->rate, .burst = config->burst };
    int64_t wait_ns;
    if (config->rate == 0)
        return true;
    if (n > (size_t)config->burst)
        return error_limit(err, PROBLEM_RATE_LIMITED, "callers.burst",
                           "These are %zu calls, and you may make %" PRId64
                           " at once (burst): send fewer in one batch.",
                           n, config->burst);
    if (rate_take(&s->rate_until_ns, &limit, (int64_t)n, clock_now_us() * 1000, &wait_ns))
        return true;
    error_limit(err, PROBLEM_RATE_LIMITED, "callers.rate",
                "You may make %" PRId64 " calls a second (rate): wait as long as Retry-After says.",
                config->rate);
    err->retry_after = rate_wait_s(wait_ns);
    return false;
}
