/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's part of the XML-RPC client: its connections, the pools on them, and the calls that
 * run. It knows no caller. */
#ifndef RPCGATE_CLIENT_CLIENT_H
#define RPCGATE_CLIENT_CLIENT_H

#include "base/list.h"
#include "client/call.h"
#include "client/site.h"
#include "io/transport.h"
#include "work/work.h"

#include <stddef.h>
#include <stdint.h>

struct kept_store;
struct traces;

struct client {
    struct work *work;
    struct transport *transport;       /* owned */
    struct site *site;                 /* the newest: what requests begin with */
    struct list sites;                 /* of struct site; former ones, too */
    struct timer sites_timer;          /* when former ones are to be looked at */
    struct list pools;                 /* of struct pool, of all sites */
    struct list calls_in[CALL_STATES]; /* of struct call, by enum call_state */
    struct state_metrics *shown;       /* how many are in each, for all threads to see */
    size_t n_leaving;                  /* calls that log out */
    struct spare calls;
    struct kept_store *kept; /* results that are; borrowed. NULL: none */
    struct traces *traces;   /* where spans go; borrowed. NULL: no call has one */
    bool joins_calls;        /* where upstreams say so; set by who calls joins_run() */
    struct list joins;       /* of struct join: some of its calls wait for the end of the turn */
};

/* What a call's worker stands on. */
static inline struct work *call_work(const struct call *c)
{
    return c->site->client->work;
}

/* `transport` becomes its own. */
void client_init(struct client *client, struct work *work, struct transport *transport);
void client_done(struct client *client);

/* When something of it is due that has no timer of its own; CLOCK_NEVER: nothing is. */
int64_t client_deadline_ms(const struct client *client);

/* How many calls all workers have in a state, and when the one began that is in it for the longest
 * time (CLOCK_NEVER: there is none). Any thread. */
struct calls_in_state {
    size_t n;
    int64_t oldest_ms;
};
struct calls_in_state client_calls_in(const struct commons *commons, enum call_state state);

/* "queued" and the like. */
const char *call_state_name(enum call_state state);

/* So many more are in client->calls_in[state]: shows it. */
void client_show_calls(struct client *client, enum call_state state, int more);

/* Ends all calls with `draining`. */
void client_cut_off(struct client *client);

/* One that its owner fills, and one that does not run any more. */
struct call *client_take_call(struct client *client);
void client_give_call(struct client *client, struct call *c);

/* Frees what is kept for the next calls. */
void client_free_spare(struct client *client);

#endif
