/* SPDX-License-Identifier: Apache-2.0 */
/* One call for all who ask for the same at the same time, in any worker (client/keep.h). It is
 * nobody's: who waits may leave, or have less patience, and it goes on. What it brings stays as it
 * is for as long as somebody refers to the flight.
 *
 * Its text is a copy: the calls that wait for it may be gone before it is sent. */
#ifndef RPCGATE_CLIENT_FLIGHT_H
#define RPCGATE_CLIENT_FLIGHT_H

#include "base/digest.h"
#include "base/macros.h"
#include "client/call.h"
#include "client/kept.h"
#include "work/once.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct flight {
    struct kept_making making; /* its references are the flight's */
    struct upstream_state *state;
    struct config *snapshot; /* what the error and the protocol may point into */
    int64_t deadline_ms;     /* until when it has ended */
    int64_t lasts_ms;        /* how long its result is kept; 0: it is for those alone who wait */

    struct once landing; /* those who wait */
    atomic_bool landed;  /* what follows is there, and does not change */
    struct kept *result; /* NULL: it has failed, with: */
    bool is_kept;        /* it answers others, too */
    struct error error;
    struct fault fault; /* has_fault; its texts are in `texts` */
    struct problem_protocol protocol;
    struct problem_header headers[PROBLEM_HEADERS_MAX];
    bool has_fault, has_protocol;
    struct buf texts;
    unsigned attempts; /* of the call, as the rest, */
    int64_t upstream_us, queue_us;
    int http_status; /* which is that of its last answer; 0: none came */

    /* Of the worker that it flies in. */
    struct call *call; /* owned until it lands */
    struct buf text;   /* what is called; until it goes: */
    struct str params;
    struct query query;
    struct chain reply;
};

/* A copy of a call whose text is known, not yet shown to others. NULL: c->error, there is no room
 * for it in the caller's share. With one reference, which is the flight's own until it lands. */
struct flight *flight_new(struct call *c, const struct digest *key) MUST_CHECK;

/* One more reference. */
struct flight *flight_ref(struct flight *f);

/* Sends it. It may land before this returns. */
void flight_begin(struct flight *f);

/* Waits until it has landed. */
void flight_wait(struct flight *f, struct once_wait *wait, struct work *w, int64_t until_ms);

/* Gives a reference back. NULL is fine. */
void flight_unref(struct flight *f);

#endif
