/* SPDX-License-Identifier: Apache-2.0 */
/* An OpenAPI document from its first byte to its last, in steps: it waits until what upstreams tell
 * of their methods is known, one after the other. */
#ifndef RPCGATE_FRONT_OPENAPI_WRITER_H
#define RPCGATE_FRONT_OPENAPI_WRITER_H

#include "base/macros.h"
#include "client/introspection.h"
#include "front/openapi.h"

#include <stdbool.h>
#include <stddef.h>

struct openapi_writer {
    struct openapi document;

    /* `site`, `until_ms` and `wait.go_on` are set by the owner. Without a site nobody is asked. */
    struct introspection_waiter waiter;

    /* NULL, or is told why the methods of the upstream at hand are not known. */
    void (*on_unknown)(struct openapi_writer *w, const struct error *err);

    size_t wanted; /* of memory, before the next step [bytes] */

    unsigned phase;                /* which part of it, */
    size_t index;                  /* and which route or upstream comes next */
    struct description *methods;   /* that upstream's, referenced; NULL: not asked for yet */
    size_t at;                     /* in their text: what comes next */
    size_t n_asked;                /* methods of it that were asked for, */
    bool is_asked;                 /* also the one at hand, */
    struct description *described; /* of which that is known; referenced, or NULL */
};

/* Nothing is written yet. */
void openapi_writer_init(struct openapi_writer *w);

/* Waits for nothing any more. */
void openapi_writer_done(struct openapi_writer *w);

enum openapi_step {
    OPENAPI_DONE,
    OPENAPI_MORE, /* when there is room, and it is its turn */
    OPENAPI_WAITS /* `waiter.wait.go_on` will be called */
};

/* A step of it, which writes about `wanted` bytes at most. */
enum openapi_step openapi_writer_step(struct openapi_writer *w) MUST_CHECK;

/* The upstream that it waits for. */
const struct upstream_config *openapi_writer_upstream(const struct openapi_writer *w);

#endif
