/* SPDX-License-Identifier: Apache-2.0 */
/* How an exchange with an upstream went, step by step, for who looks into it: not for each call. */
#ifndef RPCGATE_IO_UPSTREAM_DETAILS_H
#define RPCGATE_IO_UPSTREAM_DETAILS_H

#include <stdbool.h>
#include <stdint.h>

#define UPSTREAM_CERTIFICATE_TEXT 1024

/* The server's own certificate. Texts are cut where they do not fit. */
struct upstream_certificate {
    bool known; /* there was one, and it was read */
    char subject[UPSTREAM_CERTIFICATE_TEXT];
    char issuer[UPSTREAM_CERTIFICATE_TEXT];
    char names[UPSTREAM_CERTIFICATE_TEXT]; /* as "DNS:a.example, IP Address:192.0.2.1" */
    unsigned n_sent;                       /* with those that it sent behind it */
    int64_t begins_s, expires_s;           /* since 1970; 0: not understood */
};

/* Times are in us from the begin of the exchange; 0: it did not get so far. */
struct upstream_details {
    int64_t resolved_us, connected_us;
    int64_t tls_us;   /* 0 also without TLS */
    int64_t ended_us; /* the whole exchange */
    char address[64]; /* of the server, or of the proxy; "": none, or a unix socket */
    int port;
    struct upstream_certificate certificate;
};

#endif
