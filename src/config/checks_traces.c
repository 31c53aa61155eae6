/* SPDX-License-Identifier: Apache-2.0 */
/* Where spans go, and how many there are. */
#include "config/checks.h"

#include "codec/value/number.h"
#include "config/indexes.h"
#include "config/tls_file.h"
#include "config/x509.h"
#include "settings/url.h"

#include <string.h>

static bool has_path(struct str url)
{
    size_t colon = str_find(url, ':');
    struct str rest = str_slice(url, colon, url.len);
    rest = str_slice(rest, rest.len < 3 ? rest.len : 3, rest.len);
    return str_find(rest, '/') < str_find(rest, '?') && str_find(rest, '/') < rest.len;
}

static void check_login(const struct checking *c, const struct upstream_target *target,
                        struct place place)
{
    const char *setting = "traces: user and password of the URL";
    if (target->username == NULL)
        return;
    secret_list_add(c->secrets, str_of(target->username), place, setting);
    secret_list_add(c->secrets, str_of(target->password), place, setting);
    secret_list_add_login(c->secrets, target->username, target->password);
}

static void check_url(const struct checking *c, struct traces_config *t)
{
    const struct origin *origin = &t->origins[TRACES_url];
    if (!check_is_set(origin)) {
        findings_error(c->findings, t->place, "traces: `url` is missing");
        return;
    }
    if (t->url == NULL || origin->unresolved)
        return; /* it was refused when it was read, or is not known yet */
    struct buf why;
    buf_init(&why, 512, NULL);
    if (!url_parse(c->config->store, str_of(t->url), &t->target, &why))
        findings_error(c->findings, origin->place, "traces.url: %s", buf_c(&why));
    else if (t->target.transport != TRANSPORT_HTTP || t->target.scgi)
        findings_error(c->findings, origin->place,
                       "traces.url: the URL must begin with http://, https:// or http+unix://");
    else if (!has_path(str_of(t->url)))
        findings_error(c->findings, origin->place,
                       "traces.url: write the path, too; collectors have /v1/traces");
    else
        check_login(c, &t->target, origin->place);
    buf_done(&why);
}

/* Between 0 and 1; negative: it is not. */
static double read_ratio(const char *text)
{
    struct decimal d;
    double value = 0;
    if (number_parse_double(str_of(text), &d) != NUMBER_OK)
        return -1;
    for (int i = 0; i < d.n_digits; i++)
        value = value * 10 + (d.digits[i] - '0');
    if (value > 0 && (d.negative || d.exponent > 0))
        return -1;
    for (int i = d.exponent; i < d.n_digits - 1; i++)
        value /= 10;
    return value <= 1 ? value : -1;
}

static void check_ratio(const struct checking *c, struct traces_config *t)
{
    const struct origin *origin = &t->origins[TRACES_ratio];
    if (t->ratio == NULL || origin->unresolved)
        return;
    double ratio = read_ratio(t->ratio);
    if (ratio < 0)
        findings_error(c->findings, origin->place,
                       "traces.ratio: write a part of all requests, from 0 to 1, such as 0.01");
    else
        t->threshold = (uint64_t)(ratio * (double)((uint64_t)1 << TRACE_RATIO_BITS));
}

static void check_ca(const struct checking *c, struct traces_config *t)
{
    struct tls_file file = { .group = "traces.tls",
                             .setting = "ca_file",
                             .name = t->tls.ca_file,
                             .origin = &t->tls.origins[TRACES_TLS_ca_file] };
    if (tls_file_read_certificates(c, &file))
        t->tls_files.ca = file.content;
}

static void check_pair(const struct checking *c, const struct tls_file *cert,
                       const struct tls_file *key)
{
    const struct tls_file *key_file = check_is_set(key->origin) ? key : cert;
    if (key->found.encrypted) {
        tls_file_refuse(c, key_file, "has an encrypted key; decrypt it");
        return;
    }
    struct buf ignored;
    buf_init(&ignored, 512, NULL);
    if (x509_check_pair(cert->content, key->content, NULL, &ignored) == X509_PAIR_DIFFERENT)
        tls_file_refuse(c, key_file, "has a key that is not the certificate's");
    buf_done(&ignored);
}

static void check_client(const struct checking *c, struct traces_config *t)
{
    struct tls_file cert = { .group = "traces.tls",
                             .setting = "cert_file",
                             .name = t->tls.cert_file,
                             .origin = &t->tls.origins[TRACES_TLS_cert_file] };
    struct tls_file key = { .group = "traces.tls",
                            .setting = "key_file",
                            .name = t->tls.key_file,
                            .origin = &t->tls.origins[TRACES_TLS_key_file] };
    if (!check_is_set(cert.origin)) {
        if (check_is_set(key.origin))
            findings_error(c->findings, t->tls.place, "traces.tls: `key_file` needs a `cert_file`");
        return;
    }
    if (tls_file_read_pair(c, &cert, &key))
        check_pair(c, &cert, &key);
    t->tls_files.cert = cert.content;
    t->tls_files.key = key.content;
}

void check_traces(const struct checking *c)
{
    struct traces_config *t = &c->config->traces;
    if (!t->present)
        return;
    check_url(c, t);
    check_ratio(c, t);
    check_ca(c, t);
    check_client(c, t);
}
