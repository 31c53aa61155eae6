/* SPDX-License-Identifier: Apache-2.0 */
#include "config/shown.h"

#include "settings/checked_texts.h"
#include "settings/secret.h"
#include "settings/url.h"

static void escape_as(struct buf *to, struct str text, bool resolved)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            buf_printf(to, "\\%c", c);
        else if (c == '\n')
            buf_append_c(to, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(to, "\\x%02x", c);
        else if (resolved && c == '$' && i + 1 < text.len && text.data[i + 1] == '{')
            buf_append_c(to, "$$");
        else
            buf_append_byte(to, (char)c);
    }
}

static void escape(struct buf *to, struct str text)
{
    escape_as(to, text, true);
}

/* The text with the bytes from `from` to `to_at` as ***. */
static void hide(struct buf *to, struct str text, size_t from, size_t until)
{
    escape(to, str_slice(text, 0, from));
    buf_append_c(to, "***");
    escape(to, str_slice(text, until, text.len));
}

static bool is_url(const struct kind *kind)
{
    return kind == &kinds[KIND_url] || kind == &kinds[KIND_urls] || kind == &kinds[KIND_proxy_url];
}

/* User and password are hidden wherever they came from. */
static bool hides_beyond_userinfo(const struct value *value)
{
    struct str url = buf_str(&value->text);
    struct str userinfo = url_userinfo(url);
    size_t from = (size_t)(userinfo.data - url.data), until = from + userinfo.len;
    return value->hidden && (value->hidden_from < from || value->hidden_to > until);
}

static void show_url(struct buf *to, const struct value *value)
{
    struct str url = buf_str(&value->text);
    struct str userinfo = url_userinfo(url);
    size_t from = (size_t)(userinfo.data - url.data), until = from + userinfo.len;
    if (hides_beyond_userinfo(value)) {
        buf_append_c(to, "***");
    } else if (userinfo.len == 0) {
        escape(to, url);
    } else {
        bool password = str_find(userinfo, ':') < userinfo.len;
        escape(to, str_slice(url, 0, from));
        buf_append_c(to, password ? "***:***" : "***");
        escape(to, str_slice(url, until, url.len));
    }
}

static void show_header(struct buf *to, const struct value *value)
{
    struct str line = buf_str(&value->text);
    struct str name = header_name(line);
    bool hidden_name = value->hidden && value->hidden_from <= name.len;
    if (hidden_name)
        buf_append_c(to, "***");
    else if (secret_header(name))
        buf_printf(to, "%.*s: ***", STR_ARGS(name));
    else if (value->hidden)
        hide(to, line, value->hidden_from, value->hidden_to);
    else
        escape(to, line);
}

bool shown_hides(const struct kind *kind, const struct value *value)
{
    return is_url(kind) ? hides_beyond_userinfo(value) : value->hidden;
}

void shown_quote(struct buf *to, struct str text)
{
    buf_append_byte(to, '"');
    escape(to, text);
    buf_append_byte(to, '"');
}

void shown_value(struct buf *to, const struct kind *kind, const struct value *value)
{
    bool plain = kind->type == SETTING_INTEGER || kind->type == SETTING_FLAG ||
                 kind->type == SETTING_DECIMAL;
    if (plain && !value->hidden) {
        buf_append(to, buf_str(&value->text));
        return;
    }
    buf_append_byte(to, '"');
    if (kind_is_secret(kind))
        buf_append_c(to, "***");
    else if (is_url(kind))
        show_url(to, value);
    else if (kind_is_headers(kind))
        show_header(to, value);
    else if (value->hidden)
        hide(to, buf_str(&value->text), value->hidden_from, value->hidden_to);
    else if (value->path_unknown)
        escape_as(to, value->written, false);
    else
        escape(to, buf_str(&value->text));
    buf_append_byte(to, '"');
}

void shown_table(struct buf *to, const struct kind *kind, const char *text)
{
    if (kind->type == SETTING_LIST)
        buf_printf(to,
                   kind == &kinds[KIND_values] || kind == &kinds[KIND_shapes] ? "( %s )" : "[ %s ]",
                   text);
    else if (kind->type == SETTING_GROUP)
        buf_printf(to, "{ %s}", text);
    else if (kind->type == SETTING_TEXT)
        buf_printf(to, "\"%s\"", text);
    else
        buf_append_c(to, text);
}
