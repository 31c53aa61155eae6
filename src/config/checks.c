/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "base/alloc.h"
#include "config/checked_texts.h"
#include "config/store.h"
#include "config/url.h"

#include <stdlib.h>
#include <string.h>

/* Index of a setting's origin: LISTEN_port … */
enum listen_index {
#define X(kind, name, ...) LISTEN_##name,
    LISTEN_OPTIONS(X)
#undef X
};
enum limits_index {
#define X(kind, name, ...) LIMITS_##name,
    LIMITS_OPTIONS(X)
#undef X
};
enum upstream_index {
#define X(kind, name, ...) UPSTREAM_##name,
    UPSTREAM_OPTIONS(X)
#undef X
};
enum auth_index {
#define X(kind, name, ...) AUTH_##name,
    AUTH_OPTIONS(X)
#undef X
};

static bool is_set(const struct origin *origin)
{
    return origin->place.file != NULL;
}

/* A setting that has no meaning beside what else stands in the entry. */
static void refuse_unused(struct listen_config *l, size_t i, enum listen_index index,
                          struct findings *findings)
{
    static const char *const names[] = {
#define X(kind, name, ...) [LISTEN_##name] = #name,
        LISTEN_OPTIONS(X)
#undef X
    };
    struct origin *origin = &l->origins[index];
    origin->unused = true;
    if (is_set(origin))
        findings_error(findings, origin->place,
                       "listen[%zu]: `%s` is for %s, and this is the other kind of socket", i,
                       names[index],
                       index == LISTEN_mode || index == LISTEN_group ? "`unix`" : "`address`");
}

static void check_tcp(struct listen_config *l, size_t i, struct findings *findings)
{
    const struct origin *address = &l->origins[LISTEN_address];
    l->origins[LISTEN_unix].unused = true;
    refuse_unused(l, i, LISTEN_mode, findings);
    refuse_unused(l, i, LISTEN_group, findings);
    if (!is_set(&l->origins[LISTEN_port]))
        findings_error(findings, l->place,
                       "listen[%zu]: `address` needs a `port` (0 is any free one)", i);
    bool known = l->address != NULL && !address->unresolved;
    if (!l->insecure && known && !address_is_loopback(l->address))
        findings_error(findings, address->place,
                       "listen[%zu]: `%s` is not a loopback address, and whoever reaches it could "
                       "read and make calls; use 127.0.0.1 or a unix socket, or set `insecure = "
                       "true;` here if the network is trusted",
                       i, l->address);
}

static void check_unix(struct listen_config *l, size_t i, struct findings *findings)
{
    l->origins[LISTEN_address].unused = true;
    refuse_unused(l, i, LISTEN_port, findings);
    refuse_unused(l, i, LISTEN_insecure, findings);
}

static bool same_listen(const struct listen_config *a, const struct listen_config *b)
{
    if (a->unix != NULL && b->unix != NULL)
        return strcmp(a->unix, b->unix) == 0;
    return a->address != NULL && b->address != NULL && strcmp(a->address, b->address) == 0 &&
           a->port == b->port && a->port != 0;
}

static void check_listen(struct config *config, struct findings *findings)
{
    for (size_t i = 0; i < config->n_listen; i++) {
        struct listen_config *l = &config->listen[i];
        if (!l->present)
            continue; /* it is no group, which is told, or the default */
        bool is_unix = is_set(&l->origins[LISTEN_unix]);
        bool is_tcp = is_set(&l->origins[LISTEN_address]);
        if (is_unix == is_tcp)
            findings_error(findings, l->place,
                           "listen[%zu]: set either `unix` (a path) or `address` and `port`%s", i,
                           is_unix ? ", not both" : "");
        else if (is_tcp)
            check_tcp(l, i, findings);
        else
            check_unix(l, i, findings);
        for (size_t j = 0; j < i; j++) {
            if (same_listen(l, &config->listen[j]))
                findings_error(findings, l->place, "listen[%zu]: the same as listen[%zu]", i, j);
        }
    }
}

static void check_limits(struct config *config, struct findings *findings)
{
    const struct limits_config *l = &config->limits;
    const struct origin *body = &l->origins[LIMITS_body], *memory = &l->origins[LIMITS_memory];
    if (l->body > l->memory)
        findings_error(findings, is_set(body) ? body->place : memory->place,
                       "limits.body: %zu bytes are more than limits.memory allows for all together "
                       "(%zu)",
                       l->body, l->memory);
}

static const char *find_header(const struct texts *headers, struct str name)
{
    for (size_t i = 0; i < headers->n; i++) {
        if (str_eq_nocase(header_name(str_of(headers->items[i])), name))
            return headers->items[i];
    }
    return NULL;
}

static void check_auth(struct upstream_config *u, struct findings *findings)
{
    const struct auth_config *a = &u->auth;
    const struct origin *username = &a->origins[AUTH_username];
    const struct origin *password = &a->origins[AUTH_password];
    bool in_url = u->target.username != NULL;
    bool basic = a->scheme == AUTH_SCHEME_BASIC;
    if (basic && !is_set(username))
        findings_error(findings, a->place,
                       "upstreams.%s.auth: `scheme = \"basic\"` needs a "
                       "`username`",
                       u->name);
    if (!basic && (is_set(username) || is_set(password)))
        findings_error(findings, a->place,
                       "upstreams.%s.auth: `username` and `password` need "
                       "`scheme = \"basic\";`",
                       u->name);
    if (a->username != NULL && strchr(a->username, ':') != NULL)
        findings_error(findings, username->place,
                       "upstreams.%s.auth.username: a `:` cannot stand "
                       "in a user name for Basic",
                       u->name);
    if (basic && in_url)
        findings_error(findings, a->place,
                       "upstreams.%s: the credentials stand both in `url` and "
                       "in `auth`; take them out of one",
                       u->name);
    if ((basic || in_url) && find_header(&u->headers, STR("Authorization")) != NULL)
        findings_error(findings, u->origins[UPSTREAM_headers].place,
                       "upstreams.%s: the credentials stand both in %s and in an `Authorization` "
                       "header; take them out of one",
                       u->name, basic ? "`auth`" : "`url`");
    if (basic && !in_url) {
        u->target.username = a->username;
        u->target.password = a->password;
    }
}

static void check_upstreams(struct config *config, struct findings *findings)
{
    for (size_t i = 0; i < config->n_upstreams; i++) {
        struct upstream_config *u = &config->upstreams[i];
        if (!u->present)
            continue;
        struct buf why;
        buf_init(&why, 512, NULL);
        const struct origin *url = &u->origins[UPSTREAM_url];
        if (!is_set(url))
            findings_error(findings, u->place, "upstreams.%s: `url` is missing", u->name);
        else if (u->url != NULL && !url_parse(config->store, str_of(u->url), &u->target, &why) &&
                 !url->unresolved)
            findings_error(findings, url->place, "upstreams.%s.url: %s", u->name, buf_c(&why));
        buf_done(&why);
        check_auth(u, findings);
    }
}

/* Does the glob's first side name an upstream? */
static bool names_upstream(const struct config *config, struct str glob)
{
    struct str upstream = str_slice(glob, 0, str_find(glob, '/'));
    for (size_t i = 0; i < config->n_upstreams; i++) {
        if (glob_match(upstream, str_of(config->upstreams[i].name)))
            return true;
    }
    return false;
}

static void check_anonymous(struct config *config, struct findings *findings)
{
    const struct anonymous_config *a = &config->anonymous;
    struct place whole = config->place;
    if (findings->n_errors == 0 && (!a->present || a->allow.n == 0))
        findings_warn(
            findings, a->present ? a->place : whole,
            "nobody may make calls: %s `anonymous = { allow = [ \"*/*\" ]; };` lets every "
            "caller that connects use all upstreams",
            a->present ? "`anonymous.allow` is empty;" : "there is no `anonymous`;");
    for (size_t i = 0; i < a->allow.n; i++) {
        if (!names_upstream(config, str_of(a->allow.items[i])))
            findings_warn(findings, a->origins[0].place,
                          "anonymous.allow: no upstream has a name that \"%s\" matches",
                          a->allow.items[i]);
    }
}

void checks_run(struct config *config, struct findings *findings)
{
    static void (*const checks[])(struct config *,
                                  struct findings *) = { check_listen, check_limits,
                                                         check_upstreams, check_anonymous };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        checks[i](config, findings);
}
