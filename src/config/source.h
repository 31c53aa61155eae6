/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as one text: the main file with all that it includes in place, and for each
 * line where it came from. libconfig's own includes are not used: it looks for them in the working
 * folder, and a folder in place of a file ends the process. */
#ifndef RPCGATE_CONFIG_SOURCE_H
#define RPCGATE_CONFIG_SOURCE_H

#include "base/buf.h"
#include "config/findings.h"
#include "settings/snapshot.h"
#include "settings/store.h"

#include <stdbool.h>
#include <stddef.h>

struct source_line {
    const char *file; /* owned by the store */
    unsigned line;
};

struct source {
    struct buf text; /* ends with a newline */
    struct source_line *lines;
    size_t n_lines, room;
    char *folder;              /* of the main file; "": where we are */
    struct store *store;       /* borrowed */
    struct findings *findings; /* borrowed */
};

void source_init(struct source *s, struct store *store, struct findings *findings);

/* Overwrites the text: there may be passwords in it. */
void source_done(struct source *s);

/* Reads the main file, or takes its text. False: the findings say why; `ret_missing`: the main
 * file could not be opened. */
bool source_read(struct source *s, const char *path, bool *ret_missing) MUST_CHECK;
bool source_take(struct source *s, const char *name, struct str text) MUST_CHECK;

/* The place of a line of the whole text, from 1. */
struct place source_place(const struct source *s, unsigned line);

#endif
