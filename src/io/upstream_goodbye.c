/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_goodbye.h"

#include "base/macros.h"

#ifdef HAVE_OPENSSL

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

static SSL *session_of(CURL *easy)
{
    struct curl_tlssessioninfo *info = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL ||
        info->backend != CURLSSLBACKEND_OPENSSL)
        return NULL;
    return info->internals;
}

/* Where something is unread the close is a reset, which may overtake what was sent before. */
static void drop_unread(curl_socket_t fd)
{
    char bytes[1024];
    (void)recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
}

void goodbye_send(CURL *easy, curl_socket_t fd)
{
    SSL *ssl = session_of(easy);
    BIO *out = ssl != NULL ? BIO_new(BIO_s_mem()) : NULL;
    char *bytes = NULL;
    if (out == NULL)
        return;
    /* libcurl's own way to the socket is open only while libcurl runs. */
    SSL_set0_wbio(ssl, out);
    (void)SSL_shutdown(ssl); /* the first one reads nothing, and is nothing behind half a record */
    ERR_clear_error();
    long n = BIO_get_mem_data(out, &bytes);
    if (n > 0)
        (void)send(fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    drop_unread(fd);
}

#else

void goodbye_send(UNUSED CURL *easy, UNUSED curl_socket_t fd)
{
}

#endif
