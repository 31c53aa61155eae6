/* SPDX-License-Identifier: Apache-2.0 */
#include "config/source.h"

#include "base/alloc.h"
#include "config/lexer.h"
#include "config/read_file.h"

#include <stdlib.h>
#include <string.h>

/* All files together. [bytes] libconfig compares each name with all others of its group, so that
 * this also bounds the time. */
#define SOURCE_MAX ((size_t)2 << 20)
#define INCLUDE_DEPTH_MAX 10

/* A file that is being read, and by whom it is included. */
struct input {
    const struct input *parent;
    const char *name;
    struct str text;
    struct file_id id;
    bool has_id;
    unsigned depth;
};

static struct place place_in(const struct source *s, const struct input *in, unsigned line)
{
    return (struct place){ .file = in->name, .line = line, .at = (unsigned)s->n_lines + 1 };
}

/* Appends whole lines of an input, the first of which is its line `line`. */
static bool append_lines(struct source *s, const struct input *in, struct str text, unsigned line)
{
    buf_append(&s->text, text);
    if (text.len > 0 && text.data[text.len - 1] != '\n')
        buf_append_byte(&s->text, '\n');
    if (!buf_ok(&s->text)) {
        findings_error(s->findings, place_in(s, in, line),
                       "the configuration with its includes is larger than %zu bytes", SOURCE_MAX);
        return false;
    }
    for (size_t at = 0; at < text.len; at++, line++) {
        if (s->n_lines == s->room) {
            s->room = s->room == 0 ? 256 : 2 * s->room;
            s->lines = xreallocarray(s->lines, s->room, sizeof *s->lines);
        }
        s->lines[s->n_lines++] = (struct source_line){ in->name, line };
        at += str_find(str_slice(text, at, text.len), '\n');
    }
    return true;
}

static unsigned line_of(struct str text, size_t at)
{
    unsigned line = 1;
    for (size_t i = 0; i < at && i < text.len; i++)
        line += text.data[i] == '\n';
    return line;
}

static bool is_text(struct source *s, const struct input *in)
{
    size_t nul = str_find(in->text, '\0');
    size_t valid = utf8_valid_prefix(in->text);
    size_t bad = nul < valid ? nul : valid;
    if (bad == in->text.len)
        return true;
    findings_error(s->findings, place_in(s, in, line_of(in->text, bad)),
                   nul < valid ? "there is a NUL byte" : "this is not valid UTF-8");
    return false;
}

/* Some editors begin a file with a byte order mark. */
static struct str without_bom(struct str text)
{
    static const struct str bom = { "\xef\xbb\xbf", 3 };
    return str_starts_with(text, bom) ? str_slice(text, bom.len, text.len) : text;
}

static bool assemble(struct source *s, const struct input *in);

/* `\\` and `\"` are the only escapes in the path of an @include. */
static bool has_plain_escapes(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\' &&
            (++i == text.len || (text.data[i] != '\\' && text.data[i] != '"')))
            return false;
    }
    return true;
}

/* The path as it is meant. */
static struct str unescape(struct buf *to, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\' && i + 1 < text.len)
            i++;
        buf_append_byte(to, text.data[i]);
    }
    return buf_str(to);
}

static bool include_file(struct source *s, const struct input *from, struct str name,
                         struct place place)
{
    CLEANUP(free_charp) char *path = file_beside(s->folder, name);
    struct input in = { .parent = from,
                        .name = store_text(s->store, str_of(path)),
                        .depth = from->depth + 1,
                        .has_id = true };
    if (in.depth > INCLUDE_DEPTH_MAX) {
        findings_error(s->findings, place, "includes are nested more than %d deep",
                       INCLUDE_DEPTH_MAX);
        return false;
    }
    struct buf text, why;
    buf_init(&text, SOURCE_MAX, NULL);
    buf_init(&why, 512, NULL);
    bool ok = file_read(path, FILE_REGULAR, &text, &in.id, &why);
    if (!ok)
        findings_error(s->findings, place, "the included file `%s` %s", path, buf_c(&why));
    for (const struct input *i = from; ok && i != NULL; i = i->parent) {
        if (i->has_id && i->id.device == in.id.device && i->id.inode == in.id.inode) {
            findings_error(s->findings, place, "the file `%s` includes itself", path);
            ok = false;
        }
    }
    in.text = without_bom(buf_str(&text));
    ok = ok && assemble(s, &in);
    buf_wipe(&text);
    buf_done(&why);
    return ok;
}

/* The rest of the line behind an @include: nothing but blanks and a comment. */
static bool rest_is_empty(struct str text, size_t at)
{
    struct lexer rest;
    lexer_init(&rest, str_slice(text, at, at + str_find(str_slice(text, at, text.len), '\n')));
    return lexer_next(&rest).type == TOKEN_END;
}

static bool include(struct source *s, const struct input *in, struct token token)
{
    struct place place = place_in(s, in, token.line);
    if (!rest_is_empty(in->text, token.end)) {
        findings_error(s->findings, place, "an @include must stand alone in its line");
        return false;
    }
    struct buf name;
    buf_init(&name, 4096, NULL);
    struct str path = unescape(&name, token.text);
    bool ok = buf_ok(&name) && path.len > 0, plain = has_plain_escapes(token.text);
    if (!plain)
        findings_error(
            s->findings, place,
            "a `\\` in the name of the included file begins none of the escapes \\\\ and "
            "\\\"; a backslash itself is written `\\\\`");
    else if (!ok)
        findings_error(s->findings, place, "the name of the included file is %s",
                       path.len == 0 ? "empty" : "too long");
    ok = ok && plain && include_file(s, in, path, place);
    buf_done(&name);
    return ok;
}

static bool refuse_open_end(struct source *s, const struct input *in, struct token token)
{
    const char *what = token.type == TOKEN_OPEN_TEXT ? "string" : "comment";
    struct place place = place_in(s, in, token.line);
    struct str text = str_slice(in->text, token.start, token.end);
    bool escaped = memmem(text.data, text.len, "\\\"", 2) != NULL;
    findings_error(s->findings, place, "this %s has no end%s", what,
                   token.type != TOKEN_OPEN_TEXT ? ": a `*/` is missing"
                   : escaped
                       ? ": a `\"` is missing, or a backslash before one, which is written `\\\\`"
                       : ": a `\"` is missing");
    return false;
}

static bool assemble(struct source *s, const struct input *in)
{
    if (!is_text(s, in))
        return false;
    struct lexer l;
    lexer_init(&l, in->text);
    size_t done = 0;
    unsigned line = 1;
    for (;;) {
        struct token token = lexer_next(&l);
        if (token.type == TOKEN_OPEN_TEXT || token.type == TOKEN_OPEN_COMMENT)
            return refuse_open_end(s, in, token);
        if (token.type == TOKEN_END)
            return append_lines(s, in, str_slice(in->text, done, in->text.len), line);
        if (token.type != TOKEN_INCLUDE)
            continue;
        size_t start = token.start;
        while (start > done && in->text.data[start - 1] != '\n')
            start--;
        if (!append_lines(s, in, str_slice(in->text, done, start), line) || !include(s, in, token))
            return false;
        done = token.end + str_find(str_slice(in->text, token.end, in->text.len), '\n');
        done += done < in->text.len;
        line = l.line + 1;
    }
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return xstrdup("");
    return xmemdup0(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool take_input(struct source *s, struct input *in, const char *name)
{
    in->name = store_text(s->store, str_of(name));
    in->text = without_bom(in->text);
    s->folder = folder_of(name);
    /* At once, because growing leaves copies of the passwords in it behind. */
    if (in->text.len < SOURCE_MAX / 2)
        buf_reserve(&s->text, in->text.len + 65536);
    return assemble(s, in);
}

void source_init(struct source *s, struct store *store, struct findings *findings)
{
    *s = (struct source){ .store = store, .findings = findings };
    buf_init(&s->text, SOURCE_MAX, NULL);
}

void source_done(struct source *s)
{
    buf_wipe(&s->text);
    free(s->lines);
    free(s->folder);
}

bool source_take(struct source *s, const char *name, struct str text)
{
    struct input in = { .text = text };
    return take_input(s, &in, name);
}

bool source_read(struct source *s, const char *path, bool *ret_missing)
{
    struct input in = { .has_id = true };
    struct buf text, why;
    buf_init(&text, SOURCE_MAX, NULL);
    buf_init(&why, 512, NULL);
    bool ok = file_read(path, FILE_ANY, &text, &in.id, &why);
    *ret_missing = !ok;
    if (!ok)
        findings_error(s->findings, (struct place){ .file = store_text(s->store, str_of(path)) },
                       "the configuration file %s", buf_c(&why));
    in.text = buf_str(&text);
    ok = ok && take_input(s, &in, path);
    buf_wipe(&text);
    buf_done(&why);
    return ok;
}

struct place source_place(const struct source *s, unsigned line)
{
    if (s->n_lines == 0)
        return (struct place){ .file = NULL };
    unsigned last = (unsigned)s->n_lines;
    unsigned at = line == 0 ? 1 : line > last ? last : line;
    return (struct place){ .file = s->lines[at - 1].file, .line = s->lines[at - 1].line, .at = at };
}
