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
struct introspection_entry;

/* What is known under one key. It does not change. */
struct description {
    atomic_uint references;
    struct budget *budget; /* borrowed */
    bool there;            /* the text is JSON; else it says why there is none */
    size_t len;
    char text[];
};

/* With one reference; NULL: limits.memory has no room. */
struct description *description_new(struct budget *budget, bool there, struct str text) MUST_CHECK;

/* NULL is fine. */
void description_unref(struct description *description);

static inline struct str description_text(const struct description *description)
{
    return (struct str){ description->text, description->len };
}

/* The key of the names of all methods; their JSON is an array of strings. Of a method it is its
 * name, and the JSON is two members: `"signatures":…,"help":…`. */
#define KEY_METHODS STR("")

/* One who wants to know something, in a worker. `site`, `upstream`, `until_ms` and `wait.go_on` are
 * set and all else is zeroed before the first question. */
struct introspection_waiter {
    struct site *site; /* held by who asks */
    const struct upstream_config *upstream;
    int64_t until_ms; /* it waits until then at most; CLOCK_NEVER: until the fetch has ended */
    struct once_wait wait;
    struct introspection_entry *waits_for; /* NULL: it does not wait */
    unsigned round;                        /* of the entry, when the wait began */
};

enum introspection_answer {
    INTROSPECTION_READY, /* *ret is the answer, with a reference */
    INTROSPECTION_WAIT,  /* ask again when `wait.go_on` is called */
    INTROSPECTION_FAILED /* `err` */
};

struct introspection *introspection_new(void) MUST_CHECK;
void introspection_free(struct introspection *i);

/* Asks for what stands under a key. What is not known, or has become old, is fetched by this
 * worker, unless some worker is at it. */
enum introspection_answer introspection_ask(struct introspection_waiter *waiter, struct str key,
                                            struct description **ret, struct error *err) MUST_CHECK;

/* Does not wait any more. */
void introspection_leave(struct introspection_waiter *waiter);

/* ---- For client/introspection_fetch.c ------------------------------------------------------- */

/* Fetches an entry and tells what it was. */
void introspection_fetch(struct site *site, const struct upstream_config *upstream,
                         struct introspection *i, struct introspection_entry *entry);

/* The end of a fetch: a description, of which the reference is taken, or NULL and `err`. */
void introspection_tell(struct introspection *i, struct introspection_entry *entry,
                        struct description *description, const struct error *err);

/* Its key, which does not change. */
struct str introspection_key(const struct introspection_entry *entry);

/* Has the upstream no system.multicall, as far as introspection has seen? */
bool introspection_has_no_multicall(const struct introspection *i);
void introspection_set_no_multicall(struct introspection *i);

#endif
