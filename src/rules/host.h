/* SPDX-License-Identifier: Apache-2.0 */
/* The host and port of a `Host` or `Origin` header, and whether two of them are the same. */
#ifndef RPCGATE_RULES_HOST_H
#define RPCGATE_RULES_HOST_H

#include "base/macros.h"
#include "base/str.h"

#include <netinet/in.h>
#include <stdbool.h>

struct host {
    struct str name; /* without brackets, port and one final dot; borrowed */
    bool is_address;
    struct in6_addr address; /* IPv4 as IPv4-mapped IPv6, so that either form compares equal */
    bool has_port;
    unsigned port;
};

/* Reads `uri-host [":" port]`; a host or port of no bytes is fine. False where the text is none of
 * that. RFC 9110 section 7.2, RFC 3986 section 3.2. */
bool host_parse(struct str text, struct host *ret) MUST_CHECK;

/* Reads a name or an address alone, IPv6 with or without brackets and zone. */
void host_read_name(struct str text, struct host *ret);

/* The same host? Ports do not count. */
bool host_same(const struct host *a, const struct host *b);

/* Is it `localhost`, 127.0.0.0/8 or ::1? */
bool host_is_loopback(const struct host *host);

#endif
