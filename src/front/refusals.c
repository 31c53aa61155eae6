/* SPDX-License-Identifier: Apache-2.0 */
#include "front/refusals.h"

#include "base/clock.h"
#include "base/log.h"
#include "front/listener_state.h"
#include "front/request.h"

#include <stdio.h>

bool refusals_take(struct refusals *refusals, struct rate_limit limit, unsigned *ret_before)
{
    int64_t wait_ns;
    if (!rate_take(&refusals->until_ns, &limit, 1, clock_now_us() * 1000, &wait_ns)) {
        atomic_fetch_add_explicit(&refusals->unlogged, 1, memory_order_relaxed);
        return false;
    }
    *ret_before = atomic_exchange_explicit(&refusals->unlogged, 0, memory_order_relaxed);
    return true;
}

void refusals_sum_up(struct refusals *refusals, const char *what)
{
    unsigned n = atomic_exchange_explicit(&refusals->unlogged, 0, memory_order_relaxed);
    if (n > 0)
        LOG_EVENT(LOG_LEVEL_WARN, what, LOG_NUM("not_logged", n));
}

void refusals_log(struct refusals *refusals, const struct request *r)
{
    unsigned unlogged;
    if (!refusals_take(refusals, REFUSALS, &unlogged))
        return;
    const struct request_peer *peer = http_peer(r->exchange);
    char user[24] = "";
    if (peer->known)
        snprintf(user, sizeof user, "%u", (unsigned)peer->uid);
    LOG_EVENT(LOG_LEVEL_WARN, "wrong credentials", LOG_TEXT("request_id", r->id),
              LOG_TEXT("listener", r->endpoint->listener->listener.name),
              LOG_STR("address", peer->ip), LOG_TEXT("uid", user),
              LOG_TEXT("reason", r->error.detail), LOG_NUM("not_logged", unlogged));
}

void refusals_log_handshake(struct refusals *refusals, const char *listener, const char *ip,
                            const char *reason)
{
    unsigned unlogged;
    if (!refusals_take(refusals, REFUSALS, &unlogged))
        return;
    LOG_EVENT(LOG_LEVEL_WARN, "TLS handshake failed", LOG_TEXT("listener", listener),
              LOG_TEXT("address", ip), LOG_TEXT("reason", reason), LOG_NUM("not_logged", unlogged));
}
