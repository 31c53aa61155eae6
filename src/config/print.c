/* SPDX-License-Identifier: Apache-2.0 */
/* `--show-config`: a configuration file that says where each value comes from. */
#include "config/config.h"
#include "config/shown.h"
#include "settings/sections.h"

#include <string.h>

/* Where the origins stand, unless the value is longer. [columns] */
#define ORIGIN_COLUMN 60

static void indent(struct buf *to, size_t depth)
{
    buf_printf(to, "%*s", (int)(4 * depth), "");
}

/* The comment behind what was appended from `line_start` on. A file name cannot end the line. */
static void print_origin(struct buf *to, size_t line_start, const struct place *place)
{
    size_t width = to->len - line_start;
    buf_printf(to, "%*s// ", width < ORIGIN_COLUMN ? (int)(ORIGIN_COLUMN - width) : 1, "");
    if (place->file == NULL) {
        buf_append_c(to, "default\n");
        return;
    }
    if (place->built_in) {
        buf_printf(to, "profile %s\n", place->profile);
        return;
    }
    for (const char *c = place->file; *c != '\0'; c++)
        buf_append_byte(to, (unsigned char)*c < 0x20 ? '?' : *c);
    buf_printf(to, ":%u", place->line);
    if (place->profile != NULL)
        buf_printf(to, ", profile %s", place->profile);
    buf_append_byte(to, '\n');
}

/* A line for each name, with its own origin. */
static void print_named(struct buf *to, const struct option_row *row,
                        const struct named_texts *named, const struct place *place, size_t depth)
{
    size_t line_start = to->len;
    indent(to, depth);
    if (place->file == NULL) {
        buf_printf(to, "// %s: not set\n", row->name);
        return;
    }
    buf_printf(to, "%s = {", row->name);
    print_origin(to, line_start, place);
    for (size_t i = 0; i < named->n; i++) {
        const struct origin *origin = named->items[i].origin;
        line_start = to->len;
        indent(to, depth + 1);
        buf_printf(to, "%s = %s;", named->items[i].name,
                   origin->shown != NULL ? origin->shown : "\"\"");
        print_origin(to, line_start, &origin->place);
    }
    indent(to, depth);
    buf_append_c(to, "};\n");
}

static void print_option(struct buf *to, const struct option_row *row, const struct origin *origin,
                         size_t depth)
{
    size_t line_start = to->len;
    indent(to, depth);
    /* Of these an empty one is no setting. */
    bool needs_item = row->kind == &kinds[KIND_match] || row->kind == &kinds[KIND_pointers];
    bool list = row->kind->type == SETTING_LIST && !needs_item;
    if (origin->unused) {
        buf_printf(to, "// %s: not used here\n", row->name);
        return;
    }
    if (origin->shown == NULL && row->standard == NULL && !list) {
        buf_printf(to, "// %s: not set\n", row->name);
        return;
    }
    /* What it has brought stands here: read again, this needs no profile. */
    if (strcmp(row->name, "profile") == 0)
        buf_append_c(to, "// ");
    buf_printf(to, "%s = ", row->name);
    if (origin->shown != NULL)
        buf_append_c(to, origin->shown);
    else if (row->standard != NULL)
        shown_table(to, row->kind, row->standard);
    else
        buf_append_c(to, "[ ]");
    buf_append_byte(to, ';');
    print_origin(to, line_start, &origin->place);
}

static void print_section(struct buf *to, const struct section *section, const void *base,
                          size_t depth);

/* `{`, the settings, `}`. */
static void print_braces(struct buf *to, const struct section *section, const void *base,
                         size_t depth)
{
    size_t line_start = to->len;
    while (line_start > 0 && to->data[line_start - 1] != '\n')
        line_start--;
    buf_append_byte(to, '{');
    print_origin(to, line_start, section_member(base, section->place_offset));
    print_section(to, section, base, depth + 1);
    indent(to, depth);
    buf_append_byte(to, '}');
}

/* Of rules: is that entry a mere string in the file? */
static bool is_string(const struct group_row *row, const void *entry)
{
    return row->form == GROUP_RULES &&
           !*(const bool *)section_member(entry, row->section->present_offset);
}

static void print_string(struct buf *to, const struct group_row *row, const void *entry)
{
    const char *shown = section_origins(row->section, entry)[0].shown;
    buf_append_c(to, shown != NULL ? shown : "\"\"");
}

/* Strings alone stand on one line, with the origin of the first. */
static bool print_strings(struct buf *to, const struct group_row *row, const void *base,
                          size_t depth)
{
    size_t n = group_count(row, base), line_start = to->len;
    for (size_t i = 0; i < n; i++) {
        if (!is_string(row, group_item(row, base, i)))
            return false;
    }
    indent(to, depth);
    buf_printf(to, "%s = [", row->name);
    for (size_t i = 0; i < n; i++) {
        buf_append_c(to, i > 0 ? ", " : " ");
        print_string(to, row, group_item(row, base, i));
    }
    buf_append_c(to, " ];");
    print_origin(to, line_start,
                 section_member(group_item(row, base, 0), row->section->place_offset));
    return true;
}

static void print_several(struct buf *to, const struct group_row *row, const void *base,
                          size_t depth)
{
    bool named = row->form == GROUP_NAMED;
    buf_printf(to, "%s = %c\n", row->name, named ? '{' : '(');
    size_t n = group_count(row, base);
    for (size_t i = 0; i < n; i++) {
        const void *item = group_item(row, base, i);
        size_t line_start = to->len;
        indent(to, depth + 1);
        if (is_string(row, item)) {
            print_string(to, row, item);
            buf_append_c(to, i + 1 < n ? "," : "");
            print_origin(to, line_start, section_member(item, row->section->place_offset));
            continue;
        }
        if (named)
            buf_printf(to,
                       "%s = ", *(char *const *)section_member(item, row->section->name_offset));
        print_braces(to, row->section, item, depth + 1);
        buf_append_c(to, named ? ";\n" : i + 1 < n ? ",\n" : "\n");
    }
    indent(to, depth);
    buf_append_c(to, named ? "};\n" : ");\n");
}

/* They are merged into the upstreams that name them. */
static bool is_profiles(const struct group_row *row)
{
    return row->form == GROUP_NAMED && strcmp(row->name, "profiles") == 0;
}

static void print_group(struct buf *to, const struct group_row *row, const void *base, size_t depth)
{
    const void *member = section_member(base, row->offset);
    bool one = row->form == GROUP_PLAIN || row->form == GROUP_OPTIONAL;
    bool absent = row->form == GROUP_OPTIONAL
                      ? !*(const bool *)section_member(member, row->section->present_offset)
                      : !one && row->form != GROUP_NAMED && group_count(row, base) == 0;
    if (row->form == GROUP_RULES && !absent && print_strings(to, row, base, depth))
        return;
    indent(to, depth);
    if (is_profiles(row)) {
        buf_printf(to, "// %s: %s\n", row->name,
                   group_count(row, base) > 0 ? "what upstreams name of them stands there"
                                              : "not set");
    } else if (absent) {
        buf_printf(to, "// %s: not set\n", row->name);
    } else if (one) {
        buf_printf(to, "%s = ", row->name);
        print_braces(to, row->section, member, depth);
        buf_append_c(to, ";\n");
    } else {
        print_several(to, row, base, depth);
    }
}

static void print_section(struct buf *to, const struct section *section, const void *base,
                          size_t depth)
{
    for (size_t i = 0; i < section->n_options; i++) {
        const struct option_row *row = &section->options[i];
        const struct origin *origin = &section_origins(section, base)[i];
        if (row->kind->form == FORM_NAMED)
            print_named(to, row, section_member(base, row->offset), &origin->place, depth);
        else
            print_option(to, row, origin, depth);
    }
    for (size_t i = 0; i < section->n_groups; i++)
        print_group(to, &section->groups[i], base, depth);
}

void config_print(const struct config *config, struct buf *to)
{
    buf_append_c(to, "# The settings in force. Secrets are shown as ***.\n");
    print_section(to, &section_main, config, 0);
}

void config_print_upstream(const struct upstream_config *upstream, struct buf *to)
{
    print_section(to, &section_upstream, upstream, 0);
}

void config_print_method_rule(const struct method_rule_config *rule, struct buf *to)
{
    print_section(to, &section_method_rule, rule, 0);
}
