/* SPDX-License-Identifier: Apache-2.0 */
/* Rules over more than one setting, and what follows from settings: an upstream's targets, the
 * content of files. */
#ifndef RPCGATE_CONFIG_CHECKS_H
#define RPCGATE_CONFIG_CHECKS_H

#include "config/findings.h"
#include "config/secret_list.h"
#include "settings/snapshot.h"

struct checking {
    struct config *config;
    struct findings *findings;
    struct secret_list *secrets;
    const char *folder; /* where relative names of files are looked for */
    bool testing;       /* credentials need not be there */
    bool sealed;        /* no file is opened */
};

void checks_run(const struct checking *c);

/* Has the file that setting? */
static inline bool check_is_set(const struct origin *origin)
{
    return origin->place.file != NULL;
}

/* checks_listen.c; of the listener that is there without `listen`, only what it has no use for is
 * marked. */
void check_listen(const struct checking *c);
void check_default_listen(struct listen_config *l);

/* checks_listen_tls.c: the group `tls` of listen[i]. */
void check_listen_tls(const struct checking *c, struct listen_config *l, size_t i);

/* checks_callers.c: how callers are known. */
void check_callers(const struct checking *c);

/* checks_routes.c: `routes`, which are compiled; the upstreams are checked. */
void check_routes(const struct checking *c);

/* checks_mcp.c: `mcp`, whose known tools are compiled; routes are checked. */
void check_mcp(const struct checking *c);

/* checks_access.c: what callers and others may do. */
void check_access(const struct checking *c);

/* checks_traces.c */
void check_traces(const struct checking *c);

/* checks_upstream.c */
void check_upstream(const struct checking *c, struct upstream_config *u);

/* checks_session.c: `inject`, `session` and `envelope`. */
void check_credentials(const struct checking *c, struct upstream_config *u);

/* checks_templates.c: of `inject` and `session`; and of `auth` and `headers`, whose settings become
 * what their templates are. */
void check_templates(const struct checking *c, struct upstream_config *u);
void check_constant_templates(const struct checking *c, struct upstream_config *u);

/* checks_join.c: `join` of all upstreams, whose routes are checked. */
void check_join(const struct checking *c);

/* checks_reach.c: `url`, `urls`, `auth` and `proxy`. */
void check_reach(const struct checking *c, struct upstream_config *u);

/* checks_tls.c */
void check_tls(const struct checking *c, struct upstream_config *u);

#endif
