/* SPDX-License-Identifier: Apache-2.0 */
/* What to do when a call, or a step of `rpcgate check`, fails, by the words of libcurl, OpenSSL or
 * the system. Where there is nothing to advise, that is said. */
#ifndef RPCGATE_RULES_ADVICE_H
#define RPCGATE_RULES_ADVICE_H

#include <stdbool.h>

#define ADVICE_NONE                                                                                \
    "rpcgate has no advice for this reason; look into the server's log, and for these words."
#define ADVICE_DNS "Check the host name in `url` (or proxy.url), and this machine's resolver."
#define ADVICE_SLOW_NAME                                                                           \
    "Check this machine's resolver: it takes longer than timeouts.connect, which may be raised."
#define ADVICE_CONNECT_TIME "Check the address and firewalls, or raise timeouts.connect."
#define ADVICE_PROXY                                                                               \
    "Check `proxy`: that it runs at its url, its username and password, and what it lets through."
#define ADVICE_TIMEOUT                                                                             \
    "Check whether it is overloaded or a firewall drops packets, or raise `timeouts`."
#define ADVICE_KEPT                                                                                \
    "It ends connections that could be kept without saying so: set timeouts.idle = \"0s\"."
#define ADVICE_RENEW "Renew the server's certificate."
#define ADVICE_PATH "Check the path of `url`; many servers use /RPC2 or /xmlrpc."
#define ADVICE_REFUSED                                                                             \
    "Correct the upstream's `credentials`, before further tries lock the account."
#define ADVICE_SESSION "Look at the upstream's `session`, and at what its server wants there."
#define ADVICE_CODING                                                                              \
    "Have the server compress with gzip or deflate, or not at all; compression.accept = false "    \
    "asks "                                                                                        \
    "for none."

const char *advice_dns(const char *detail);
const char *advice_connect(const char *detail);

/* What is known beside the reason. */
struct advice_tls {
    bool has_ca;             /* tls.ca_file or tls.ca_path is set */
    unsigned n_sent;         /* certificates that the server has sent; 0: not known */
    bool is_self_signed;     /* its own one */
    bool takes_old_versions; /* tls.min_version is older than 1.2 */
};

const char *advice_tls(const char *detail, const struct advice_tls *known);

/* A connection that ended before the answer was complete, and an answer that is no HTTP. */
const char *advice_lost(const char *detail, bool kept);
const char *advice_no_http(const char *detail);

enum advice_login {
    ADVICE_LOGIN_NONE,
    ADVICE_LOGIN_BASIC,
    ADVICE_LOGIN_DIGEST,
    ADVICE_LOGIN_BEARER
};

/* For a 401. `wants` is what WWW-Authenticate asks for; "": nothing. */
const char *advice_login(const char *wants, enum advice_login configured);

/* `proxied`: the answer may be a proxy's, which has read the request. */
const char *advice_forbidden(bool proxied);
const char *advice_status(int http_status, bool proxied);

#endif
