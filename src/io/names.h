/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up the name of a host, in a thread of its own, for whoever waits in whatever thread. One
 * look-up of a name runs at a time; it goes on when nobody waits any more, and what it finds serves
 * the next who asks. What was found is used at once only while it is new; behind that a look-up
 * runs again, and the old addresses serve where it takes long or cannot be made. */
#ifndef RPCGATE_IO_NAMES_H
#define RPCGATE_IO_NAMES_H

#include "base/buf.h"
#include "base/list.h"
#include "base/macros.h"
#include "io/loop.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Addresses of one name that are used. */
#define NAME_ADDRESSES_MAX ((size_t)32)

#define NAME_WHY_SIZE ((size_t)128)

struct name;

/* Of who waits. It must stay where it is until name_leave(). */
struct name_wait {
    struct list member;
    struct name *name; /* NULL: it waits for none */
    struct loop *loop; /* borrowed; is woken */
    atomic_bool ended; /* the look-up has */
    uint32_t version;  /* what was known before */
};

/* With one reference. */
struct name *name_new(const char *host) MUST_CHECK;
struct name *name_ref(struct name *n) MUST_CHECK;
/* A look-up that is under way keeps it. NULL is fine. */
void name_unref(struct name *n);

enum name_answer {
    NAME_KNOWN,   /* name_take() */
    NAME_OLD,     /* it is looked up; what was found before can be taken soon */
    NAME_AWAITED, /* it is looked up */
    NAME_NO_THREAD
};

/* OLD and AWAITED: `wait` is `ended`, and its loop woken, when the look-up has ended. */
enum name_answer name_ask(struct name *n, int64_t now_ms, struct name_wait *wait) MUST_CHECK;

/* Waits no more. */
void name_leave(struct name_wait *wait);

/* What was found, with commas, IPv6 in brackets; which look-up found it, and the zone of link-local
 * addresses (0: none). False: nothing that can be used; `why` says why. */
bool name_take(struct name *n, const struct name_wait *wait, struct buf *ret, uint32_t *ret_version,
               uint32_t *ret_zone, char why[NAME_WHY_SIZE]) MUST_CHECK;

/* What that look-up has found could not be connected to: it is looked up anew before it is used. */
void name_doubt(struct name *n, uint32_t version);

#endif
