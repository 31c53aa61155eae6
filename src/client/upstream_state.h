/* SPDX-License-Identifier: Apache-2.0 */
/* What all workers share of one upstream: how many calls run, whether it works, and which of its
 * addresses do. Any thread may use it, without locks; what changes is written to the log, once. It
 * lives on over reloads that do not change the upstream's settings. */
#ifndef RPCGATE_CLIENT_UPSTREAM_STATE_H
#define RPCGATE_CLIENT_UPSTREAM_STATE_H

#include "base/macros.h"
#include "client/breaker.h"
#include "client/kept.h"
#include "client/slots.h"
#include "settings/snapshot.h"
#include "work/metrics.h"
#include "work/once.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of more addresses than this the last are not used. */
#define UPSTREAM_TARGETS_MAX ((size_t)64)

struct introspection;
struct session_store;
struct upstream_shared;

enum upstream_health { UPSTREAM_UNKNOWN, UPSTREAM_UP, UPSTREAM_DOWN };

/* What has been found out of its system.multicall (client/multicall.h). */
enum multicall_known {
    MULTICALL_UNKNOWN,
    MULTICALL_ASKED, /* someone finds out */
    MULTICALL_KNOWN_WRAPPED,
    MULTICALL_KNOWN_BARE,
    MULTICALL_KNOWN_NONE
};

struct upstream_state {
    const struct upstream_config *config; /* of the snapshot that it was made with, */
    struct config *snapshot;              /* which it has a reference to */
    struct upstream_record *record;       /* borrowed */
    atomic_uint references;
    struct upstream_shared *client; /* what its connections' owners share; owned */
    struct slots slots;
    struct breaker breaker;
    struct introspection *introspection; /* owned */
    struct session_store *sessions;      /* owned; NULL: it has none */
    struct kept_shelf kept;              /* what is kept of its results */
    _Atomic enum upstream_health seen;   /* what the last call told */
    atomic_llong *left_alone_ms; /* of each of its addresses: until when; 0: it works. Owned */
    _Atomic enum multicall_known multicall; /* until the configuration is read again */
    struct once multicall_told;             /* those who wait while it is asked */
    atomic_ullong joins, joined_calls;      /* calls that went out together: how often, and they */
    atomic_bool unreachable;                /* if it is `required`: the last connect failed */
    atomic_llong seen_ms;                   /* if it is `required`: when that was found out */
};

/* Of the snapshot's upstream of that number; with one reference. `record` is that of its name. */
struct upstream_state *upstream_state_new(struct config *snapshot, size_t index,
                                          struct upstream_record *record) MUST_CHECK;

struct upstream_state *upstream_state_ref(struct upstream_state *s);
void upstream_state_unref(struct upstream_state *s);

/* A call's end, for the breaker. */
void upstream_state_tell(struct upstream_state *s, int64_t now_ms, enum breaker_result result,
                         bool probe);

/* An attempt to connect to that address has succeeded or failed. */
void upstream_state_connected(struct upstream_state *s, size_t target, int64_t now_ms, bool well);

/* One of its addresses, or none of them, could be connected to. */
void upstream_state_reached(struct upstream_state *s, int64_t now_ms, bool well);

#define UPSTREAM_NO_TARGET SIZE_MAX

/* The address to try next, of those that are not in the set `tried`: the first that is not left
 * alone, else the first. When its time is over, one call finds out for all whether an address
 * works again. UPSTREAM_NO_TARGET: all were tried. */
size_t upstream_state_target(struct upstream_state *s, int64_t now_ms, uint64_t tried);

/* How many addresses of it are used. */
size_t upstream_state_targets(const struct upstream_state *s);

/* False: that address could not be connected to when it was last tried. Known of upstreams with
 * several. */
bool upstream_state_target_is_up(const struct upstream_state *s, size_t target);

/* What GET /v1 and the metrics say of it. */
enum upstream_health upstream_state_health(const struct upstream_state *s);

/* Does /readyz say upstream-down because of it? */
bool upstream_state_is_down(const struct upstream_state *s, int64_t now_ms);

#endif
