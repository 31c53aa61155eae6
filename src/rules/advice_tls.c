/* SPDX-License-Identifier: Apache-2.0 */
/* Why TLS does not come about: OpenSSL has 94 reasons against a certificate and 321 against a
 * handshake. Those that a wrong setting or server makes have a row, the first that fits counts; all
 * the others against a handshake say that one side breaks the protocol. */
#include "rules/advice.h"

#include "base/macros.h"
#include "rules/advice_rows.h"

#include <string.h>
#include <strings.h>

#define NAMES "Use one of the certificate's names in `url`."
#define NO_TLS "The port speaks no TLS: use http, or the port for https."
#define WEAK                                                                                       \
    "The server needs a better key or signature; until then tls.ciphers = \"DEFAULT@SECLEVEL=0\" " \
    "takes weak ones."
#define BROKEN                                                                                     \
    "The server's certificate, or one of those that sign it, breaks the rules: it needs new ones."
#define OURS "It takes no certificate but those that it knows: see tls.cert_file."
#define CRL                                                                                        \
    "OpenSSL's settings on this machine want lists of revoked certificates, which rpcgate "        \
    "does not fetch."
#define OLD                                                                                        \
    "It speaks older versions of TLS only: it needs an update; until then tls.min_version = "      \
    "\"1.0\" takes them."
#define NO_VERSION "The two allow no common version of TLS: see tls.min_version, and the server's."
#define NO_COMMON                                                                                  \
    "The two have no cipher, curve or signature in common: see tls.ciphers, and the server's."
#define LOCAL_FILES "Check tls.cert_file, tls.key_file and tls.key_password."

static const struct advice_row certificate_rows[] = {
    { "hostname mismatch", NAMES },
    { "IP address mismatch", NAMES },
    { "certificate has expired", ADVICE_RENEW },
    { "certificate is not yet valid", "Check the clocks of both machines." },
    { "self-signed certificate in", "Name its CA's certificate in tls.ca_file." },
    { "self signed certificate in", "Name its CA's certificate in tls.ca_file." },
    { "self-signed certificate",
      "It has signed its certificate itself: name that in tls.ca_file." },
    { "self signed certificate",
      "It has signed its certificate itself: name that in tls.ca_file." },
    { "too weak", WEAK },
    { "CRL", CRL },
    { "certificate revoked", "Its CA has revoked the server's certificate: it needs a new one." },
    { "Suite B", BROKEN },
    { "OCSP",
      "OpenSSL's settings on this machine want its CA's word, which rpcgate does not ask for." },
    { "Transparency", BROKEN },
    { "mismatch", BROKEN },
    { "out of memory", "This machine is short of memory." },
};

static const struct advice_row rows[] = {
    { "subject name", NAMES },
    { "host name", NAMES },
    { "unrecognized name", "The server knows no certificate for this name: use one of its names in "
                           "`url`." },
    { "pinned", "Its key is not the one of tls.pinned_public_key: find out why it changed." },
    { "wrong version number", NO_TLS },
    { "http request", NO_TLS },
    { "https proxy request", NO_TLS },
    { "packet length too long", NO_TLS },
    { "record layer failure", NO_TLS },
    { "unknown protocol", NO_TLS },
    { "unsupported protocol", OLD },
    { "version too low", OLD },
    { "wrong ssl version", OLD },
    { "unsupported ssl version", OLD },
    { "protocol version", OLD },
    { "no protocols available", "OpenSSL's settings on this machine allow no version that "
                                "tls.min_version does." },
    { "too small", WEAK },
    { "too weak", WEAK },
    { "legacy sigalg", WEAK },
    { "unsafe legacy renegotiation",
      "Its TLS renegotiates as OpenSSL does not allow since RFC 5746: "
      "it needs an update." },
    { "no cipher match", "tls.ciphers names none that OpenSSL knows." },
    { "no ciphers available", "tls.ciphers and tls.min_version leave no cipher." },
    { "library has no ciphers", "tls.ciphers and tls.min_version leave no cipher." },
    { "failed setting cipher list", "tls.ciphers names none that OpenSSL knows." },
    { "handshake failure", "It wants a certificate of ours (tls.cert_file), or there is no common "
                           "one of tls.ciphers." },
    { "certificate expired", "The certificate of tls.cert_file has expired: renew it." },
    { "certificate revoked", "The certificate of tls.cert_file was revoked: get a new one." },
    { "alert unknown ca", "It does not know who signed the certificate of tls.cert_file: put the "
                          "certificates between it and its CA behind it, or have the server trust "
                          "that CA." },
    { "certificate required", "It wants a certificate of ours: set tls.cert_file." },
    { "certificate", NULL }, /* below */
    { "access denied", OURS },
    { "insufficient security", NO_COMMON },
    { "no shared", NO_COMMON },
    { "no suitable", NO_COMMON },
    { "wrong signature type", NO_COMMON },
    { "wrong curve", NO_COMMON },
    { "unsupported elliptic curve", NO_COMMON },
    { "inappropriate fallback", NO_VERSION },
    { "version too high", NO_VERSION },
    { "unknown ssl version", NO_VERSION },
    { "application protocol", "It does not speak HTTP/1.1 at this port." },
    { "unexpected eof", "It closed the connection within the handshake: check whether the port "
                        "speaks TLS, and look into the server's log." },
    { "reset", "It closed the connection within the handshake: check whether the port speaks TLS, "
               "and look into the server's log." },
    { "SSL_ERROR_SYSCALL", "It closed the connection within the handshake: check whether the port "
                           "speaks TLS, and look into the server's log." },
    { "SSL_ERROR_ZERO_RETURN", "It closed the connection within the handshake: check whether the "
                               "port speaks TLS, and look into the server's log." },
    { "closed", "It closed the connection within the handshake: check whether the port speaks TLS, "
                "and look into the server's log." },
    { "timed out", "Check whether the port speaks TLS, or raise timeouts.connect." },
    { "timeout", "Check whether the port speaks TLS, or raise timeouts.connect." },
    { "private key", LOCAL_FILES },
    { "PEM", LOCAL_FILES },
    { "internal error", "Something failed in the server: look into its log." },
    { "alert", "It refuses what we sent in the handshake: look into the server's log." },
    { "SSL routines", "One of the two breaks the rules of TLS: look into the server's log, and try "
                      "`openssl s_client -connect HOST:PORT`." },
};

static const struct advice_row local_rows[] = {
    { "local SSL certificate", LOCAL_FILES },
    { "client certificate", LOCAL_FILES },
    { "set private key", LOCAL_FILES },
    { "could not load", LOCAL_FILES },
    { "error adding trust", "Check tls.ca_file and tls.ca_path." },
    { "CA cert", "Check tls.ca_file and tls.ca_path." },
    { "verify locations", "Check tls.ca_file and tls.ca_path." },
};

#define VERIFY "SSL certificate problem: "

/* The CA is not known, or one between it and the server's certificate is missing. */
static const char *advice_issuer(const struct advice_tls *known)
{
    if (known->is_self_signed)
        return "It has signed its certificate itself: name that in tls.ca_file.";
    if (known->n_sent == 1 && known->has_ca)
        return "The server sends no intermediate certificate: put the one that signed its own into "
               "tls.ca_file, too, or have the server send it.";
    if (known->n_sent == 1)
        return "Name its CA's certificate in tls.ca_file; or, where its CA is known, the server "
               "sends no intermediate certificate: have it send that, or name it there.";
    if (known->has_ca)
        return "None of the CAs in tls.ca_file has signed what it sends: put its CA's certificate "
               "there, too.";
    return "Name its CA's certificate in tls.ca_file.";
}

static const char *advice_certificate(const char *reason, const struct advice_tls *known)
{
    static const char *const issuer[] = { "issuer certificate", "verify the first certificate" };
    for (size_t i = 0; i < ARRAY_LEN(issuer); i++)
        if (strstr(reason, issuer[i]) != NULL && strstr(reason, "CRL") == NULL &&
            strstr(reason, "doesn't have") == NULL && strstr(reason, "lookup") == NULL)
            return advice_issuer(known);
    const char *text = advice_find(certificate_rows, ARRAY_LEN(certificate_rows), reason);
    return strcmp(text, ADVICE_NONE) != 0 ? text : BROKEN;
}

const char *advice_tls(const char *detail, const struct advice_tls *known)
{
    const char *problem = strstr(detail, VERIFY);
    if (problem != NULL)
        return advice_certificate(problem + strlen(VERIFY), known);
    const char *text = advice_find(local_rows, ARRAY_LEN(local_rows), detail);
    if (strcmp(text, ADVICE_NONE) == 0)
        text = advice_find(rows, ARRAY_LEN(rows), detail);
    if (text == NULL)
        text = strcasestr(detail, "alert") != NULL ? OURS : BROKEN;
    if (strcmp(text, OLD) == 0 && known->takes_old_versions)
        text = NO_VERSION;
    return text;
}
