/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reader_inside.h"

#include "base/nearest.h"
#include "settings/checked_texts.h"

#include <string.h>

/* Of rules, a string is the entry's first option. */
static void read_entry(struct reader *r, const struct group_row *row, const struct setting *entry,
                       void *to)
{
    const struct section *section = row->section;
    bool rule = row->form == GROUP_RULES;
    reader_defaults(section, to);
    if (rule && entry->type != SETTING_TEXT && entry->type != SETTING_GROUP) {
        findings_error(r->findings, entry->place,
                       "%.*s: this must be a glob or a group `{ … }`, not %s", (int)r->path.len - 1,
                       buf_c(&r->path), setting_type_name(entry->type));
        return;
    }
    if (!rule || entry->type == SETTING_GROUP) {
        reader_read(r, section, entry, to);
        return;
    }
    struct target target = { &section->options[0], section_member(to, section->options[0].offset),
                             section_origins(section, to), entry };
    *(struct place *)section_member(to, section->place_offset) = entry->place;
    reader_read_option(r, &target);
}

static void read_list_of_groups(struct reader *r, const struct group_row *row,
                                const struct setting *list, void *base)
{
    bool rules = row->form == GROUP_RULES;
    bool empty = list->n == 0 && row->form == GROUP_LIST;
    if (list->type != SETTING_LIST || empty) {
        findings_error(
            r->findings, list->place, "%s%s: this must be a list of %s", buf_c(&r->path), row->name,
            rules ? "globs over `upstream/method` and groups, `( \"demo/*\", { … } )`"
            : row->form == GROUP_ITEMS ? "groups, `( { … }, { … } )`"
                                       : "groups, `( { … }, { … } )`, with at least one");
        return;
    }
    if (list->n > READER_LIST_MAX) {
        findings_error(r->findings, list->place, "%s%s: there are too many items in this list",
                       buf_c(&r->path), row->name);
        return;
    }
    /* Not NULL, also where it is empty: it is written. */
    char *items = store_alloc(r->store, list->n > 0 ? list->n : 1, row->section->size);
    size_t path_len = r->path.len;
    for (size_t i = 0; i < list->n; i++) {
        buf_printf(&r->path, "%s[%zu].", row->name, i);
        read_entry(r, row, &list->items[i], items + i * row->section->size);
        buf_truncate(&r->path, path_len);
    }
    *(char **)section_member(base, row->offset) = items;
    *(size_t *)section_member(base, row->count_offset) = list->n;
}

/* libconfig's own names are longer and may have a `*`. */
static bool is_name(const char *name)
{
    struct buf ignored;
    buf_init(&ignored, READER_WHY_MAX, NULL);
    bool ok = check_name(str_of(name), &ignored);
    buf_done(&ignored);
    return ok;
}

/* An upstream without any of these is as before there were templates: its braces are braces. */
static bool has_templates(const struct setting *upstream)
{
    for (size_t i = 0; i < upstream->n; i++) {
        const char *name = upstream->items[i].name;
        if (name != NULL && (strcmp(name, "credentials") == 0 || strcmp(name, "session") == 0 ||
                             strcmp(name, "profile") == 0))
            return true;
    }
    return false;
}

static void read_named_groups(struct reader *r, const struct group_row *row,
                              const struct setting *group, void *base)
{
    if (group->type != SETTING_GROUP) {
        findings_error(r->findings, group->place,
                       "%s%s: this must be a group of named groups, `{ NAME = { … }; }`",
                       buf_c(&r->path), row->name);
        return;
    }
    char *items = store_alloc(r->store, group->n, row->section->size);
    size_t path_len = r->path.len;
    for (size_t i = 0; i < group->n; i++) {
        const struct setting *item = &group->items[i];
        void *to = items + i * row->section->size;
        if (!is_name(item->name))
            findings_error(r->findings, item->place,
                           "%s: the name `%.80s` must be a letter, then up to 63 letters, digits, "
                           "`_` and `-`",
                           row->name, item->name);
        buf_printf(&r->path, "%s.%.64s.", row->name, item->name);
        reader_defaults(row->section, to);
        *(char **)section_member(to, row->section->name_offset) =
            store_text(r->store, str_of(item->name));
        *(size_t *)section_member(to, row->section->index_offset) = i;
        if (row->section == &section_upstream) {
            struct upstream_config *upstream = to;
            bool is_profile = strcmp(row->name, "profiles") == 0;
            upstream->templates = r->templates = is_profile || has_templates(item);
            if (is_profile)
                reader_refuse_profile(r, item);
            else
                reader_read_profile(r, row->section, item, to);
        }
        reader_read(r, row->section, item, to);
        if (row->section == &section_upstream)
            reader_end_profile(to);
        r->templates = false;
        buf_truncate(&r->path, path_len);
    }
    *(char **)section_member(base, row->offset) = items;
    *(size_t *)section_member(base, row->count_offset) = group->n;
}

static void read_group(struct reader *r, const struct group_row *row, const struct setting *setting,
                       void *base)
{
    size_t path_len = r->path.len;
    if (row->form == GROUP_LIST || row->form == GROUP_ITEMS || row->form == GROUP_RULES) {
        read_list_of_groups(r, row, setting, base);
    } else if (row->form == GROUP_NAMED) {
        read_named_groups(r, row, setting, base);
    } else {
        buf_printf(&r->path, "%s.", row->name);
        reader_read(r, row->section, setting, section_member(base, row->offset));
        buf_truncate(&r->path, path_len);
    }
}

static void refuse_unknown(struct reader *r, const struct section *section,
                           const struct setting *setting)
{
    const char *names[64] = { NULL };
    size_t n = 0;
    for (size_t i = 0; i < section->n_options && n < ARRAY_LEN(names); i++)
        names[n++] = section->options[i].name;
    for (size_t i = 0; i < section->n_groups && n < ARRAY_LEN(names); i++)
        names[n++] = section->groups[i].name;
    const char *nearest = nearest_name(setting->name, names, n);
    if (nearest != NULL) {
        findings_error(r->findings, setting->place, "unknown setting `%.80s`; did you mean `%s`?",
                       setting->name, nearest);
        return;
    }
    struct buf known;
    buf_init(&known, READER_WHY_MAX, NULL);
    for (size_t i = 0; i < n; i++)
        buf_printf(&known, "%s`%s`", i == 0 ? "" : i + 1 == n ? " and " : ", ", names[i]);
    findings_error(r->findings, setting->place, "unknown setting `%.80s`; known here are %s",
                   setting->name, buf_c(&known));
    buf_done(&known);
}

static void read_setting(struct reader *r, const struct section *section,
                         const struct setting *setting, void *base)
{
    for (size_t i = 0; i < section->n_options; i++) {
        const struct option_row *row = &section->options[i];
        if (strcmp(row->name, setting->name) == 0) {
            struct target target = { row, section_member(base, row->offset),
                                     &section_origins(section, base)[i], setting };
            reader_read_option(r, &target);
            return;
        }
    }
    for (size_t i = 0; i < section->n_groups; i++) {
        if (strcmp(section->groups[i].name, setting->name) == 0) {
            read_group(r, &section->groups[i], setting, base);
            return;
        }
    }
    refuse_unknown(r, section, setting);
}

void reader_defaults(const struct section *section, void *base)
{
    for (size_t i = 0; i < section->n_options; i++) {
        const struct option_row *row = &section->options[i];
        reader_put_default(row, section_member(base, row->offset));
    }
    for (size_t i = 0; i < section->n_groups; i++) {
        const struct group_row *row = &section->groups[i];
        if (row->form == GROUP_PLAIN || row->form == GROUP_OPTIONAL)
            reader_defaults(row->section, section_member(base, row->offset));
    }
}

void reader_read(struct reader *r, const struct section *section, const struct setting *group,
                 void *base)
{
    *(struct place *)section_member(base, section->place_offset) = group->place;
    if (group->type != SETTING_GROUP) {
        findings_error(r->findings, group->place, "%.*s: this must be a group `{ … }`, not %s",
                       (int)(r->path.len > 0 ? r->path.len - 1 : 0), buf_c(&r->path),
                       setting_type_name(group->type));
        return;
    }
    *(bool *)section_member(base, section->present_offset) = true;
    for (size_t i = 0; i < group->n; i++)
        read_setting(r, section, &group->items[i], base);
}
