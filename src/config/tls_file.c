/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tls_file.h"

#include "base/alloc.h"
#include "config/credentials.h"
#include "config/read_file.h"
#include "settings/store.h"

/* More than all CAs of a system. [bytes] */
#define PEM_MAX ((size_t)8 << 20)

void tls_file_refuse(const struct checking *c, const struct tls_file *file, const char *reason)
{
    findings_error(c->findings, file->origin->place, "%s.%s: `%s` %s", file->group, file->setting,
                   origin_told(file->origin, file->name), reason);
}

/* False: there is none, or what is wrong with it is told. */
static bool read_pem(const struct checking *c, struct tls_file *file)
{
    if (file->name == NULL || file->origin->unresolved || c->sealed)
        return false;
    CLEANUP(free_charp) char *path = file_beside(c->folder, str_of(file->name));
    if (c->testing && credentials_hide(path))
        return false;
    struct buf text, why;
    buf_init(&text, PEM_MAX, NULL);
    buf_init(&why, 512, NULL);
    bool ok = file_read(path, FILE_REGULAR, &text, NULL, &why) &&
              pem_look(buf_str(&text), &file->found, &why);
    if (ok)
        file->content = (struct str){ store_secret(c->config->store, buf_str(&text)), text.len };
    else
        tls_file_refuse(c, file, buf_c(&why));
    buf_wipe(&text);
    buf_done(&why);
    return ok;
}

static bool has_certificate(const struct checking *c, const struct tls_file *file)
{
    if (file->found.n_certificates == 0)
        tls_file_refuse(c, file, "has no certificate (PEM, `-----BEGIN CERTIFICATE-----`) in it");
    return file->found.n_certificates > 0;
}

bool tls_file_read_certificates(const struct checking *c, struct tls_file *file)
{
    return read_pem(c, file) && has_certificate(c, file);
}

bool tls_file_read_pair(const struct checking *c, struct tls_file *cert, struct tls_file *key)
{
    bool own_file = check_is_set(key->origin);
    bool cert_read = read_pem(c, cert);
    bool key_read = own_file ? read_pem(c, key) : cert_read;
    if (!own_file) {
        key->content = cert->content;
        key->found = cert->found;
    }
    bool ok = cert_read && has_certificate(c, cert);
    if (key_read && key->found.n_keys == 0) {
        tls_file_refuse(c, own_file ? key : cert,
                        own_file ? "has no private key (PEM) in it"
                                 : "has no private key (PEM) in it, and `key_file` is not set");
        return false;
    }
    return ok && key_read;
}

char *tls_file_path(const struct checking *c, const struct tls_file *file)
{
    CLEANUP(free_charp) char *path = file_beside(c->folder, str_of(file->name));
    return store_text(c->config->store, str_of(path));
}
