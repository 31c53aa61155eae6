/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_keeping.h"

/* Who ends connections sooner than that ends each of them as it pleases: none is used twice. An end
 * that is on its way arrives within that time, too. [us] */
#define SOON_US 100000

/* A connection that is alive at this age, or at so many times the age of doubt, shows that the end
 * was none of the usual. */
#define ALIVE_US (2 * SOON_US)
#define ALIVE_FACTOR 2

static long long load(const atomic_llong *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

static void store(atomic_llong *to, long long value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

int64_t keeping_limit_us(const struct upstream_keeping *k)
{
    return LIKELY(load(&k->doubt) == 0) ? KEEPING_ALL : load(&k->limit);
}

/* What several threads write at once may be any one's: each is true. */
bool keeping_ended(struct upstream_keeping *k, int64_t age_us)
{
    int64_t limit = age_us < SOON_US ? 0 : age_us / 2;
    bool is_news = load(&k->doubt) == 0;
    if (!is_news && limit >= load(&k->limit))
        return false;
    store(&k->limit, limit);
    store(&k->doubt, age_us + 1);
    return is_news;
}

bool keeping_seen(struct upstream_keeping *k, int64_t age_us)
{
    long long doubt = load(&k->doubt);
    if (LIKELY(doubt == 0) || age_us < ALIVE_US || age_us < ALIVE_FACTOR * doubt ||
        age_us / 2 <= load(&k->limit))
        return false;
    if (age_us >= k->max_us / 2) {
        store(&k->doubt, 0);
        return true;
    }
    store(&k->limit, age_us / 2);
    return false;
}
