/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's part of what callers see: the requests that run in it and the listeners' endpoints. */
#ifndef RPCGATE_FRONT_FRONT_H
#define RPCGATE_FRONT_FRONT_H

#include "base/list.h"
#include "client/client.h"
#include "client/site.h"
#include "front/access_log.h"
#include "front/explorer.h"
#include "work/metrics.h"
#include "work/work.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caller_state;
struct config;
struct listener_set;
struct request;
struct upstream_state;

enum request_state {
    REQUEST_READING,  /* head or body is arriving */
    REQUEST_WORKING,  /* its calls are made; the caller's connection rests */
    REQUEST_REPLYING, /* the reply is the HTTP server's */
    REQUEST_STATES
};

/* What all workers share of callers, whatever the configuration is. */
struct front_commons {
    struct memory_share anonymous;       /* of callers without a name */
    struct refusals refusals;            /* wrong credentials, */
    struct refusals strangers;           /* and all requests of callers that are not known, */
    struct refusals handshakes;          /* and TLS handshakes that failed */
    struct upstream_record *no_upstream; /* owned */
    struct explorer explorer;

    /* Reloads since the start, for the metrics. */
    atomic_uint reloads_good, reloads_bad;
    atomic_bool last_reload_bad;
};

void front_commons_init(struct front_commons *shared, struct commons *commons);
void front_commons_done(struct front_commons *shared);

/* A site as requests know it: with its callers. */
struct front_site {
    struct site site;
    struct caller_state *callers[]; /* by caller_config.index; borrowed */
};

static inline const struct front_site *front_site_of(const struct site *site)
{
    return (const struct front_site *)site;
}

struct front {
    struct work *work;
    struct client *client;
    struct front_commons *shared;
    struct list endpoints;                   /* of struct endpoint */
    const struct listener_set *listeners;    /* the newest; borrowed */
    struct list requests_in[REQUEST_STATES]; /* of struct request, by enum request_state */
    atomic_size_t running;                   /* requests; only this worker changes it */
    struct spare requests;
};

void front_init(struct front *front, struct work *work, struct client *client,
                struct front_commons *shared);
void front_done(struct front *front);

/* New requests begin with that configuration. `upstreams` and `callers` by their indexes. */
void front_follow(struct front *front, struct config *config,
                  struct upstream_state *const *upstreams, struct caller_state *const *callers);

/* At the end of limits.drain, after their calls were cut off: ends what has no reply yet. */
void front_cut_off(struct front *front);

/* Are there requests whose end a caller can still wait for? */
bool front_is_busy(const struct front *front);

/* A request that is zeroed but for its call, and one that has ended. */
struct request *front_take_request(struct front *front);
void front_give_request(struct front *front, struct request *r);

/* Frees what is kept for the next requests. */
void front_free_spare(struct front *front);

#endif
