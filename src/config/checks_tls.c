/* SPDX-License-Identifier: Apache-2.0 */
/* The files of `tls`. They are read here, so that a fault in them is told when the configuration
 * is read and not by the first call, and so that a snapshot never changes. */
#include "config/checks.h"

#include "base/alloc.h"
#include "config/pem.h"
#include "config/read_file.h"
#include "config/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* More than all CAs of a system. [bytes] */
#define PEM_MAX ((size_t)8 << 20)

enum tls_index {
#define X(kind, name, ...) TLS_##name,
    TLS_OPTIONS(X)
#undef X
};

/* A file that a setting names. */
struct named_file {
    const char *setting;
    const char *name;
    const struct origin *origin; /* of the setting */
};

static void refuse(const struct checking *c, const struct upstream_config *u,
                   const struct named_file *file, const char *reason)
{
    findings_error(c->findings, file->origin->place, "upstreams.%s.tls.%s: `%s` %s", u->name,
                   file->setting, file->name, reason);
}

/* Its content, in memory for secrets. NULL data: there is none, or that is told. */
static struct str read_pem(const struct checking *c, const struct upstream_config *u,
                           const struct named_file *file, struct pem_content *ret)
{
    struct str content = { NULL, 0 };
    *ret = (struct pem_content){ 0 };
    if (file->name == NULL || file->origin->unresolved)
        return content;
    struct buf text, why;
    buf_init(&text, PEM_MAX, NULL);
    buf_init(&why, 512, NULL);
    CLEANUP(free_charp) char *path = file_beside(c->folder, str_of(file->name));
    if (file_read(path, FILE_REGULAR, &text, NULL, &why) && pem_look(buf_str(&text), ret, &why))
        content = (struct str){ store_secret(c->config->store, buf_str(&text)), text.len };
    else
        refuse(c, u, file, buf_c(&why));
    buf_wipe(&text);
    buf_done(&why);
    return content;
}

/* A name as it is seen from the main file's folder. */
static char *resolved(const struct checking *c, const char *name)
{
    CLEANUP(free_charp) char *path = file_beside(c->folder, str_of(name));
    return store_text(c->config->store, str_of(path));
}

static void check_ca_path(const struct checking *c, struct upstream_config *u)
{
    struct tls_config *t = &u->tls;
    struct named_file folder = { "ca_path", t->ca_path, &t->origins[TLS_ca_path] };
    if (folder.name == NULL || folder.origin->unresolved)
        return;
    t->ca_path = resolved(c, folder.name);
    int fd = open(t->ca_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    else if (errno == ENOTDIR)
        refuse(c, u, &folder, "is not a folder");
    else
        refuse(c, u, &folder, "cannot be opened, or is not there");
}

static void check_ca_file(const struct checking *c, struct upstream_config *u)
{
    struct tls_config *t = &u->tls;
    struct named_file file = { "ca_file", t->ca_file, &t->origins[TLS_ca_file] };
    struct pem_content content;
    u->tls_files.ca = read_pem(c, u, &file, &content);
    if (u->tls_files.ca.data == NULL)
        return;
    t->ca_file = resolved(c, file.name);
    if (content.n_certificates == 0)
        refuse(c, u, &file, "has no certificate (PEM, `-----BEGIN CERTIFICATE-----`) in it");
}

static void check_client(const struct checking *c, struct upstream_config *u)
{
    const struct tls_config *t = &u->tls;
    struct named_file cert = { "cert_file", t->cert_file, &t->origins[TLS_cert_file] };
    struct named_file key = { "key_file", t->key_file, &t->origins[TLS_key_file] };
    struct pem_content in_cert, in_key;
    if (!check_is_set(cert.origin)) {
        if (check_is_set(key.origin) || check_is_set(&t->origins[TLS_key_password]))
            findings_error(c->findings, t->place,
                           "upstreams.%s.tls: `key_file` and `key_password` need a `cert_file`",
                           u->name);
        return;
    }
    u->tls_files.cert = read_pem(c, u, &cert, &in_cert);
    bool own_file = check_is_set(key.origin);
    u->tls_files.key = own_file ? read_pem(c, u, &key, &in_key) : u->tls_files.cert;
    if (u->tls_files.cert.data != NULL && in_cert.n_certificates == 0)
        refuse(c, u, &cert, "has no certificate (PEM, `-----BEGIN CERTIFICATE-----`) in it");
    if (u->tls_files.key.data == NULL)
        return;
    if ((own_file ? in_key : in_cert).n_keys == 0)
        refuse(c, u, own_file ? &key : &cert,
               own_file ? "has no private key (PEM) in it"
                        : "has no private key (PEM) in it, and `key_file` is not set");
    else if ((own_file ? in_key : in_cert).encrypted && t->key_password == NULL)
        refuse(c, u, own_file ? &key : &cert, "has an encrypted key, so set `key_password`");
}

void check_tls(const struct checking *c, struct upstream_config *u)
{
    const struct tls_config *t = &u->tls;
    check_ca_file(c, u);
    check_ca_path(c, u);
    check_client(c, u);
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
