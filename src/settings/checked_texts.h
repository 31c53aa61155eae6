/* SPDX-License-Identifier: Apache-2.0 */
/* What the texts of the configuration must look like, by kind. Each returns false with a sentence
 * in `why`, which has nothing of a secret in it. Pure. */
#ifndef RPCGATE_SETTINGS_CHECKED_TEXTS_H
#define RPCGATE_SETTINGS_CHECKED_TEXTS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

bool check_text(struct str text, struct buf *why);
bool check_any(struct str text, struct buf *why);
bool check_number(struct str text, struct buf *why);
bool check_pointer(struct str text, struct buf *why);
bool check_path(struct str text, struct buf *why);
bool check_problem(struct str text, struct buf *why);
bool check_pin(struct str text, struct buf *why);
bool check_url(struct str text, struct buf *why);
bool check_proxy_url(struct str text, struct buf *why);
bool check_no_proxy(struct str text, struct buf *why);
bool check_address(struct str text, struct buf *why);
bool check_socket_path(struct str text, struct buf *why);
bool check_zone(struct str text, struct buf *why);
bool check_encoding(struct str text, struct buf *why);
bool check_decoding(struct str text, struct buf *why);
bool check_host_name(struct str text, struct buf *why);
bool check_header(struct str text, struct buf *why);
bool check_route_path(struct str text, struct buf *why);
bool check_route_call(struct str text, struct buf *why);
bool check_call_glob(struct str text, struct buf *why);
bool check_name(struct str text, struct buf *why);
bool check_origin(struct str text, struct buf *why);

/* An IPv4 or IPv6 address, and whether it is one of this machine's own loopback. */
bool address_is_loopback(const char *address);

/* The name of a header line that check_header() accepts, and its value without blanks around. */
struct str header_name(struct str line);
struct str header_value(struct str line);

#endif
