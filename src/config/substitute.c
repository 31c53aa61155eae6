/* SPDX-License-Identifier: Apache-2.0 */
#include "config/substitute.h"

#include "base/alloc.h"
#include "config/credentials.h"
#include "config/read_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A string when all is replaced. [bytes] */
#define VALUE_MAX ((size_t)65536)

/* What stands for a credential that -t does not find. */
static const struct str placeholder = { "credential", 10 };

/* What is told of a name in a message. */
static struct str cut(struct str s)
{
    struct str start = str_slice(s, 0, s.len < 100 ? s.len : 100);
    return str_slice(start, 0, utf8_valid_prefix(start));
}

static bool is_name(struct str s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool ok = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                  (c != '\0' && strchr(others, c) != NULL);
        if (!ok)
            return false;
    }
    return s.len > 0;
}

/* The colon and dash of `:-`, or the text's end. */
static size_t find_default(struct str s)
{
    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.data[i] == ':' && s.data[i + 1] == '-')
            return i;
    }
    return s.len;
}

static bool replace_env(struct str what, struct value *ret, struct buf *why)
{
    size_t end = find_default(what);
    struct str name = str_slice(what, 0, end);
    if (!is_name(name, "_") || name.len > 255) {
        buf_printf(why, "`${env:%.*s}` does not name an environment variable", STR_ARGS(cut(what)));
        return false;
    }
    CLEANUP(free_charp) char *variable = xmemdup0(name.data, name.len);
    const char *text = getenv(variable);
    bool has_default = end < what.len;
    if (text == NULL && !has_default) {
        buf_printf(why,
                   "the environment variable %s of `${env:%s}` is not set; set it, or give a "
                   "default: `${env:%s:-default}`",
                   variable, variable, variable);
        return false;
    }
    bool empty = text == NULL || text[0] == '\0';
    buf_append(&ret->text,
               empty && has_default ? str_slice(what, end + 2, what.len) : str_of(text));
    return true;
}

/* Appends a secret, which is not told. */
static void append_hidden(struct str secret, struct value *ret)
{
    size_t from = ret->text.len;
    buf_append(&ret->text, secret);
    ret->hidden_from = ret->hidden ? ret->hidden_from : from;
    ret->hidden_to = ret->text.len;
    ret->hidden = true;
}

static bool leave_sealed(struct value *ret)
{
    append_hidden(STR("***"), ret);
    ret->unresolved = true;
    return true;
}

/* Appends a file without the newline at its end. */
static bool append_file(const char *path, struct value *ret, struct buf *why)
{
    struct buf text;
    buf_init(&text, VALUE_MAX, NULL);
    buf_reserve(&text, VALUE_MAX); /* at once: growing would leave copies of the secret behind */
    bool ok = file_read(path, FILE_REGULAR, &text, NULL, why);
    struct str content = buf_str(&text);
    if (ok && content.len > 0 && content.data[content.len - 1] == '\n')
        content.len--;
    if (ok && content.len < text.len && content.len > 0 && content.data[content.len - 1] == '\r')
        content.len--;
    if (ok)
        append_hidden(content, ret);
    buf_wipe(&text);
    return ok;
}

static bool replace_file(const struct substitution *s, struct str what, struct value *ret,
                         struct buf *why)
{
    if (what.len == 0 || what.len > PATH_MAX) {
        buf_printf(why, "`${file:%.*s}` names no file", STR_ARGS(cut(what)));
        return false;
    }
    if (s->sealed)
        return leave_sealed(ret);
    CLEANUP(free_charp) char *path = file_beside(s->folder, what);
    buf_printf(why, "the file `%s` of `${file:%.*s}` ", path, STR_ARGS(cut(what)));
    if (!append_file(path, ret, why))
        return false;
    buf_clear(why);
    return true;
}

static bool is_credential(struct str name)
{
    return is_name(name, "_-.@:+") && name.len <= NAME_MAX && name.data[0] != '.';
}

/* The check in ExecReload= is shut out at each reload: that is no news. */
static bool leave_unchecked(const struct substitution *s, struct value *ret, struct buf *why)
{
    ret->unresolved = true;
    buf_append(&ret->text, placeholder);
    if (s->testing && credentials_are_shut())
        buf_clear(why);
    return s->testing;
}

static bool replace_credential(const struct substitution *s, struct str what, struct value *ret,
                               struct buf *why)
{
    if (!is_credential(what)) {
        buf_printf(why, "`${credential:%.*s}` does not name a credential", STR_ARGS(cut(what)));
        return false;
    }
    if (s->sealed)
        return leave_sealed(ret);
    buf_printf(why, "`${credential:%.*s}` %s: ", STR_ARGS(cut(what)),
               s->testing ? "is not checked" : "cannot be read");
    const char *folder = credentials_folder(why);
    if (folder == NULL)
        return leave_unchecked(s, ret, why);
    buf_clear(why);
    CLEANUP(free_charp) char *path = file_beside(folder, what);
    buf_printf(why, "the credential of `${credential:%.*s}`, `%s`, ", STR_ARGS(cut(what)), path);
    if (!append_file(path, ret, why))
        return false;
    buf_clear(why);
    return true;
}

/* Only the path, which is no secret: whoever names the file reads it. */
static bool replace_credential_path(const struct substitution *s, struct str what,
                                    struct value *ret, struct buf *why)
{
    if (!is_credential(what)) {
        buf_printf(why, "`${credential_path:%.*s}` does not name a credential",
                   STR_ARGS(cut(what)));
        return false;
    }
    const char *folder = credentials_folder_name();
    if (folder != NULL) {
        CLEANUP(free_charp) char *path = file_beside(folder, what);
        buf_append_c(&ret->text, path);
        return true;
    }
    ret->unresolved = true;
    ret->path_unknown = true;
    buf_append(&ret->text, placeholder);
    if (s->sealed)
        return true;
    buf_printf(why, "`${credential_path:%.*s}` %s: ", STR_ARGS(cut(what)),
               s->testing ? "is not checked" : "is not known");
    return credentials_folder(why) == NULL && s->testing;
}

/* What stands between `${` and `}`. */
static bool replace(const struct substitution *s, struct str what, struct value *ret,
                    struct buf *why)
{
    size_t colon = str_find(what, ':');
    struct str source = str_slice(what, 0, colon);
    struct str name = str_slice(what, colon < what.len ? colon + 1 : colon, what.len);
    ret->substituted = true;
    if (colon < what.len && str_eq_c(source, "env"))
        return replace_env(name, ret, why);
    if (colon < what.len && str_eq_c(source, "file"))
        return replace_file(s, name, ret, why);
    if (colon < what.len && str_eq_c(source, "credential"))
        return replace_credential(s, name, ret, why);
    if (colon < what.len && str_eq_c(source, "credential_path"))
        return replace_credential_path(s, name, ret, why);
    buf_printf(why,
               "`${%.*s}` is unknown: there are `${env:…}`, `${file:…}`, `${credential:…}` and "
               "`${credential_path:…}`; a literal `${` is written `$${`",
               STR_ARGS(cut(what)));
    return false;
}

static bool is_brace(char c)
{
    return c == '{' || c == '}';
}

/* Writes each brace from `from` on twice: in a template that is one brace. */
static void double_braces(struct value *v, size_t from)
{
    size_t more = 0, old = v->text.len;
    for (size_t i = from; i < old; i++)
        more += is_brace(v->text.data[i]);
    if (more == 0 || !buf_reserve(&v->text, more))
        return;
    char *to = v->text.data + old + more;
    *to = '\0';
    for (size_t i = old; i > from; i--) {
        *--to = v->text.data[i - 1];
        if (is_brace(*to))
            to[-1] = *to, to--;
    }
    v->text.len = old + more;
    if (v->hidden_to == old)
        v->hidden_to = v->text.len;
}

void value_init(struct value *v)
{
    *v = (struct value){ 0 };
    buf_init(&v->text, VALUE_MAX, NULL);
}

void value_done(struct value *v)
{
    buf_wipe(&v->text);
}

bool substitute(const struct substitution *s, struct str text, struct value *ret, struct buf *why)
{
    static const struct str opening = { "${", 2 }, escaped = { "$${", 3 };
    ret->written = text;
    buf_reserve(&ret->text, text.len);
    size_t at = 0;
    while (at < text.len) {
        struct str rest = str_slice(text, at, text.len);
        if (str_starts_with(rest, escaped)) {
            buf_append(&ret->text, opening);
            at += escaped.len;
        } else if (str_starts_with(rest, opening)) {
            size_t end = str_find(rest, '}');
            if (end == rest.len) {
                buf_append_c(why, "a `${` has no `}`; a literal `${` is written `$${`");
                return false;
            }
            size_t begin = ret->text.len;
            if (!replace(s, str_slice(rest, opening.len, end), ret, why))
                return false;
            if (s->double_braces)
                double_braces(ret, begin);
            at += end + 1;
        } else {
            buf_append_byte(&ret->text, text.data[at++]);
        }
    }
    if (!buf_ok(&ret->text))
        buf_printf(why, "the string is longer than %zu bytes", VALUE_MAX);
    return buf_ok(&ret->text);
}
