/* SPDX-License-Identifier: Apache-2.0 */
/* A client's cookies (RFC 6265), bounded in number and size. What Set-Cookie says is taken, changed
 * or deleted; what goes with a request is those that its host, path and safety allow. */
#ifndef RPCGATE_RULES_COOKIES_H
#define RPCGATE_RULES_COOKIES_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COOKIES_MAX ((size_t)64)
/* Of one: name, value, domain and path. [bytes] */
#define COOKIE_BYTES_MAX ((size_t)4 * 1024)
/* Of all that one request sends: most servers take no longer line. [bytes] */
#define COOKIE_LINE_MAX ((size_t)8 * 1024 - 2)

struct cookie; /* rules/cookies.c */

/* Zeroed: empty. Whoever shares it has a lock. */
struct cookies {
    struct cookie *items[COOKIES_MAX]; /* in the order in which they were first set */
    size_t n;
};

/* Where a request goes. */
struct cookie_place {
    struct str host; /* in lower case; of an IPv6 address with its brackets */
    struct str path; /* of the request's target, without its query */
    bool is_safe;    /* TLS, or this machine itself */
};

/* Of a URL with http or https; `room` takes the host, whose case it changes. False: too long. */
bool cookie_place_of(const char *url, char *room, size_t size, struct cookie_place *ret) MUST_CHECK;

/* Takes the value of a Set-Cookie that came from `place`. What is none, is too large or has no
 * business there is dropped. Where there is no room the one goes that was set the longest ago.
 * `now_ms` is monotonic, `now_s` seconds since 1970. */
void cookies_take(struct cookies *c, const struct cookie_place *place, struct str value,
                  int64_t now_ms, int64_t now_s);

/* Appends the value of Cookie, or nothing. */
void cookies_write(struct cookies *c, const struct cookie_place *place, int64_t now_ms,
                   struct buf *to);

/* Wipes and forgets all. */
void cookies_clear(struct cookies *c);

#endif
