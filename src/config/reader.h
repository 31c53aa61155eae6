/* SPDX-License-Identifier: Apache-2.0 */
/* Fills the structs from the tree of settings, by the tables: each setting of the file is looked
 * up in them, so that none is ever ignored. */
#ifndef RPCGATE_CONFIG_READER_H
#define RPCGATE_CONFIG_READER_H

#include "config/config_file.h"
#include "config/findings.h"
#include "config/secret_list.h"
#include "config/substitute.h"
#include "settings/sections.h"

struct reader {
    struct store *store;
    struct findings *findings;
    struct secret_list *secrets;
    struct substitution substitution;
    const struct setting *profiles; /* the group `profiles` of the file; NULL: none */
    bool templates;  /* `auth` and `headers` of the upstream that is being read are templates */
    struct buf path; /* of the section that is being read: "upstreams.demo.", "" */
};

/* The file's own profiles, marked as such; NULL: none. */
const struct setting *reader_profiles(struct setting *root, struct store *store);

/* Puts the defaults into a zeroed struct. */
void reader_defaults(const struct section *section, void *base);

/* Reads a group into a struct that has its defaults. */
void reader_read(struct reader *r, const struct section *section, const struct setting *group,
                 void *base);

#endif
