/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker's client has of one configuration: the snapshot, and its pools for the upstreams in
 * it. A call holds the site that it began with to its end; new ones begin with the newest. It
 * belongs to one worker and lives in that worker's thread. */
#ifndef RPCGATE_CLIENT_SITE_H
#define RPCGATE_CLIENT_SITE_H

#include "base/list.h"
#include "settings/snapshot.h"

#include <stddef.h>
#include <stdint.h>

struct client;
struct inject;
struct pool;
struct timer;
struct upstream_record;
struct upstream_state;

struct site {
    struct client *client;
    struct list in_client;   /* on client->sites */
    struct config *config;   /* with a reference of its own */
    struct pool **pools;     /* by upstream_config.index; counted in pool.n_sites */
    struct inject **injects; /* as pools; owned, each NULL where nothing is added */
    size_t n_held;           /* how many hold it */
    bool is_leaving;         /* nobody will hold it but who logs out */
};

/* Holds a site; whoever does gives it back in the same thread. */
struct site *site_hold(struct site *site);
void site_release(struct site *site);

/* Makes a zeroed site the client's newest. It is the beginning of an allocation, which the client
 * frees when nobody needs it any more. Pools of upstreams whose state is the same are those that
 * there were. `upstreams` by upstream_config.index. */
void site_open(struct client *client, struct site *site, struct config *config,
               struct upstream_state *const *upstreams);

/* What is added to calls of that method; NULL: nothing. */
const struct inject *site_inject(const struct site *site, const struct upstream_config *upstream,
                                 struct str method);

/* Where calls of that upstream are counted. */
struct upstream_record *site_record(const struct site *site,
                                    const struct upstream_config *upstream);

/* Ends the sites and pools that nobody needs any more: the client's sites_timer fires. */
void sites_sweep(struct timer *timer);

/* At the worker's end, when its calls have ended: sessions that no other worker uses are logged
 * out, by calls that hold the site. */
void sites_leave(struct client *client);

/* At the worker's end: nobody holds one. */
void sites_free(struct client *client);

#endif
