/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: named sets of an upstream's settings. Those built in are the files etc/profiles/,
 * compiled in; others stand in the configuration's `profiles`. */
#ifndef RPCGATE_CONFIG_PROFILES_H
#define RPCGATE_CONFIG_PROFILES_H

#include "base/macros.h"
#include "base/str.h"
#include "config/config_file.h"

#include <stddef.h>

struct store;

/* One that is built in. */
struct profile_text {
    const char *name;
    const char *text; /* the file: comments, the first of which says what it is for, and
                         `NAME = { … };` */
};

/* profile_texts.c, made by src/config/embed-profiles; sorted by name. */
extern const struct profile_text profile_texts[];
extern const size_t n_profile_texts;

/* NULL: there is none of that name. */
const struct profile_text *profile_find(struct str name);

/* What it is for, in some words. */
struct str profile_title(const struct profile_text *profile);

/* Its settings as a tree whose place is `place`; give it to setting_free(). */
struct setting *profile_settings(const struct profile_text *profile, struct store *store,
                                 struct place place) MUST_CHECK;

/* Gives all of a tree the name of the profile that it is of. */
void profile_mark(struct setting *setting, const char *name);

#endif
