/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS that callers speak: GnuTLS will use the files, so it must be able to. */
#include "config/checks.h"

#include "config/indexes.h"
#include "config/tls_file.h"
#include "config/x509.h"

#include <stdio.h>

/* "listen[N].tls" */
#define GROUP_NAME_MAX 64

static void check_pair(const struct checking *c, const struct tls_file *cert,
                       const struct tls_file *key)
{
    const struct tls_file *key_file = check_is_set(key->origin) ? key : cert;
    if (key->found.encrypted) {
        tls_file_refuse(c, key_file,
                        "has an encrypted key, which would need its password at each start; "
                        "decrypt it and let only the daemon read it, or use LoadCredential=");
        return;
    }
    struct buf why;
    buf_init(&why, 512, NULL);
    switch (x509_check_pair(cert->content, key->content, NULL, &why)) {
    case X509_PAIR_GOOD:
        break;
    case X509_PAIR_DIFFERENT:
        tls_file_refuse(c, key_file, "has a key that is not the certificate's");
        break;
    case X509_PAIR_LOCKED:
    case X509_PAIR_UNREADABLE:
        tls_file_refuse(c, key_file, why.len > 0 ? buf_c(&why) : "cannot be used");
        break;
    }
    buf_done(&why);
}

static void check_server(const struct checking *c, struct listen_config *l, const char *group)
{
    const struct listen_tls_config *t = &l->tls;
    struct tls_file cert = { .group = group,
                             .setting = "cert_file",
                             .name = t->cert_file,
                             .origin = &t->origins[LISTEN_TLS_cert_file] };
    struct tls_file key = { .group = group,
                            .setting = "key_file",
                            .name = t->key_file,
                            .origin = &t->origins[LISTEN_TLS_key_file] };
    if (!check_is_set(cert.origin)) {
        findings_error(c->findings, t->place, "%s: `cert_file` is missing", group);
        return;
    }
    if (tls_file_read_pair(c, &cert, &key))
        check_pair(c, &cert, &key);
    l->tls_files.cert = cert.content;
    l->tls_files.key = key.content;
}

static void check_client_ca(const struct checking *c, struct listen_config *l, const char *group)
{
    const struct listen_tls_config *t = &l->tls;
    struct tls_file file = { .group = group,
                             .setting = "client_ca_file",
                             .name = t->client_ca_file,
                             .origin = &t->origins[LISTEN_TLS_client_ca_file] };
    if (!tls_file_read_certificates(c, &file))
        return;
    struct buf why;
    buf_init(&why, 512, NULL);
    if (!x509_check_trust(file.content, &why))
        tls_file_refuse(c, &file, buf_c(&why));
    buf_done(&why);
    l->tls_files.ca = file.content;
}

void check_listen_tls(const struct checking *c, struct listen_config *l, size_t i)
{
    char group[GROUP_NAME_MAX];
    snprintf(group, sizeof group, "listen[%zu].tls", i);
    check_server(c, l, group);
    check_client_ca(c, l, group);
}
