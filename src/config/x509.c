/* SPDX-License-Identifier: Apache-2.0 */
#include "config/x509.h"

#include <gnutls/x509.h>

/* GnuTLS counts in unsigned; files are far smaller. */
static gnutls_datum_t datum(struct str s)
{
    return (gnutls_datum_t){ (unsigned char *)(size_t)s.data, (unsigned)s.len };
}

static void explain(struct buf *why, int code)
{
    buf_printf(why, "cannot be used: %s", gnutls_strerror(code));
}

bool x509_check_trust(struct str certificates, struct buf *why)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned n = 0;
    gnutls_datum_t data = datum(certificates);
    int code = gnutls_x509_crt_list_import2(&list, &n, &data, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0) {
        explain(why, code);
        return false;
    }
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return true;
}

enum x509_pair x509_check_pair(struct str cert, struct str key, const char *password,
                               struct buf *why)
{
    gnutls_certificate_credentials_t credentials;
    if (!x509_check_trust(cert, why))
        return X509_PAIR_UNREADABLE; /* of such a one GnuTLS leaks memory below */
    int code = gnutls_certificate_allocate_credentials(&credentials);
    if (code < 0) {
        explain(why, code);
        return X509_PAIR_UNREADABLE;
    }
    gnutls_datum_t cert_data = datum(cert), key_data = datum(key);
    code = gnutls_certificate_set_x509_key_mem2(credentials, &cert_data, &key_data,
                                                GNUTLS_X509_FMT_PEM, password, 0);
    gnutls_certificate_free_credentials(credentials);
    switch (code) {
    case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
        return X509_PAIR_DIFFERENT;
    case GNUTLS_E_DECRYPTION_FAILED:
        return X509_PAIR_LOCKED;
    default:
        break;
    }
    if (code >= 0)
        return X509_PAIR_GOOD;
    explain(why, code);
    return X509_PAIR_UNREADABLE;
}
