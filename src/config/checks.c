/* SPDX-License-Identifier: Apache-2.0 */
#include "config/checks.h"

#include "config/checked_texts.h"

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
    if (check_is_set(origin))
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
    if (!check_is_set(&l->origins[LISTEN_port]))
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

static void check_listen(const struct checking *c)
{
    struct config *config = c->config;
    struct findings *findings = c->findings;
    for (size_t i = 0; i < config->n_listen; i++) {
        struct listen_config *l = &config->listen[i];
        if (!l->present)
            continue; /* it is no group, which is told, or the default */
        bool is_unix = check_is_set(&l->origins[LISTEN_unix]);
        bool is_tcp = check_is_set(&l->origins[LISTEN_address]);
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

static void check_limits(const struct checking *c)
{
    const struct limits_config *l = &c->config->limits;
    const struct origin *body = &l->origins[LIMITS_body], *memory = &l->origins[LIMITS_memory];
    if (l->body > l->memory)
        findings_error(c->findings, check_is_set(body) ? body->place : memory->place,
                       "limits.body: %zu bytes are more than limits.memory allows for all together "
                       "(%zu)",
                       l->body, l->memory);
}

static void check_upstreams(const struct checking *c)
{
    for (size_t i = 0; i < c->config->n_upstreams; i++)
        check_upstream(c, &c->config->upstreams[i]);
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

static void check_anonymous(const struct checking *c)
{
    const struct config *config = c->config;
    struct findings *findings = c->findings;
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

void checks_run(const struct checking *c)
{
    check_listen(c);
    check_limits(c);
    check_upstreams(c);
    check_anonymous(c);
}
