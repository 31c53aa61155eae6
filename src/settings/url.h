/* SPDX-License-Identifier: Apache-2.0 */
/* The URL of an upstream or proxy, taken apart without libcurl, so that what libcurl gets is known:
 * user and password out of it, a host and path that are what they look like. RFC 3986. */
#ifndef RPCGATE_SETTINGS_URL_H
#define RPCGATE_SETTINGS_URL_H

#include "base/buf.h"
#include "base/str.h"
#include "settings/snapshot.h"
#include "settings/store.h"

#include <stdbool.h>

/* `ret` is owned by `store`. False: `why` has a sentence that tells no part of the URL, which may
 * have a password in it. `ret` may be NULL: checks only. */
bool url_parse(struct store *store, struct str url, struct upstream_target *ret,
               struct buf *why) MUST_CHECK;

/* As url_parse(), of a proxy: http, https, socks5 or socks5h, a host and a port. `no_proxy` of
 * `ret` is left as it is. */
bool url_parse_proxy(struct store *store, struct str url, struct proxy_target *ret,
                     struct buf *why) MUST_CHECK;

/* Where the user and password stand in it, without the `@`; an empty one at the end where there
 * are none. */
struct str url_userinfo(struct str url);

/* Appends a URL that somebody else has written, with `***` in place of what stands before an `@`.
 */
void url_append_hidden(struct str url, struct buf *to);

/* Appends an http or https URL with that appended to its path, with one slash between; it may have
 * a query of its own, which the URL's then follows. Empty: the URL as it is. */
void url_append_with_path(struct str url, struct str path, struct buf *to);

/* Does its path or query look as if there were a login or token in it, which is not hidden there?
 */
bool url_shows_credentials(struct str url);

#endif
