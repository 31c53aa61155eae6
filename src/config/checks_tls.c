/* SPDX-License-Identifier: Apache-2.0 */
/* How an upstream's `https://` is spoken. */
#include "config/checks.h"

#include "config/indexes.h"
#include "config/tls_file.h"
#include "config/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "upstreams.NAME.tls" */
#define GROUP_NAME_MAX 96

static void check_ca_path(const struct checking *c, struct tls_config *t, const char *group)
{
    struct tls_file folder = {
        .group = group, .setting = "ca_path", .name = t->ca_path, .origin = &t->origins[TLS_ca_path]
    };
    if (folder.name == NULL || folder.origin->unresolved)
        return;
    t->ca_path = tls_file_path(c, &folder);
    int fd = open(t->ca_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno == ENOTDIR)
        tls_file_refuse(c, &folder, "is not a folder");
    else
        tls_file_refuse(c, &folder, "cannot be opened, or is not there");
}

static void check_ca_file(const struct checking *c, struct upstream_config *u, const char *group)
{
    struct tls_config *t = &u->tls;
    struct tls_file file = {
        .group = group, .setting = "ca_file", .name = t->ca_file, .origin = &t->origins[TLS_ca_file]
    };
    if (!tls_file_read_certificates(c, &file))
        return;
    u->tls_files.ca = file.content;
    t->ca_file = tls_file_path(c, &file);
}

/* What libcurl's TLS library reads and GnuTLS does not is left to the first call. */
static void check_pair(const struct checking *c, const struct upstream_config *u,
                       const struct tls_file *cert, const struct tls_file *key)
{
    const struct tls_file *key_file = check_is_set(key->origin) ? key : cert;
    if (key->found.encrypted && u->tls.key_password == NULL) {
        tls_file_refuse(c, key_file, "has an encrypted key, so set `key_password`");
        return;
    }
    struct buf ignored;
    buf_init(&ignored, 512, NULL);
    enum x509_pair pair =
        x509_check_pair(cert->content, key->content, u->tls.key_password, &ignored);
    buf_done(&ignored);
    if (pair == X509_PAIR_DIFFERENT)
        tls_file_refuse(c, key_file, "has a key that is not the certificate's");
    else if (pair == X509_PAIR_LOCKED && !u->tls.origins[TLS_key_password].unresolved)
        tls_file_refuse(c, key_file, "has an encrypted key that `key_password` does not open");
}

static void check_client(const struct checking *c, struct upstream_config *u, const char *group)
{
    const struct tls_config *t = &u->tls;
    struct tls_file cert = { .group = group,
                             .setting = "cert_file",
                             .name = t->cert_file,
                             .origin = &t->origins[TLS_cert_file] };
    struct tls_file key = { .group = group,
                            .setting = "key_file",
                            .name = t->key_file,
                            .origin = &t->origins[TLS_key_file] };
    if (!check_is_set(cert.origin)) {
        if (check_is_set(key.origin) || check_is_set(&t->origins[TLS_key_password]))
            findings_error(c->findings, t->place,
                           "%s: `key_file` and `key_password` need a `cert_file`", group);
        return;
    }
    if (tls_file_read_pair(c, &cert, &key))
        check_pair(c, u, &cert, &key);
    u->tls_files.cert = cert.content;
    u->tls_files.key = key.content;
}

/* Whether a list of ciphers lets OpenSSL speak them is seen by the level that it asks for. */
static void check_versions(const struct checking *c, const struct upstream_config *u)
{
    const struct tls_config *t = &u->tls;
    if (t->min_version >= TLS_VERSION_1_2)
        return;
    findings_warn(c->findings, t->origins[TLS_min_version].place,
                  "upstreams.%s.tls: `min_version` allows TLS 1.0 or 1.1, which are broken, and "
                  "with them weak keys and signatures: whoever is on the way to this server may "
                  "read and change calls",
                  u->name);
    if (t->ciphers != NULL && strstr(t->ciphers, "@SECLEVEL=0") == NULL)
        findings_warn(c->findings, t->origins[TLS_ciphers].place,
                      "upstreams.%s.tls: OpenSSL speaks TLS 1.0 and 1.1 only where `ciphers` has "
                      "@SECLEVEL=0 in it, as in \"DEFAULT@SECLEVEL=0\"",
                      u->name);
}

void check_tls(const struct checking *c, struct upstream_config *u)
{
    struct tls_config *t = &u->tls;
    char group[GROUP_NAME_MAX];
    snprintf(group, sizeof group, "upstreams.%s.tls", u->name);
    check_ca_file(c, u, group);
    check_ca_path(c, t, group);
    check_client(c, u, group);
    check_versions(c, u);
    if (!t->verify_peer)
        findings_warn(c->findings, t->origins[TLS_verify_peer].place,
                      "upstreams.%s.tls: `verify_peer` is off, so whoever is on the way to this "
                      "server can read and change all calls",
                      u->name);
    if (!t->verify_host)
        findings_warn(c->findings, t->origins[TLS_verify_host].place,
                      "upstreams.%s.tls: `verify_host` is off, so whoever has a certificate of a "
                      "trusted CA can pretend to be this server",
                      u->name);
}
