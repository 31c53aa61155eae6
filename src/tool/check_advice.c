/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/check_advice.h"

#include "base/macros.h"

#include <stddef.h>
#include <string.h>

struct advice {
    const char *mark, *text;
};

static const char *find(const struct advice *rows, size_t n, const char *detail)
{
    size_t i = 0;
    while (i + 1 < n && strstr(detail, rows[i].mark) == NULL)
        i++;
    return rows[i].text;
}

const char *advice_connect(const char *detail)
{
    static const struct advice rows[] = {
        { "refused", "Start the server, or check the port of `url`: nothing listens there." },
        { "No such file", "Start the server, or check the socket's path in `url`." },
        { "Permission denied", "Give this user the right to connect to the socket." },
        { "timed out", "Check the address and firewalls, or raise timeouts.connect." },
        { "timeout", "Check the address and firewalls, or raise timeouts.connect." },
        { "", "Check the host and port of `url`, and the way there." },
    };
    return find(rows, ARRAY_LEN(rows), detail);
}

const char *advice_tls(const char *detail)
{
    static const struct advice rows[] = {
        { "certificate has expired", ADVICE_RENEW },
        { "not yet valid", "Check the clocks of both machines." },
        { "subject name", "Use one of the certificate's names in `url`." },
        { "host name", "Use one of the certificate's names in `url`." },
        { "issuer certificate", "Name the CA's certificate in tls.ca_file." },
        { "self-signed certificate", "Name the CA's certificate in tls.ca_file." },
        { "self signed certificate", "Name the CA's certificate in tls.ca_file." },
        { "pinned", "Its key is not the one of tls.pinned_public_key: find out why it changed." },
        { "wrong version number", "The port speaks no TLS: use http, or the port for https." },
        { "unsupported protocol", "It speaks older versions of TLS only: it needs an update." },
        { "protocol version", "The two allow no common version of TLS: see tls.min_version." },
        { "handshake failure", "It wants a certificate of ours (tls.cert_file), or there is no "
                               "common one of tls.ciphers." },
        { "alert", "It wants a certificate of ours, or another: see tls.cert_file." },
        { "time", "Check whether the port speaks TLS, or raise timeouts.connect." },
        { "", "Check the port of `url`, and the settings of `tls`." },
    };
    return find(rows, ARRAY_LEN(rows), detail);
}

const char *advice_status(int status)
{
    if (status == 404 || status == 405)
        return ADVICE_PATH;
    if (status >= 300 && status < 400)
        return "Redirects are not followed: set `url` to where the server really is.";
    if (status == 429 || status == 503)
        return "It is busy or restarting: try again later.";
    return "Look into the server's log.";
}
