/* SPDX-License-Identifier: Apache-2.0 */
/* Where callers connect: what stands together in an entry of `listen`, and what is open to
 * whom. */
#include "config/checks.h"

#include "config/account.h"
#include "settings/checked_texts.h"

#include <string.h>

/* The three ways to listen; an entry is one of them. */
enum listen_way { WAY_UNIX = 1 << 0, WAY_SYSTEMD = 1 << 1, WAY_TCP = 1 << 2 };

static const struct {
    const char *name;
    unsigned ways;     /* in which it has a meaning: set of enum listen_way */
    const char *wants; /* what else must be set for that */
} settings[LISTEN_SETTINGS] = {
    [LISTEN_unix] = { "unix", WAY_UNIX, NULL },
    [LISTEN_mode] = { "mode", WAY_UNIX, "`unix`" },
    [LISTEN_group] = { "group", WAY_UNIX, "`unix`" },
    [LISTEN_systemd] = { "systemd", WAY_SYSTEMD, NULL },
    [LISTEN_address] = { "address", WAY_TCP, NULL },
    [LISTEN_port] = { "port", WAY_TCP, "`address`" },
    [LISTEN_insecure] = { "insecure", WAY_TCP | WAY_SYSTEMD, "`address` or `systemd`" },
    [LISTEN_serve] = { "serve", WAY_UNIX | WAY_SYSTEMD | WAY_TCP, NULL },
};

/* A set of enum listen_way. */
static unsigned ways_of(const struct listen_config *l)
{
    return (check_is_set(&l->origins[LISTEN_unix]) ? WAY_UNIX : 0U) |
           (check_is_set(&l->origins[LISTEN_systemd]) ? WAY_SYSTEMD : 0U) |
           (check_is_set(&l->origins[LISTEN_address]) ? WAY_TCP : 0U);
}

/* What has no meaning in that way to listen. */
static void check_unused(const struct checking *c, struct listen_config *l, size_t i, unsigned way)
{
    for (size_t k = 0; k < LISTEN_SETTINGS; k++) {
        struct origin *origin = &l->origins[k];
        if ((settings[k].ways & way) != 0)
            continue;
        origin->unused = true;
        if (check_is_set(origin))
            findings_error(c->findings, origin->place,
                           "listen[%zu]: `%s` is for %s, and this is another kind of socket", i,
                           settings[k].name, settings[k].wants);
    }
    if (way == WAY_UNIX && l->tls.present)
        findings_error(c->findings, l->tls.place,
                       "listen[%zu]: `tls` is for `address` or `systemd`; what goes over a unix "
                       "socket does not leave the machine",
                       i);
}

static void check_tcp(const struct checking *c, const struct listen_config *l, size_t i)
{
    const struct origin *address = &l->origins[LISTEN_address];
    if (!check_is_set(&l->origins[LISTEN_port]))
        findings_error(c->findings, l->place,
                       "listen[%zu]: `address` needs a `port` (0 is any free one)", i);
    if (l->address == NULL || address->unresolved || address_is_loopback(l->address) ||
        config_may_face_network(c->config, l))
        return;
    findings_error(c->findings, address->place,
                   "listen[%zu]: `%s` is not a loopback address, and whoever reaches it could %s; "
                   "set `tls` here and `callers`, use 127.0.0.1 or a unix socket, set `insecure "
                   "= true;` here if the network is trusted, or serve `health` alone",
                   i, origin_told(address, l->address),
                   l->tls.present ? "make calls" : "read and make calls");
}

/* Only the machine that serves must have the group, and a file may be checked on another one. */
static void check_unix(const struct checking *c, const struct listen_config *l, size_t i)
{
    const struct origin *group = &l->origins[LISTEN_group];
    struct buf why;
    gid_t gid;
    buf_init(&why, 512, NULL);
    if (l->group != NULL && !group->unresolved && !account_group(l->group, &gid, &why))
        findings_warn(c->findings, group->place, "listen[%zu].group: %s", i,
                      group->hidden ? "there is no such group on this system" : buf_c(&why));
    buf_done(&why);
}

/* What is not known yet may be anything. */
static bool same_text(const struct listen_config *l, enum listen_index i, const char *a,
                      const char *b)
{
    return !l->origins[i].unresolved && a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool same_socket(const struct listen_config *a, const struct listen_config *b)
{
    return same_text(a, LISTEN_unix, a->unix, b->unix) ||
           same_text(a, LISTEN_systemd, a->systemd, b->systemd) ||
           (same_text(a, LISTEN_address, a->address, b->address) && a->port == b->port &&
            a->port != 0 && !a->origins[LISTEN_port].unresolved);
}

static void check_entry(const struct checking *c, struct listen_config *l, size_t i)
{
    unsigned ways = ways_of(l);
    bool one = ways == WAY_UNIX || ways == WAY_SYSTEMD || ways == WAY_TCP;
    if (!one)
        findings_error(c->findings, l->place,
                       "listen[%zu]: set either `unix` (a path), `systemd` (a name), or `address` "
                       "and `port`%s",
                       i, ways != 0 ? ", not both" : "");
    if (one)
        check_unused(c, l, i, ways);
    if (ways == WAY_TCP)
        check_tcp(c, l, i);
    if (ways == WAY_UNIX)
        check_unix(c, l, i);
    if (l->tls.present && ways != WAY_UNIX)
        check_listen_tls(c, l, i);
    if (l->serve == 0 && !l->origins[LISTEN_serve].unresolved)
        findings_error(c->findings, l->origins[LISTEN_serve].place,
                       "listen[%zu].serve: nothing would be served here", i);
}

void check_listen(const struct checking *c)
{
    struct config *config = c->config;
    for (size_t i = 0; i < config->n_listen; i++) {
        struct listen_config *l = &config->listen[i];
        if (!l->present)
            continue; /* it is no group, which is told, or the default */
        check_entry(c, l, i);
        for (size_t j = 0; j < i; j++) {
            if (same_socket(l, &config->listen[j]))
                findings_error(c->findings, l->place, "listen[%zu]: the same as listen[%zu]", i, j);
        }
    }
}

void check_default_listen(struct listen_config *l)
{
    for (size_t k = 0; k < LISTEN_SETTINGS; k++)
        l->origins[k].unused = (settings[k].ways & WAY_UNIX) == 0;
}
