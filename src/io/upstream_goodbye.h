/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a connection over TLS that libcurl has opened and that carries our own HTTP. */
#ifndef RPCGATE_IO_UPSTREAM_GOODBYE_H
#define RPCGATE_IO_UPSTREAM_GOODBYE_H

#include <curl/curl.h>

/* Sends TLS's close_notify on the socket `fd` (RFC 8446 section 6.1), which libcurl from 8.9 on
 * leaves to whoever has used the connection. Before that one, and with another library than OpenSSL
 * behind libcurl, it does nothing; nor where the socket takes no more. Never waits. Nothing may be
 * read or sent on the connection afterwards; `easy` is still the caller's to free. */
void goodbye_send(CURL *easy, curl_socket_t fd);

#endif
