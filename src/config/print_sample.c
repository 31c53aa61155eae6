/* SPDX-License-Identifier: Apache-2.0 */
/* etc/rpcgate.conf: each setting with its help, commented out. */
#include "config/config.h"
#include "config/shown.h"
#include "settings/sections.h"

#include <string.h>

#define LINE_WIDTH 96

static const char head[] =
    "# rpcgate.conf: the configuration of rpcgated(8).\n"
    "#\n"
    "# Every setting stands below, commented out, with its default, or with an example where it "
    "has\n"
    "# none. `rpcgated --test` checks the file, `rpcgated --show-config` shows what is in force.\n"
    "# rpcgate.conf(5) says all about it. After a change: `systemctl reload rpcgate`, or SIGHUP.\n"
    "#\n"
    "# The shortest useful configuration lets whoever may write to the unix socket\n"
    "# /run/rpcgate/rpcgate.sock (the group rpcgate) call one server:\n"
    "#\n"
    "#     anonymous = { allow = [ \"*/*\" ]; };\n"
    "#     upstreams = {\n"
    "#         supervisor = { url = \"http://127.0.0.1:9001/RPC2\"; };\n"
    "#     };\n"
    "#\n"
    "# With callers that are known, each may do what it needs and no more:\n"
    "#\n"
    "#     callers = (\n"
    "#         { name = \"ops\"; group = \"adm\"; allow = [ \"*/*\" ]; },\n"
    "#         { name = \"bot\"; token = \"${credential:bot}\"; allow = [ \"supervisor/*.get*\" ]; "
    "}\n"
    "#     );\n"
    "#\n"
    "# In every string ${env:NAME}, ${env:NAME:-default}, ${file:PATH}, ${credential:NAME} and\n"
    "# ${credential_path:NAME} are replaced; $${ is a literal ${. `@include \"file\"` on a line\n"
    "# of its own includes a file.\n";

/* How the lines of a part of the file begin. */
struct margin {
    const char *comment; /* "// " where a whole group is commented out, else "" */
    size_t depth;
};

static void begin_line(struct buf *to, struct margin m, const char *what)
{
    buf_printf(to, "%s%*s%s", m.comment, (int)(4 * m.depth), "", what);
}

/* Prose, broken between words. */
static void print_prose(struct buf *to, struct margin m, const char *text)
{
    size_t width = LINE_WIDTH - 4 * m.depth - strlen(m.comment) - 2;
    struct str rest = str_of(text);
    while (rest.len > 0) {
        size_t len = rest.len;
        if (len > width) {
            len = width;
            while (len > 0 && rest.data[len] != ' ')
                len--;
            len = len > 0 ? len : width;
        }
        begin_line(to, m, "# ");
        buf_printf(to, "%.*s\n", (int)len, rest.data);
        rest = str_trim(str_slice(rest, len, rest.len));
    }
}

static void print_option(struct buf *to, const struct option_row *row, struct margin m)
{
    struct buf prose;
    buf_init(&prose, 4096, NULL);
    buf_append_c(&prose, row->help);
    if (row->least != NULL)
        buf_printf(&prose, " From %s to %s.", row->least, row->greatest);
    if (row->kind->words != NULL) {
        bool several = row->kind->form == FORM_WORDS;
        buf_append_c(&prose, several ? " Words: " : " One of ");
        kind_list_words(row->kind, &prose);
        buf_append_byte(&prose, '.');
    }
    if (!row->live)
        buf_append_c(&prose, " A change takes a restart.");
    print_prose(to, m, buf_c(&prose));
    buf_done(&prose);
    begin_line(to, m, m.comment[0] == '\0' ? "// " : "");
    buf_printf(to, "%s = ", row->name);
    shown_table(to, row->kind, row->standard != NULL ? row->standard : row->example);
    buf_append_c(to, ";\n");
}

static void print_section(struct buf *to, const struct section *section, struct margin m);

/* Lists of rules are alike: the first shows what may stand in one. */
static bool is_first_of_its_kind(const struct group_row *row)
{
    for (size_t i = 0; i < n_sections; i++) {
        for (size_t j = 0; j < sections[i]->n_groups; j++) {
            if (sections[i]->groups[j].section == row->section)
                return row == &sections[i]->groups[j];
        }
    }
    return true;
}

/* `{`, an entry's settings, `}`, with a name or strings before it. */
static void print_entries(struct buf *to, const struct group_row *row, struct margin m)
{
    bool named = row->form == GROUP_NAMED;
    struct margin entry = { m.comment, m.depth + 1 }, inside = { m.comment, m.depth + 2 };
    buf_append_c(to, named ? " = {\n" : " = (\n");
    if (row->example != NULL) {
        begin_line(to, entry, row->example);
        buf_append_c(to, ",\n");
    }
    begin_line(to, entry, named ? "NAME = {\n" : "{\n");
    print_section(to, row->section, inside);
    begin_line(to, entry, named ? "};\n" : "}\n");
    begin_line(to, m, named ? "};\n" : ");\n");
}

static void print_group(struct buf *to, const struct group_row *row, struct margin m)
{
    print_prose(to, m, row->help);
    if (row->form != GROUP_PLAIN)
        m.comment = "// ";
    begin_line(to, m, row->name);
    if (row->form == GROUP_NAMED && !is_first_of_its_kind(row)) {
        buf_append_c(to, " = { NAME = { }; };\n");
    } else if (row->form == GROUP_RULES && !is_first_of_its_kind(row)) {
        buf_printf(to, " = [ %s ];\n", row->example);
    } else if (row->form == GROUP_PLAIN || row->form == GROUP_OPTIONAL) {
        buf_append_c(to, " = {\n");
        print_section(to, row->section, (struct margin){ m.comment, m.depth + 1 });
        begin_line(to, m, "};\n");
    } else {
        print_entries(to, row, m);
    }
}

static void print_section(struct buf *to, const struct section *section, struct margin m)
{
    for (size_t i = 0; i < section->n_options; i++) {
        if (m.depth == 0)
            buf_append_byte(to, '\n');
        print_option(to, &section->options[i], m);
    }
    for (size_t i = 0; i < section->n_groups; i++) {
        if (m.depth == 0)
            buf_append_byte(to, '\n');
        print_group(to, &section->groups[i], m);
    }
}

void config_print_sample(struct buf *to)
{
    buf_append_c(to, head);
    print_section(to, &section_main, (struct margin){ "", 0 });
}
