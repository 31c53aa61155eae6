/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets of a configuration, gathered while it is read. */
#ifndef RPCGATE_CONFIG_SECRET_LIST_H
#define RPCGATE_CONFIG_SECRET_LIST_H

#include "base/str.h"
#include "config/findings.h"
#include "settings/snapshot.h"
#include "settings/store.h"

#include <stddef.h>

struct secret_list {
    struct store *store;       /* borrowed */
    struct findings *findings; /* borrowed */
    struct str *items;         /* owned; their bytes are in the store */
    size_t n, room;
};

void secret_list_init(struct secret_list *l, struct store *store, struct findings *findings);
void secret_list_done(struct secret_list *l);

/* Takes a copy, unless it is known or too short, of which there is a warning: `setting` is its
 * name, `place` where it stands. */
void secret_list_add(struct secret_list *l, struct str secret, struct place place,
                     const char *setting);

/* A user and a password, each (NULL: none), and what Basic makes of the two. */
void secret_list_add_login(struct secret_list *l, const char *username, const char *password);

/* A header line: its value, and the parts of that which are secrets by themselves. */
void secret_list_add_header(struct secret_list *l, struct str line, struct place place,
                            const char *setting);

/* All of them, the longest first, in the store. */
const struct str *secret_list_take(struct secret_list *l, size_t *ret_n);

#endif
