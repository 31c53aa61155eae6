/* SPDX-License-Identifier: Apache-2.0 */
/* Are settings of two snapshots the same? The tables are walked, so that none is forgotten. */
#include "settings/sections.h"
#include "settings/snapshot.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_texts(const struct texts *a, const struct texts *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!same_text(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

static bool same_named(const struct named_texts *a, const struct named_texts *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!same_text(a->items[i].name, b->items[i].name) ||
            !same_text(a->items[i].text, b->items[i].text))
            return false;
    }
    return true;
}

static bool same_code(const struct fault_code *a, const struct fault_code *b)
{
    return a->form == b->form && a->number == b->number && same_text(a->glob, b->glob);
}

static bool same_option(const struct option_row *row, const void *a, const void *b)
{
    const void *x = section_member(a, row->offset), *y = section_member(b, row->offset);
    switch (row->kind->form) {
    case FORM_TEXT:
        return same_text(*(char *const *)x, *(char *const *)y);
    case FORM_TEXTS:
        return same_texts(x, y);
    case FORM_NAMED:
        return same_named(x, y);
    case FORM_CODE:
        return same_code(x, y);
    case FORM_SHAPES: /* no upstream and no listener has any */
    case FORM_NUMBER:
    case FORM_WORDS:
        break;
    }
    return row->kind->get(x) == row->kind->get(y);
}

static bool same_section(const struct section *section, const void *a, const void *b);

static bool same_group(const struct group_row *row, const void *a, const void *b)
{
    if (row->form == GROUP_PLAIN || row->form == GROUP_OPTIONAL) {
        const void *x = section_member(a, row->offset), *y = section_member(b, row->offset);
        size_t present = row->section->present_offset;
        return (row->form == GROUP_PLAIN || *(const bool *)section_member(x, present) ==
                                                *(const bool *)section_member(y, present)) &&
               same_section(row->section, x, y);
    }
    size_t n = group_count(row, a);
    if (n != group_count(row, b))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!same_section(row->section, group_item(row, a, i), group_item(row, b, i)))
            return false;
    }
    return true;
}

static bool same_section(const struct section *section, const void *a, const void *b)
{
    for (size_t i = 0; i < section->n_options; i++) {
        if (!same_option(&section->options[i], a, b))
            return false;
    }
    for (size_t i = 0; i < section->n_groups; i++) {
        if (!same_group(&section->groups[i], a, b))
            return false;
    }
    return true;
}

static bool same_files(const struct tls_files *a, const struct tls_files *b)
{
    return str_eq(a->ca, b->ca) && str_eq(a->cert, b->cert) && str_eq(a->key, b->key);
}

bool config_same_upstream(const struct upstream_config *a, const struct upstream_config *b)
{
    return strcmp(a->name, b->name) == 0 && same_section(&section_upstream, a, b) &&
           same_files(&a->tls_files, &b->tls_files);
}

bool config_same_listen(const struct listen_config *a, const struct listen_config *b)
{
    return same_section(&section_listen, a, b) && same_files(&a->tls_files, &b->tls_files);
}
