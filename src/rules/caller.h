/* SPDX-License-Identifier: Apache-2.0 */
/* Who is calling: by a Bearer token (RFC 6750) or what stands for one, else the client's
 * certificate, else the process at the other end of a unix socket, else anonymous if that is
 * configured. */
#ifndef RPCGATE_RULES_CALLER_H
#define RPCGATE_RULES_CALLER_H

#include "base/macros.h"
#include "codec/error.h"
#include "rules/access.h"
#include "rules/head.h"
#include "settings/snapshot.h"

#include <stdbool.h>

/* What a request shows of its sender. */
struct credentials {
    const struct request_head *head;
    const struct request_peer *peer;
    bool may_be_basic; /* RFC 7617: the caller's name, and its token for the password, besides */
};

struct caller {
    const struct caller_config *config; /* NULL: anonymous */
    struct access access;
};

enum caller_answer {
    CALLER_KNOWN, /* one of `callers`, or anonymous */
    CALLER_NONE,  /* there are no credentials, and there is no anonymous access */
    CALLER_WRONG  /* there are credentials, and they are wrong: no other way is tried */
};

/* err: UNAUTHENTICATED where it is not CALLER_KNOWN. How long it takes does not depend on how much
 * of a token is right, nor on whose it is. */
enum caller_answer caller_find(const struct config *config, const struct credentials *credentials,
                               struct caller *ret, struct error *err) MUST_CHECK;

#endif
