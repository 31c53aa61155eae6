/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of option_list.h as tables: what the reader and the printers walk. */
#ifndef RPCGATE_SETTINGS_SECTIONS_H
#define RPCGATE_SETTINGS_SECTIONS_H

#include "settings/kinds.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct option_row {
    const char *name;
    const struct kind *kind;
    size_t offset;                                     /* of the member in the section's struct */
    const char *standard, *example, *least, *greatest; /* NULL: none */
    bool live;                                         /* a reload changes it */
    const char *help;
};

enum group_form {
    GROUP_PLAIN,    /* name = { … }; an absent one is as an empty one */
    GROUP_OPTIONAL, /* its presence alone means something */
    GROUP_LIST,     /* name = ( { … }, … ): at least one */
    GROUP_ITEMS,    /* the same; it may be empty */
    GROUP_RULES,    /* name = ( "…", { … }, … ): a string is the entry's first option */
    GROUP_NAMED     /* name = { NAME = { … }; … } */
};

struct group_row {
    enum group_form form;
    const char *name, *help;
    const char *example; /* of GROUP_RULES: strings; else NULL */
    const struct section *section;
    size_t offset;       /* of the member: the struct, or a pointer to the first of several */
    size_t count_offset; /* of several: how many */
};

struct section {
    const char *title; /* "upstreams.NAME.auth" */
    size_t size;       /* of the struct */
    const struct option_row *options;
    size_t n_options;
    const struct group_row *groups;
    size_t n_groups;
    size_t present_offset, place_offset, origins_offset;
    size_t name_offset, index_offset; /* of GROUP_NAMED; else 0 */
};

extern const struct section section_main;
extern const struct section section_listen;
extern const struct section section_upstream;
extern const struct section section_method_rule;
extern const struct section section_route_param;

/* All sections, in the order in which they are documented. */
extern const struct section *const sections[];
extern const size_t n_sections;

static inline void *section_member(const void *base, size_t offset)
{
    return (char *)(size_t)base + offset;
}

static inline struct origin *section_origins(const struct section *s, const void *base)
{
    return (struct origin *)section_member(base, s->origins_offset);
}

/* The members of a group of several. */
static inline size_t group_count(const struct group_row *g, const void *base)
{
    return *(const size_t *)section_member(base, g->count_offset);
}

static inline void *group_item(const struct group_row *g, const void *base, size_t i)
{
    char *first = *(char **)section_member(base, g->offset);
    return first + i * g->section->size;
}

#endif
