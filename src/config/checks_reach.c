/* SPDX-License-Identifier: Apache-2.0 */
/* How an upstream is reached: its URLs, our credentials, a proxy. */
#include "config/checks.h"

#include "config/indexes.h"
#include "settings/checked_texts.h"
#include "settings/store.h"
#include "settings/url.h"

#include <stdio.h>
#include <string.h>

#define SETTING_NAME_MAX 160

static bool has_header(const struct texts *headers, struct str name)
{
    for (size_t i = 0; i < headers->n; i++) {
        if (str_eq_nocase(header_name(str_of(headers->items[i])), name))
            return true;
    }
    return false;
}

static void remember_login(const struct checking *c, const char *username, const char *password,
                           struct place place, const char *setting)
{
    secret_list_add(c->secrets, str_of(username), place, setting);
    secret_list_add(c->secrets, str_of(password), place, setting);
    secret_list_add_login(c->secrets, username, password);
}

static void take_target(const struct checking *c, struct upstream_config *u, const char *url,
                        const struct origin *origin)
{
    struct upstream_target *target = &u->targets[u->n_targets++];
    struct buf why;
    buf_init(&why, 512, NULL);
    if (url == NULL) {
        /* It was refused when it was read. */
    } else if (!url_parse(c->config->store, str_of(url), target, &why)) {
        if (!origin->unresolved)
            findings_error(c->findings, origin->place, "upstreams.%s.url: %s", u->name,
                           buf_c(&why));
    } else if (target->username != NULL && !origin->unresolved) {
        char setting[SETTING_NAME_MAX];
        snprintf(setting, sizeof setting, "upstreams.%s: user and password of the URL", u->name);
        remember_login(c, target->username, target->password, origin->place, setting);
    }
    buf_done(&why);
    if (url != NULL && !origin->hidden && !origin->unresolved && url_shows_credentials(str_of(url)))
        findings_warn(
            c->findings, origin->place,
            "upstreams.%s.url: its path or query looks as if there were credentials in it, "
            "which problems, the log and metrics tell; put that part into a file and write "
            "`${file:…}` or `${credential:…}` for it, or use `auth`",
            u->name);
}

/* Never none, so that others need not look. */
static void check_targets(const struct checking *c, struct upstream_config *u)
{
    const struct origin *url = &u->origins[UPSTREAM_url], *urls = &u->origins[UPSTREAM_urls];
    bool several = check_is_set(urls);
    size_t n = several && u->urls.n > 0 ? u->urls.n : 1;
    u->targets = store_alloc(c->config->store, n, sizeof *u->targets);
    if (several && check_is_set(url))
        findings_error(c->findings, urls->place,
                       "upstreams.%s: set either `url` or `urls`, not both", u->name);
    else if (!several && !check_is_set(url))
        findings_error(c->findings, u->place, "upstreams.%s: `url` is missing", u->name);
    else if (several && u->urls.n == 0 && urls->shown != NULL)
        findings_error(c->findings, urls->place,
                       "upstreams.%s.urls: there must be at least one URL", u->name);
    u->origins[several ? UPSTREAM_url : UPSTREAM_urls].unused = true;
    for (size_t i = 0; i < n; i++) {
        if (several)
            take_target(c, u, u->urls.n > 0 ? u->urls.items[i] : NULL, urls);
        else
            take_target(c, u, u->url, url);
    }
}

/* Where the URL has credentials. */
static bool login_in_url(const struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_targets; i++) {
        if (u->targets[i].username != NULL)
            return true;
    }
    return false;
}

static bool uses_password(const struct auth_config *a)
{
    return a->scheme == AUTH_SCHEME_BASIC || a->scheme == AUTH_SCHEME_DIGEST;
}

/* What a scheme needs, and what it has no use for. */
static void check_scheme(const struct checking *c, const struct upstream_config *u)
{
    const struct auth_config *a = &u->auth;
    const struct origin *username = &a->origins[AUTH_username];
    bool has_login = check_is_set(username) || check_is_set(&a->origins[AUTH_password]);
    bool has_token = check_is_set(&a->origins[AUTH_token]);
    if (uses_password(a) && !check_is_set(username) && !login_in_url(u))
        findings_error(c->findings, a->place,
                       "upstreams.%s.auth: `scheme = \"%s\"` needs a `username`", u->name,
                       origin_told(&a->origins[AUTH_scheme],
                                   a->scheme == AUTH_SCHEME_BASIC ? "basic" : "digest"));
    if (!uses_password(a) && has_login)
        findings_error(c->findings, a->place,
                       "upstreams.%s.auth: `username` and `password` need `scheme = \"basic\";` or "
                       "`scheme = \"digest\";`",
                       u->name);
    if (a->scheme == AUTH_SCHEME_BEARER && !has_token)
        findings_error(c->findings, a->place,
                       "upstreams.%s.auth: `scheme = \"bearer\"` needs a `token`", u->name);
    if (a->scheme != AUTH_SCHEME_BEARER && has_token)
        findings_error(c->findings, a->place,
                       "upstreams.%s.auth: `token` needs `scheme = \"bearer\";`", u->name);
    if (a->scheme == AUTH_SCHEME_BASIC && a->username != NULL && strchr(a->username, ':') != NULL)
        findings_error(c->findings, username->place,
                       "upstreams.%s.auth.username: a `:` cannot stand in a user name for Basic",
                       u->name);
    if (a->token != NULL && (a->token[0] == '\0' || strpbrk(a->token, " \t") != NULL))
        findings_error(c->findings, a->origins[AUTH_token].place,
                       "upstreams.%s.auth.token: a token is not empty and has no blanks", u->name);
}

static void check_auth(const struct checking *c, struct upstream_config *u)
{
    const struct auth_config *a = &u->auth;
    bool in_url = login_in_url(u), in_auth = a->scheme != AUTH_SCHEME_NONE;
    bool both = in_url && in_auth &&
                (a->scheme == AUTH_SCHEME_BEARER || check_is_set(&a->origins[AUTH_username]));
    check_scheme(c, u);
    if (both)
        findings_error(c->findings, a->place,
                       "upstreams.%s: the credentials stand both in `url` and in `auth`; take them "
                       "out of one",
                       u->name);
    if ((in_auth || in_url) && has_header(&u->headers, STR("Authorization")))
        findings_error(c->findings, u->origins[UPSTREAM_headers].place,
                       "upstreams.%s: the credentials stand both in %s and in an `Authorization` "
                       "header; take them out of one",
                       u->name, in_auth ? "`auth`" : "`url`");
    for (size_t i = 0; i < u->n_targets; i++) {
        struct upstream_target *target = &u->targets[i];
        target->digest = a->scheme == AUTH_SCHEME_DIGEST;
        if (uses_password(a) && !in_url) {
            target->username = a->username;
            target->password = a->password;
        }
    }
    if (uses_password(a) && !in_url)
        secret_list_add_login(c->secrets, a->username, a->password);
}

static bool has_unix_target(const struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_targets; i++) {
        if (u->targets[i].unix_socket != NULL)
            return true;
    }
    return false;
}

static char *join(struct store *store, const struct texts *texts)
{
    struct buf to;
    buf_init(&to, (size_t)1 << 20, NULL);
    for (size_t i = 0; i < texts->n; i++)
        buf_printf(&to, "%s%s", i > 0 ? "," : "", texts->items[i]);
    char *joined = store_text(store, buf_str(&to));
    buf_done(&to);
    return joined;
}

static void check_proxy_login(const struct checking *c, struct upstream_config *u)
{
    const struct proxy_config *p = &u->proxy;
    struct proxy_target *target = &u->proxy_target;
    bool in_url = target->username != NULL;
    bool in_group = check_is_set(&p->origins[PROXY_username]);
    char setting[SETTING_NAME_MAX];
    if (check_is_set(&p->origins[PROXY_password]) && !in_group)
        findings_error(c->findings, p->place, "upstreams.%s.proxy: `password` needs a `username`",
                       u->name);
    if (in_url && in_group)
        findings_error(c->findings, p->place,
                       "upstreams.%s.proxy: the credentials stand both in `url` and in `username`; "
                       "take them out of one",
                       u->name);
    if (p->username != NULL && strchr(p->username, ':') != NULL)
        findings_error(c->findings, p->origins[PROXY_username].place,
                       "upstreams.%s.proxy.username: a `:` cannot stand in a user name for a proxy",
                       u->name);
    snprintf(setting, sizeof setting, "upstreams.%s.proxy.url", u->name);
    if (in_url) {
        remember_login(c, target->username, target->password, p->origins[PROXY_url].place, setting);
    } else if (in_group) {
        target->username = p->username;
        target->password = p->password;
        secret_list_add_login(c->secrets, p->username, p->password);
    }
}

static void check_proxy(const struct checking *c, struct upstream_config *u)
{
    const struct proxy_config *p = &u->proxy;
    const struct origin *url = &p->origins[PROXY_url];
    if (!check_is_set(url) && (p->username != NULL || p->password != NULL || p->headers.n > 0 ||
                               p->no_proxy.n > 0 || p->tunnel))
        findings_error(c->findings, p->place, "upstreams.%s.proxy: `url` is missing", u->name);
    if (p->url == NULL)
        return;
    struct buf why;
    buf_init(&why, 512, NULL);
    if (!url_parse_proxy(c->config->store, str_of(p->url), &u->proxy_target, &why) &&
        !url->unresolved)
        findings_error(c->findings, url->place, "upstreams.%s.proxy.url: %s", u->name, buf_c(&why));
    buf_done(&why);
    u->proxy_target.no_proxy = join(c->config->store, &p->no_proxy);
    check_proxy_login(c, u);
    if (has_unix_target(u))
        findings_error(c->findings, p->place,
                       "upstreams.%s.proxy: a unix socket cannot be reached through a proxy",
                       u->name);
}

static bool has_scgi_target(const struct upstream_config *u)
{
    for (size_t i = 0; i < u->n_targets; i++) {
        if (u->targets[i].scgi)
            return true;
    }
    return false;
}

/* libcurl can open its connections, and no more. */
static void check_scgi(const struct checking *c, struct upstream_config *u)
{
    const char *proxy = u->proxy_target.url;
    if (!has_scgi_target(u))
        return;
    if (u->transport == TRANSPORT_USE_CURL)
        findings_error(c->findings, u->origins[UPSTREAM_transport].place,
                       "upstreams.%s.transport: \"curl\" does not speak SCGI; leave it out, or "
                       "write \"auto\"",
                       u->name);
    if (u->auth.scheme == AUTH_SCHEME_DIGEST)
        findings_error(c->findings, u->auth.place,
                       "upstreams.%s.auth: `scheme = \"digest\"` is for http:// and https:// only, "
                       "not for scgi://",
                       u->name);
    if (proxy != NULL && str_starts_with_nocase(str_of(proxy), STR("http")) && !u->proxy.tunnel)
        findings_error(c->findings, u->proxy.place,
                       "upstreams.%s.proxy: an scgi:// URL needs `tunnel = true;`, or a proxy of "
                       "socks5:// or socks5h://",
                       u->name);
}

void check_reach(const struct checking *c, struct upstream_config *u)
{
    check_targets(c, u);
    check_auth(c, u);
    u->target = u->targets[0];
    check_proxy(c, u);
    check_scgi(c, u);
}
