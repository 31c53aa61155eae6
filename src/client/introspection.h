/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream tells of itself: the names of its methods, and of each that somebody asks for
 * its signatures and help. All workers share it; one of them fetches what is wanted, for all.
 *
 * It is kept for introspection.ttl, and then serves until a newer answer has come. The mutex is
 * held for moments only: these are no calls. */
#ifndef RPCGATE_CLIENT_INTROSPECTION_H
#define RPCGATE_CLIENT_INTROSPECTION_H

#include "base/budget.h"
#include "base/macros.h"
#include "base/str.h"
#include "client/site.h"
#include "codec/error.h"
#include "settings/snapshot.h"
#include "work/once.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct introspection;
struct topic;

/* What is known of one topic. It does not change. */
struct fact {
    atomic_uint references;
    struct budget *budget; /* borrowed */
    bool there;            /* the text is JSON; else it says why there is none */
    size_t len;
    char text[];
};

/* With one reference; NULL: limits.memory has no room. */
struct fact *fact_new(struct budget *budget, bool there, struct str text) MUST_CHECK;

/* NULL is fine. */
void fact_unref(struct fact *fact);

static inline struct str fact_text(const struct fact *fact)
{
    return (struct str){ fact->text, fact->len };
}

/* The topic of the names of all methods; their JSON is an array of strings. Of a method it is its
 * name, and the JSON is two members: `"signatures":…,"help":…`. */
#define TOPIC_METHODS STR("")

/* One who wants to know something, in a worker. `site`, `upstream`, `until_ms` and `wait.go_on` are
 * set and all else is zeroed before the first question. */
struct curious {
    struct site *site; /* held by who asks */
    const struct upstream_config *upstream;
    int64_t until_ms; /* it waits until then at most; CLOCK_NEVER: until the fetch has ended */
    struct once_wait wait;
    struct topic *waits_for; /* NULL: it does not wait */
    unsigned round;          /* of the topic, when the wait began */
};

enum introspection_answer {
    INTROSPECTION_READY, /* *ret is the answer, with a reference */
    INTROSPECTION_WAIT,  /* ask again when `wait.go_on` is called */
    INTROSPECTION_FAILED /* `err` */
};

struct introspection *introspection_new(void) MUST_CHECK;
void introspection_free(struct introspection *i);

/* Asks about a topic. What is not known, or has become old, is fetched by this worker, unless some
 * worker is at it. */
enum introspection_answer introspection_ask(struct curious *curious, struct str topic,
                                            struct fact **ret, struct error *err) MUST_CHECK;

/* Does not wait any more. */
void introspection_leave(struct curious *curious);

/* ---- For client/introspection_fetch.c ------------------------------------------------------- */

/* Fetches a topic and tells what it was. */
void introspection_fetch(struct site *site, const struct upstream_config *upstream,
                         struct introspection *i, struct topic *topic);

/* The end of a fetch: a fact, of which the reference is taken, or NULL and `err`. */
void introspection_tell(struct introspection *i, struct topic *topic, struct fact *fact,
                        const struct error *err);

/* The topic's name, which does not change. */
struct str topic_name(const struct topic *topic);

/* Has the upstream no system.multicall, as far as introspection has seen? */
bool introspection_has_no_multicall(const struct introspection *i);
void introspection_set_no_multicall(struct introspection *i);

#endif
