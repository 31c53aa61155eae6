/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a caller's request as it came: method, target, header lines. Borrowed from the HTTP
 * server for as long as the exchange lasts. */
#ifndef RPCGATE_RULES_HEAD_H
#define RPCGATE_RULES_HEAD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The names that somebody here asks for. */
#define HEADER_LIST(X)                                                                             \
    X(HOST, "Host")                                                                                \
    X(CONTENT_LENGTH, "Content-Length")                                                            \
    X(CONTENT_TYPE, "Content-Type")                                                                \
    X(CONTENT_ENCODING, "Content-Encoding")                                                        \
    X(TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    X(EXPECT, "Expect")                                                                            \
    X(AUTHORIZATION, "Authorization")                                                              \
    X(ORIGIN, "Origin")                                                                            \
    X(SEC_FETCH_SITE, "Sec-Fetch-Site")                                                            \
    X(REQUEST_METHOD, "Access-Control-Request-Method")                                             \
    X(REQUEST_ID, "X-Request-Id")                                                                  \
    X(TIMEOUT, "X-Rpcgate-Timeout")                                                                \
    X(TRACEPARENT, "traceparent")                                                                  \
    X(TRACESTATE, "tracestate")                                                                    \
    X(MCP_VERSION, "MCP-Protocol-Version")                                                         \
    X(MCP_METHOD, "Mcp-Method")                                                                    \
    X(MCP_NAME, "Mcp-Name")

enum header_name {
    HEADER_OTHER,
#define X(word, name) HEADER_##word,
    HEADER_LIST(X)
#undef X
};

struct header {
    struct str name, value;
    enum header_name is; /* head_name_of() it */
};

/* Which one it is; case does not count. */
enum header_name head_name_of(struct str name);

/* The connection's local end. */
struct local_address {
    bool is_unix;
    struct str ip; /* as text, IPv6 without brackets; NULL data on a unix socket */
    unsigned port;
};

/* What the caller's certificate is worth. */
enum peer_cert {
    PEER_CERT_NONE, /* it showed none, or was not asked for one */
    PEER_CERT_GOOD,
    PEER_CERT_FOREIGN /* it showed one that our CA does not vouch for, now */
};

/* The connection's other end. */
struct request_peer {
    bool is_unix;
    struct str ip; /* of TCP: its address as text, for the log; borrowed as `groups` are */
    bool known;    /* of a unix socket, the process: what follows holds */
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* the supplementary ones; borrowed for as long as the exchange lasts */
    size_t n_groups;
    enum peer_cert cert;
    struct str subject; /* of a good certificate, as RFC 4514 writes it; borrowed likewise */
};

struct request_head {
    struct str method;
    struct str path;      /* raw, before any `?`; of a target in absolute form what is behind its
                             authority */
    struct str query;     /* raw, without the `?`; NULL data where there is none */
    struct str authority; /* raw, of a target in absolute form; NULL data: it has another form */
    bool http_1_0;
    bool malformed; /* the server saw a layout that two readers could understand differently: NUL,
                       folded line, bare LF, empty name */
    const struct header *headers; /* in the order they came */
    size_t n_headers;
    size_t head_bytes;
    struct local_address local;
};

/* The first header of that name, or NULL. */
const struct header *head_find(const struct request_head *head, enum header_name name);

/* How many there are of that name. */
size_t head_count(const struct request_head *head, enum header_name name);

/* Moves the authority of a target in absolute form out of `path`, which is the whole target before
 * any `?` until then. `method` and `query` must be there. RFC 9112 section 3.2.2. */
void head_split_target(struct request_head *head);

/* Is it `OPTIONS *`, a question about the server as a whole? RFC 9110 section 9.3.7. */
bool head_is_about_server(const struct request_head *head);

/* What names the host that the request is for: the target's authority, else `Host`, without white
 * space around it; NULL data where there is neither. RFC 9112 section 3.2.2. */
struct str head_host(const struct request_head *head);

/* `Content-Length`, or false where there is none (or no number). */
bool head_content_length(const struct request_head *head, uint64_t *ret);

/* Does a body follow: a `Transfer-Encoding`, or a `Content-Length` over 0? */
bool head_has_body(const struct request_head *head);

#endif
