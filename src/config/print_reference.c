/* SPDX-License-Identifier: Apache-2.0 */
/* docs/reference/configuration.md: all settings in tables, and how values are written. */
#include "config/config.h"
#include "config/shown.h"
#include "settings/sections.h"

#include <string.h>

static const char head[] =
    "# Configuration\n"
    "\n"
    "`rpcgated` reads one file, `rpcgate.conf`, in the syntax of\n"
    "[libconfig](https://hyperrealm.github.io/libconfig/): settings are `name = value;`,\n"
    "groups stand in `{ }`, lists in `[ ]` or `( )`, text in quotes, and comments begin\n"
    "with `#` or `//`, or stand between `/*` and `*/`. This page is made from the table\n"
    "that the program reads the file by.\n"
    "\n"
    "```\n"
    "anonymous = { allow = [ \"supervisor/*\" ]; };\n"
    "upstreams = {\n"
    "    supervisor = { url = \"http://127.0.0.1:9001/RPC2\"; };\n"
    "};\n"
    "```\n"
    "\n"
    "- `rpcgated --test` checks the file. Every error is told as `FILE:LINE: message`, all\n"
    "  of them at once; after a syntax error, or a name that is set twice, reading ends.\n"
    "- `rpcgated --show-config` prints the settings in force and where each comes from,\n"
    "  with secrets as `***`.\n"
    "- A setting that is not known, has the wrong type or an impossible value is an error,\n"
    "  never ignored.\n"
    "\n"
    "## Values\n"
    "\n"
    "| type | written as |\n"
    "| --- | --- |\n";

static const char how_to[] =
    "\n"
    "Numbers are plain (`64`); one beyond 32 bits needs an `L` at its end, and one that\n"
    "does not fit is an error. A string may be written in several pieces behind each other:\n"
    "`\"one \" \"two\"`. A backslash in a string begins one of the escapes `\\\\`, `\\\"`, `\\n`, "
    "`\\r`,\n"
    "`\\t`, `\\f` and `\\xHH` (one byte); any other is an error, and a backslash itself is "
    "written\n"
    "`\\\\`: `username = \"CORP\\\\tom\";`.\n"
    "\n"
    "### Substitution\n"
    "\n"
    "In every string these are replaced, once; what comes in is not looked at again:\n"
    "\n"
    "| written | becomes |\n"
    "| --- | --- |\n"
    "| `${env:NAME}` | the environment variable; it must be set |\n"
    "| `${env:NAME:-text}` | the environment variable, or `text` where it is unset or empty |\n"
    "| `${file:PATH}` | the content of a file without the newline at its end; a relative "
    "path is seen from the main file's folder |\n"
    "| `${credential:NAME}` | the same of a file in `$CREDENTIALS_DIRECTORY`, which "
    "systemd makes for `LoadCredential=`; under `--test` without that variable: a warning |\n"
    "| `${credential_path:NAME}` | the path of such a file, for settings that name files; under "
    "`--test` without that variable: a warning, and the file is not checked |\n"
    "| `$${` | a literal `${` |\n"
    "\n"
    "A number or flag may be written as a string if that has a substitution in it:\n"
    "`port = \"${env:PORT:-8080}\";`.\n"
    "\n"
    "### Templates\n"
    "\n"
    "In `inject` and `session`, and in `auth` and `headers` of an upstream that has `credentials`\n"
    "or a `session`, strings are templates:\n"
    "\n"
    "| written | becomes |\n"
    "| --- | --- |\n"
    "| `{NAME}` | the credential of that name; or, of a session, what its login gave: a name of "
    "`keep`, `session` for its whole result, `count` for the number of the request |\n"
    "| `{base64(…)}` | what stands in the parentheses, encoded; names may stand there |\n"
    "| `{{`, `}}` | a brace |\n"
    "\n"
    "A value that is one `{NAME}` and no more keeps its type: an integer stays one. Within other\n"
    "text it is text, which is percent-encoded in a `path` and a `form`. A name that nothing\n"
    "defines is an error. What comes in by a substitution is no template.\n"
    "\n"
    "### Secrets\n"
    "\n"
    "Passwords, tokens, the user and password in a URL, the values of `Authorization`,\n"
    "`Proxy-Authorization`, `Cookie`, `*-Key`, `*-Token` and `*-Secret` headers, and all that\n"
    "came from `${file:…}` or `${credential:…}` are never shown. Where a server's words are told\n"
    "(faults, bodies, the log), each of them becomes `***`, as do its Base64 and percent-encoded\n"
    "forms. One of fewer than 6 bytes is not looked for, of which there is a warning at start.\n"
    "\n"
    "### Includes\n"
    "\n"
    "`@include \"file\"` on a line of its own puts a file in that line's place. A relative\n"
    "name is seen from the main file's folder. Includes may be nested 10 deep.\n"
    "\n"
    "### Globs\n"
    "\n"
    "`*` is any run of characters, `?` one character; case counts. In `upstream/method`\n"
    "each side matches by itself: `demo/*` is every method of `demo`, `*/system.*` the\n"
    "introspection of all.\n"
    "\n"
    "### Changes\n"
    "\n"
    "`systemctl reload rpcgate`, or the signal SIGHUP, reads the file again. A file that is wrong\n"
    "changes nothing, and the log has every error, as `rpcgated -t` tells them beforehand. A "
    "right\n"
    "one serves all requests that come from then on; those that run end by the settings that they\n"
    "began with, and the connections of upstreams whose settings are the same live on. Files that\n"
    "settings name are read again, too: passwords, tokens, certificates, keys. Where a table says\n"
    "**restart**, a reload keeps the old value and the log says so.\n"
    "\n"
    "## Settings\n";

static const char none[] = "–";

/* A table's cell: `|` ends one. */
static void print_cell(struct buf *to, const char *text)
{
    buf_append_byte(to, ' ');
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_append_byte(to, '\\');
        buf_append_byte(to, *text);
    }
    buf_append_c(to, " |");
}

/* Cells of what differs from row to row. */
static void print_default(struct buf *to, const struct option_row *row)
{
    struct buf cell;
    buf_init(&cell, 512, NULL);
    if (row->standard != NULL) {
        buf_append_byte(&cell, '`');
        shown_table(&cell, row->kind, row->standard);
        buf_append_byte(&cell, '`');
    }
    print_cell(to, cell.len > 0 ? buf_c(&cell) : none);
    buf_done(&cell);
}

static void print_bounds(struct buf *to, const struct option_row *row)
{
    struct buf cell;
    buf_init(&cell, 512, NULL);
    if (row->least != NULL)
        buf_printf(&cell, "%s to %s", row->least, row->greatest);
    else
        kind_list_words(row->kind, &cell);
    print_cell(to, cell.len > 0 ? buf_c(&cell) : none);
    buf_done(&cell);
}

static void print_options(struct buf *to, const struct section *section)
{
    if (section->n_options == 0)
        return;
    buf_append_c(to, "\n| name | type | default | bounds | change by | meaning |\n"
                     "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < section->n_options; i++) {
        const struct option_row *row = &section->options[i];
        buf_printf(to, "| `%s` |", row->name);
        print_cell(to, row->kind->name);
        print_default(to, row);
        print_bounds(to, row);
        print_cell(to, row->live ? "reload" : "**restart**");
        print_cell(to, row->help);
        buf_append_byte(to, '\n');
    }
}

static void print_groups(struct buf *to, const struct section *section)
{
    static const char *const forms[] = { [GROUP_PLAIN] = "group",
                                         [GROUP_OPTIONAL] = "group",
                                         [GROUP_LIST] = "list of groups",
                                         [GROUP_ITEMS] = "list of groups",
                                         [GROUP_RULES] = "list of globs and groups",
                                         [GROUP_NAMED] = "named groups" };
    if (section->n_groups == 0)
        return;
    buf_append_c(to, "\n| group | form | meaning |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < section->n_groups; i++) {
        const struct group_row *row = &section->groups[i];
        buf_printf(to, "| `%s` |", row->name);
        print_cell(to, forms[row->form]);
        print_cell(to, row->help);
        buf_append_byte(to, '\n');
    }
}

/* A row for each kind's name; enums share one. */
static void print_kinds(struct buf *to)
{
    for (size_t i = 0; i < KINDS; i++) {
        bool told = false;
        for (size_t j = 0; j < i; j++)
            told |= strcmp(kinds[i].name, kinds[j].name) == 0;
        if (told)
            continue;
        buf_printf(to, "| %s |", kinds[i].name);
        print_cell(to, kinds[i].written);
        buf_append_byte(to, '\n');
    }
}

void config_print_reference(struct buf *to)
{
    buf_append_c(to, head);
    print_kinds(to);
    buf_append_c(to, how_to);
    for (size_t i = 0; i < n_sections; i++) {
        const struct section *s = sections[i];
        if (s->title[0] == '\0')
            buf_append_c(to, "\n### Top level\n");
        else
            buf_printf(to, "\n### `%s`\n", s->title);
        print_options(to, s);
        print_groups(to, s);
    }
}
