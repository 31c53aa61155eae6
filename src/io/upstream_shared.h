/* SPDX-License-Identifier: Apache-2.0 */
/* What an upstream has told that holds for its next calls, whichever worker makes them. It lives as
 * long as the upstream's settings stay what they are. Any thread may use it. */
#ifndef RPCGATE_IO_UPSTREAM_SHARED_H
#define RPCGATE_IO_UPSTREAM_SHARED_H

#include "base/macros.h"
#include "io/upstream_keeping.h"
#include "rules/digest_login.h"
#include "settings/snapshot.h"

#include <stddef.h>
#include <stdint.h>

struct upstream_shared;

/* With one reference. `config` is borrowed and outlives it. */
struct upstream_shared *upstream_shared_new(const struct upstream_config *config) MUST_CHECK;
struct upstream_shared *upstream_shared_ref(struct upstream_shared *s) MUST_CHECK;
void upstream_shared_unref(struct upstream_shared *s);

struct name; /* io/names.h */

/* The name of one of its hosts; the shared's own. */
struct name *upstream_shared_name(struct upstream_shared *s, const char *host) MUST_CHECK;

/* Its TLS sessions, a CURLSH of libcurl: connections of one worker are resumed by another's. NULL:
 * there is no TLS. */
void *upstream_shared_tls(struct upstream_shared *s) MUST_CHECK;

/* How long its servers keep connections. */
struct upstream_keeping *upstream_shared_keeping(struct upstream_shared *s) MUST_CHECK;

/* Do its servers send heads that have to be mended? The first to note it gets true. */
bool upstream_shared_has_strange_heads(const struct upstream_shared *s) MUST_CHECK;
bool upstream_shared_note_strange_heads(struct upstream_shared *s) MUST_CHECK;

/* A nonce that a server of it has given out. One call has it at a time: so its count rises in the
 * order in which the server sees it, which some insist on. */
struct upstream_nonce {
    struct upstream_nonce *next;
    size_t target;
    uint32_t count;
    char cnonce[DIGEST_CNONCE_SIZE];
    struct digest_challenge challenge;
};

struct upstream_nonce *upstream_nonce_new(size_t target,
                                          const struct digest_challenge *challenge) MUST_CHECK;

/* One that a call of that target was let in with; the call owns it then. NULL: there is none. */
struct upstream_nonce *upstream_nonce_take(struct upstream_shared *s, size_t target) MUST_CHECK;

/* Gives it back for the next call. */
void upstream_nonce_give(struct upstream_shared *s, struct upstream_nonce *nonce);

/* Its cookies, where `cookies` is set: takes the value of a Set-Cookie that came from that URL, and
 * appends the value of Cookie, or nothing. */
void upstream_cookie_take(struct upstream_shared *s, const char *url, struct str value);
void upstream_cookies_write(struct upstream_shared *s, const char *url, struct buf *to);

#endif
