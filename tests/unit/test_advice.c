/* SPDX-License-Identifier: Apache-2.0 */
/* Each reason that libcurl and OpenSSL give has an advice that fits, or it is said that there is
 * none. */
#include "base/macros.h"
#include "rules/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What X509_verify_cert_error_string() of OpenSSL 3.0 says. */
static const char *const certificate_reasons[] = {
    "unspecified certificate verification error",
    "unable to get issuer certificate",
    "unable to get certificate CRL",
    "unable to decrypt certificate's signature",
    "unable to decrypt CRL's signature",
    "unable to decode issuer public key",
    "certificate signature failure",
    "CRL signature failure",
    "certificate is not yet valid",
    "certificate has expired",
    "CRL is not yet valid",
    "CRL has expired",
    "format error in certificate's notBefore field",
    "format error in certificate's notAfter field",
    "format error in CRL's lastUpdate field",
    "format error in CRL's nextUpdate field",
    "out of memory",
    "self-signed certificate",
    "self-signed certificate in certificate chain",
    "unable to get local issuer certificate",
    "unable to verify the first certificate",
    "certificate chain too long",
    "certificate revoked",
    "issuer certificate doesn't have a public key",
    "path length constraint exceeded",
    "unsuitable certificate purpose",
    "certificate not trusted",
    "certificate rejected",
    "subject issuer mismatch",
    "authority and subject key identifier mismatch",
    "authority and issuer serial number mismatch",
    "key usage does not include certificate signing",
    "unable to get CRL issuer certificate",
    "unhandled critical extension",
    "key usage does not include CRL signing",
    "unhandled critical CRL extension",
    "invalid non-CA certificate (has CA markings)",
    "proxy path length constraint exceeded",
    "key usage does not include digital signature",
    "proxy certificates not allowed, please set the appropriate flag",
    "invalid or inconsistent certificate extension",
    "invalid or inconsistent certificate policy extension",
    "no explicit policy",
    "different CRL scope",
    "unsupported extension feature",
    "RFC 3779 resource not subset of parent's resources",
    "permitted subtree violation",
    "excluded subtree violation",
    "name constraints minimum and maximum not supported",
    "application verification failure",
    "unsupported name constraint type",
    "unsupported or invalid name constraint syntax",
    "unsupported or invalid name syntax",
    "CRL path validation error",
    "path loop",
    "Suite B: certificate version invalid",
    "Suite B: invalid public key algorithm",
    "Suite B: invalid ECC curve",
    "Suite B: invalid signature algorithm",
    "Suite B: curve not allowed for this LOS",
    "Suite B: cannot sign P-384 with P-256",
    "hostname mismatch",
    "email address mismatch",
    "IP address mismatch",
    "no matching DANE TLSA records",
    "EE certificate key too weak",
    "CA certificate key too weak",
    "CA signature digest algorithm too weak",
    "invalid certificate verification context",
    "issuer certificate lookup error",
    "Certificate Transparency required, but no valid SCTs found",
    "proxy subject name violation",
    "OCSP verification needed",
    "OCSP verification failed",
    "OCSP unknown cert",
    "Cannot find certificate signature algorithm",
    "subject signature algorithm and issuer public key algorithm mismatch",
    "cert info signature and signature algorithm mismatch",
    "invalid CA certificate",
    "Path length invalid for non-CA cert",
    "Path length given without key usage keyCertSign",
    "Key usage keyCertSign invalid for non-CA cert",
    "Issuer name empty",
    "Subject name empty",
    "Missing Authority Key Identifier",
    "Missing Subject Key Identifier",
    "Empty Subject Alternative Name extension",
    "Subject empty and Subject Alt Name extension not critical",
    "Basic Constraints of CA cert not marked critical",
    "Authority Key Identifier marked critical",
    "Subject Key Identifier marked critical",
    "CA cert does not include key usage extension",
    "Using cert extension requires at least X509v3",
    "Certificate public key has explicit ECC parameters",
};

static const struct advice_tls nothing_known;

static void test_every_certificate_reason(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(certificate_reasons); i++) {
        char detail[256];
        snprintf(detail, sizeof detail, "SSL certificate problem: %s", certificate_reasons[i]);
        const char *advice = advice_tls(detail, &nothing_known);
        assert_non_null(advice);
        assert_string_not_equal(advice, ADVICE_NONE);
        assert_null(strstr(advice, "port"));
    }
}

static void expect(const char *detail, const char *advice, const char *part)
{
    if (advice == NULL || strstr(advice, part) == NULL)
        fail_msg("%s: %s, not %s", detail, advice != NULL ? advice : "NULL", part);
}

static void test_tls(void **state UNUSED)
{
    static const struct {
        const char *detail, *part;
    } rows[] = {
        { "SSL certificate problem: certificate has expired", "Renew" },
        { "SSL certificate problem: certificate is not yet valid", "clocks" },
        { "SSL certificate problem: EE certificate key too weak", "DEFAULT@SECLEVEL=0" },
        { "SSL certificate problem: CA certificate key too weak", "DEFAULT@SECLEVEL=0" },
        { "SSL certificate problem: CA signature digest algorithm too weak", "DEFAULT@SECLEVEL=0" },
        { "SSL certificate problem: certificate revoked", "revoked the server's" },
        { "SSL certificate problem: self-signed certificate", "tls.ca_file" },
        { "SSL certificate problem: self signed certificate in certificate chain", "tls.ca_file" },
        { "SSL certificate problem: unable to get local issuer certificate", "tls.ca_file" },
        { "SSL certificate problem: unable to get CRL issuer certificate", "revoked certificates" },
        { "SSL certificate problem: invalid CA certificate", "breaks the rules" },
        { "SSL: no alternative certificate subject name matches target host name '127.0.0.1'",
          "certificate's names" },
        { "SSL: certificate subject name 'a' does not match target host name 'b'",
          "certificate's names" },
        { "SSL: public key does not match pinned public key", "tls.pinned_public_key" },
        { "error:0A00010B:SSL routines::wrong version number", "speaks no TLS" },
        { "error:0A0000C6:SSL routines::packet length too long", "speaks no TLS" },
        { "error:0A000102:SSL routines::unsupported protocol", "min_version" },
        { "error:0A00042E:SSL routines::tlsv1 alert protocol version", "min_version" },
        { "error:0A00018A:SSL routines::dh key too small", "DEFAULT@SECLEVEL=0" },
        { "error:0A00018F:SSL routines::ee key too small", "DEFAULT@SECLEVEL=0" },
        { "error:0A00018E:SSL routines::ca md too weak", "DEFAULT@SECLEVEL=0" },
        { "error:0A000152:SSL routines::unsafe legacy renegotiation disabled", "RFC 5746" },
        { "error:0A000410:SSL routines::sslv3 alert handshake failure", "tls.ciphers" },
        { "error:0A000412:SSL routines::sslv3 alert bad certificate", "tls.cert_file" },
        { "error:0A000413:SSL routines::sslv3 alert unsupported certificate", "tls.cert_file" },
        { "error:0A000414:SSL routines::sslv3 alert certificate revoked", "of tls.cert_file was" },
        { "error:0A000415:SSL routines::sslv3 alert certificate expired", "of tls.cert_file has" },
        { "error:0A000416:SSL routines::sslv3 alert certificate unknown", "tls.cert_file" },
        { "error:0A000418:SSL routines::tlsv1 alert unknown ca", "of tls.cert_file" },
        { "error:0A00045C:SSL routines::tlsv13 alert certificate required", "set tls.cert_file" },
        { "error:0A000419:SSL routines::tlsv1 alert access denied", "tls.cert_file" },
        { "error:0A000458:SSL routines::tlsv1 unrecognized name", "this name" },
        { "error:0A00042F:SSL routines::tlsv1 alert insufficient security", "tls.ciphers" },
        { "error:0A000460:SSL routines::tlsv1 alert no application protocol", "HTTP/1.1" },
        { "error:0A000438:SSL routines::tlsv1 alert internal error", "log" },
        { "error:0A0000BF:SSL routines::no protocols available", "tls.min_version" },
        { "error:0A000126:SSL routines::unexpected eof while reading", "within the handshake" },
        { "OpenSSL SSL_connect: Connection reset by peer in connection to a:443 ", "handshake" },
        { "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to a:443 ", "handshake" },
        { "SSL connection timeout", "timeouts.connect" },
        { "failed setting cipher list: X", "tls.ciphers" },
        { "unable to set private key file: 'x' type PEM", "tls.cert_file" },
        { "error setting certificate verify locations:  CAfile: x", "tls.ca_file" },
        { "error:0A000130:SSL routines::bn lib", "openssl s_client" },
        { "something that nobody has ever said", "no advice" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(rows[i].detail, advice_tls(rows[i].detail, &nothing_known), rows[i].part);
}

static void test_issuers(void **state UNUSED)
{
    static const char detail[] = "SSL certificate problem: unable to get local issuer certificate";
    static const struct {
        struct advice_tls known;
        const char *part;
    } rows[] = {
        { { .has_ca = true, .n_sent = 1 }, "sends no intermediate" },
        { { .n_sent = 1 }, "sends no intermediate" },
        { { .n_sent = 2 }, "Name its CA's certificate" },
        { { .has_ca = true, .n_sent = 2 }, "None of the CAs in tls.ca_file" },
        { { .has_ca = true, .n_sent = 1, .is_self_signed = true },
          "signed its certificate itself" },
        { { .n_sent = 0 }, "Name its CA's certificate" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(detail, advice_tls(detail, &rows[i].known), rows[i].part);
    static const char old[] = "error:0A000102:SSL routines::unsupported protocol";
    const struct advice_tls takes_all = { .takes_old_versions = true };
    expect(old, advice_tls(old, &takes_all), "no common version");
}

static void test_http(void **state UNUSED)
{
    static const struct {
        const char *detail, *part;
    } rows[] = {
        { "the answer is not HTTP", "https" },
        { "the answer is not HTTP/1", "https" },
        { "Header without colon", "no header" },
        { "Nul byte in header", "NUL" },
        { "the response's head has a line with a CR that does not end it", "a CR within" },
        { "the response's head has a blank before the colon of its framing", "before a colon" },
        { "the response's head has more than 100 lines or 64 KiB", "too large" },
        { "the response's Transfer-Encoding is not chunked", "Transfer-Encoding" },
        { "what the response's Content-Encoding says is damaged", "compression.accept" },
        { "Reject response due to more than 5 content encodings", "compression.accept" },
        { "the compressed answer has something behind its end", "compression.accept" },
        { "what nobody has said", "no advice" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(rows[i].detail, advice_no_http(rows[i].detail), rows[i].part);
    expect("lost", advice_lost("Empty reply from server", false), "log");
    expect("less", advice_lost("transfer closed with 9 bytes remaining to read", false), "less");
    expect("less", advice_lost("end of response with 9 bytes missing", false), "less");
    expect("kept", advice_lost("a kept connection was closed", true), "timeouts.idle");
    expect("length", advice_lost("Invalid Content-Length: value", false), "Content-Length");
    expect("slow", advice_dns("Resolving timed out after 2000 milliseconds"), "timeouts.connect");
    expect("name", advice_dns("Could not resolve host: a"), "host name");
    expect("route", advice_connect("Failed to connect (No route to host)"), "routes");
    expect("else", advice_connect("what nobody has said"), "no advice");
    expect("proxy", advice_status(502, true), "proxy");
    expect("server", advice_status(502, false), "does not reach");
    expect("forbidden", advice_forbidden(true), "proxy");
}

static void test_logins(void **state UNUSED)
{
    static const struct {
        const char *wants;
        enum advice_login configured;
        const char *part;
    } rows[] = {
        { "Basic realm=\"a\"", ADVICE_LOGIN_NONE, "Set `auth`" },
        { "Basic realm=\"a\"", ADVICE_LOGIN_BASIC, "Check username" },
        { "Digest realm=\"a\", nonce=\"b\"", ADVICE_LOGIN_BASIC, "\"digest\"" },
        { "Basic realm=\"a\"", ADVICE_LOGIN_DIGEST, "\"basic\"" },
        { "Bearer", ADVICE_LOGIN_BASIC, "\"bearer\"" },
        { "Basic realm=\"a\"", ADVICE_LOGIN_BEARER, "user name" },
        { "Negotiate", ADVICE_LOGIN_BASIC, "another scheme" },
        { "NTLM", ADVICE_LOGIN_NONE, "another scheme" },
        { "Digest algorithm=SHA-512-256, nonce=\"b\"", ADVICE_LOGIN_DIGEST, "MD5 and SHA-256" },
        { "Digest nonce=\"b\", algorithm=\"token\"", ADVICE_LOGIN_DIGEST, "MD5 and SHA-256" },
        { "Digest nonce=\"b\", algorithm=md5", ADVICE_LOGIN_DIGEST, "Check username" },
        { "Digest algorithm=SHA-256-sess", ADVICE_LOGIN_DIGEST, "Check username" },
        { "", ADVICE_LOGIN_BASIC, "Check username" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(rows[i].wants, advice_login(rows[i].wants, rows[i].configured), rows[i].part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_certificate_reason),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_issuers),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_logins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
