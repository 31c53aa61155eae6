/* SPDX-License-Identifier: Apache-2.0 */
/* Callers' TLS. libmicrohttpd does the handshake and asks for a certificate, but serves whatever is
 * shown: whether it is worth something we find out ourselves. */
#include "base/alloc.h"
#include "io/http_connection.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>

#define SINCE_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define SINCE_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static char *priorities(const struct http_tls *tls)
{
    static char since_1_2[] = SINCE_1_2, since_1_3[] = SINCE_1_3;
    return tls->only_1_3 ? since_1_3 : since_1_2;
}

/* The library's options are pointers to what it does not change. */
static void *not_changed(struct str text)
{
    union {
        const char *data;
        void *pointer;
    } same = { .data = text.data };
    return same.pointer;
}

void http_tls_options(const struct http_tls *tls, struct MHD_OptionItem *items)
{
    size_t n = 0;
    items[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, priorities(tls) };
    items[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, not_changed(tls->cert) };
    items[n++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, not_changed(tls->key) };
    if (tls->client_ca.data != NULL)
        items[n++] =
            (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0, not_changed(tls->client_ca) };
    items[n] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

static char *subject_of(gnutls_session_t session)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t certificate;
    gnutls_datum_t text = { NULL, 0 };
    char *subject = NULL;
    if (chain == NULL || n == 0 || gnutls_x509_crt_init(&certificate) != GNUTLS_E_SUCCESS)
        return NULL;
    if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS &&
        gnutls_x509_crt_get_dn3(certificate, &text, 0) == GNUTLS_E_SUCCESS)
        subject = xmemdup0(text.data, text.size);
    gnutls_free(text.data);
    gnutls_x509_crt_deinit(certificate);
    return subject;
}

/* A certificate that says what it is for must say that it is for clients. */
static int verify(gnutls_session_t session, unsigned *ret_status)
{
    unsigned char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st wanted = { GNUTLS_DT_KEY_PURPOSE_OID, purpose, 0 };
    return gnutls_certificate_verify_peers(session, &wanted, 1, ret_status);
}

enum peer_cert http_tls_peer(struct http_connection *c, char **ret_subject)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info->tls_session;
    unsigned n = 0, status = 0;
    if (gnutls_certificate_get_peers(session, &n) == NULL || n == 0)
        return PEER_CERT_NONE;
    if (verify(session, &status) != GNUTLS_E_SUCCESS || status != 0)
        return PEER_CERT_FOREIGN;
    *ret_subject = subject_of(session);
    return *ret_subject != NULL ? PEER_CERT_GOOD : PEER_CERT_FOREIGN;
}

bool http_tls_of(const struct listen_config *listen, struct http_tls *ret)
{
    *ret = (struct http_tls){
        .cert = listen->tls_files.cert,
        .key = listen->tls_files.key,
        .client_ca = listen->tls_files.ca,
        .only_1_3 = listen->tls.min_version == TLS_VERSION_1_3,
    };
    return listen->tls.present;
}
