/* SPDX-License-Identifier: Apache-2.0 */
/* The explorer: the page that GET / is for browsers. Its source is in src/front/explorer/. It is
 * the same for all, without anything of the configuration or a caller: what it shows it asks for by
 * the API, with the caller's token. */
#ifndef RPCGATE_FRONT_EXPLORER_H
#define RPCGATE_FRONT_EXPLORER_H

#include "base/macros.h"
#include "base/str.h"

/* What goes with it; made once, for all workers. */
struct explorer {
    char etag[40];
    char policy[400]; /* Content-Security-Policy, level 3: with the hashes of what stands inline */
};

void explorer_init(struct explorer *ret);

/* The page: one document that asks for no other. */
struct str explorer_page(void);

#endif
