/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rate.h"

#define SECOND_NS INT64_C(1000000000)

/* How long `n` take to come back. [ns] */
static int64_t cost_ns(const struct rate_limit *limit, int64_t n)
{
    return (n * SECOND_NS + limit->rate - 1) / limit->rate;
}

bool rate_take(atomic_llong *until_ns, const struct rate_limit *limit, int64_t n, int64_t now_ns,
               int64_t *ret_wait_ns)
{
    *ret_wait_ns = 0;
    if (n > limit->burst)
        return false;
    int64_t cost = cost_ns(limit, n), most = cost_ns(limit, limit->burst);
    long long was = atomic_load_explicit(until_ns, memory_order_relaxed);
    int64_t until;
    do {
        until = was > now_ns ? was : now_ns;
        /* Under an older, slower rate more may have been owed than there is to owe now. */
        if (until > now_ns + most)
            until = now_ns + most;
        until += cost;
        if (until > now_ns + most) {
            *ret_wait_ns = until - now_ns - most;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(until_ns, &was, until, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

unsigned rate_wait_s(int64_t wait_ns)
{
    return (unsigned)((wait_ns + SECOND_NS - 1) / SECOND_NS);
}
