/* SPDX-License-Identifier: Apache-2.0 */
/* What to do when a step of `rpcgate check` fails. */
#ifndef RPCGATE_TOOL_CHECK_ADVICE_H
#define RPCGATE_TOOL_CHECK_ADVICE_H

#define ADVICE_DNS "Check the host name in `url` (or proxy.url), and this machine's resolver."
#define ADVICE_PROXY                                                                               \
    "Check `proxy`: that it runs at its url, its username and password, and what it lets through."
#define ADVICE_TIMEOUT                                                                             \
    "Check whether it is overloaded or a firewall drops packets, or raise `timeouts`."
#define ADVICE_RENEW "Renew the server's certificate."
#define ADVICE_WRONG_LOGIN "Check username, password or token of `auth`, and its scheme."
#define ADVICE_NO_LOGIN "Set `auth` with the scheme that it asks for."
#define ADVICE_FORBIDDEN                                                                           \
    "Check what the server allows to these credentials and to this machine's address."
#define ADVICE_PATH "Check the path of `url`; many servers use /RPC2 or /xmlrpc."
#define ADVICE_LOST "Look into the server's log: it closed the connection."
#define ADVICE_NO_HTTP "Check the port of `url`, and whether it wants https."

/* By libcurl's words. */
const char *advice_connect(const char *detail);
const char *advice_tls(const char *detail);

const char *advice_status(int http_status);

#endif
