/* SPDX-License-Identifier: Apache-2.0 */
/* Callers' TLS handshakes that fail. The library does them, keeps to itself why one failed, and
 * has let go of the session when it tells of the connection's end. So what it reads goes through
 * here, and is remembered as far as it takes to say why. */
#include "io/http_connection.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdio.h>
#include <sys/socket.h>

/* A record's header: type, version (2), length (2). */
#define RECORD_HEADER 5

enum record_type { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_ENCRYPTED = 23 };

/* In TLS 1.3 an alert's two bytes, its type and the seal, of 16 bytes at most; every other message
 * of a handshake is longer. */
#define SEALED_ALERT_MAX 19

static size_t record_len(const struct http_handshake *h)
{
    return RECORD_HEADER + (size_t)h->record[3] * 256 + h->record[4];
}

static void remember(struct http_handshake *h, const unsigned char *bytes, size_t n)
{
    if (n > 0 && !h->began)
        h->first = bytes[0];
    h->began |= n > 0;
    for (size_t i = 0; i < n; i++) {
        if (h->at >= RECORD_HEADER && h->at == record_len(h))
            h->at = 0;
        if (h->at < sizeof h->record)
            h->record[h->at] = bytes[i];
        h->at++;
    }
}

static ssize_t on_pull(gnutls_transport_ptr_t pointer, void *room, size_t size)
{
    struct http_connection *c = pointer;
    ssize_t n = recv(c->fd, room, size, 0);
    int saved = errno;
    if (UNLIKELY(!c->handshake.done)) {
        bool is_end = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        c->handshake.left |= is_end && c->phase != HTTP_ENDING;
        remember(&c->handshake, room, n > 0 ? (size_t)n : 0);
    }
    errno = saved;
    return n;
}

static int on_message(gnutls_session_t session, unsigned type UNUSED, unsigned when UNUSED,
                      unsigned incoming, const gnutls_datum_t *message UNUSED)
{
    gnutls_transport_ptr_t from, to;
    gnutls_transport_get_ptr2(session, &from, &to);
    struct http_connection *c = from;
    if (incoming)
        c->handshake.done = true;
    return 0;
}

void http_handshake_watch(struct http_connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_transport_ptr_t from, to;
    if (info == NULL || info->tls_session == NULL)
        return;
    gnutls_session_t session = info->tls_session;
    gnutls_transport_get_ptr2(session, &from, &to);
    gnutls_transport_set_ptr2(session, c, to);
    gnutls_transport_set_pull_function(session, on_pull);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       on_message);
}

static const char *alert_name(const struct http_handshake *h)
{
    const char *name = gnutls_alert_get_name((gnutls_alert_description_t)h->record[6]);
    return name != NULL ? name : "not known";
}

static void explain(const struct http_connection *c, char *ret, size_t size)
{
    const struct http_handshake *h = &c->handshake;
    bool whole = h->at >= RECORD_HEADER && h->at == record_len(h);
    if (h->first != RECORD_HANDSHAKE)
        snprintf(ret, size, "what came is no TLS");
    else if (whole && h->record[0] == RECORD_ALERT && h->at == sizeof h->record)
        snprintf(ret, size, "the caller refused it with an alert: %s", alert_name(h));
    else if (whole && h->record[0] == RECORD_ENCRYPTED && h->at <= RECORD_HEADER + SEALED_ALERT_MAX)
        snprintf(ret, size,
                 "the caller refused it with an alert; it may not trust the certificate");
    else if (h->left)
        snprintf(ret, size, "the caller left");
    else if (c->phase == HTTP_ENDING)
        snprintf(ret, size,
                 "it was not done in time (limits.header_time), or made room for others");
    else
        snprintf(ret, size,
                 "what the caller sent cannot be accepted: its TLS versions, its algorithms or "
                 "its form");
}

void http_handshake_over(struct http_connection *c)
{
    struct http_server *server = c->server;
    char ip[INET6_ADDRSTRLEN] = "", reason[128];
    if (c->handshake.done || !c->handshake.began || server->closing || server->tls_failed == NULL)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info != NULL && info->client_addr != NULL)
        http_peer_address(info->client_addr, ip);
    explain(c, reason, sizeof reason);
    server->tls_failed(server->context, ip, reason);
}
