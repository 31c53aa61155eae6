/* SPDX-License-Identifier: Apache-2.0 */
/* libconfig behind a wall: a text becomes a tree of settings. */
#ifndef RPCGATE_CONFIG_CONFIG_FILE_H
#define RPCGATE_CONFIG_CONFIG_FILE_H

#include "config/source.h"
#include "config/syntax.h"
#include "settings/kinds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct setting {
    enum setting_type type;
    char *name; /* NULL in lists */
    struct place place;
    bool bad;              /* not what the file says; that is told already */
    char *text;            /* of SETTING_TEXT, and of SETTING_DECIMAL as JSON has it */
    int64_t integer;       /* of SETTING_INTEGER and SETTING_FLAG */
    struct setting *items; /* of groups and lists */
    size_t n;
};

/* "a group", "a number" … */
const char *setting_type_name(enum setting_type type);

/* The root group, or NULL and a finding. Give it to setting_free(). */
struct setting *config_file_parse(const struct source *source, const struct marks *marks,
                                  struct findings *findings) MUST_CHECK;

/* Frees the tree and overwrites its texts. NULL is fine. */
void setting_free(struct setting *root);

#endif
