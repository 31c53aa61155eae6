/* SPDX-License-Identifier: Apache-2.0 */
/* The header lines that tell how an answer came about: whether it was kept, for how long it holds,
 * and what took its time. */
#ifndef RPCGATE_FRONT_FRESHNESS_H
#define RPCGATE_FRONT_FRESHNESS_H

#include "rules/caching.h"

#include <stdbool.h>

struct request;

#define FRESHNESS_ETAG_TEXT 20
#define FRESHNESS_TIMING_TEXT 96

/* Empty texts: there is no such line. */
struct freshness {
    char status[CACHING_STATUS_TEXT];
    char age[24];
    char control[48];
    char etag[FRESHNESS_ETAG_TEXT];
    char timing[FRESHNESS_TIMING_TEXT];
};

/* Of a reply that is about to be sent. One whose caller has it already becomes a 304. */
void freshness_find(struct request *r, struct freshness *ret);

#endif
