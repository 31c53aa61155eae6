/* SPDX-License-Identifier: Apache-2.0 */
/* What of a URL may be shown: a login in it is hidden where it should stand, and looked for where
 * it should not. */
#include "settings/url.h"

#include <string.h>

void url_append_hidden(struct str url, struct buf *to)
{
    size_t from = 0;
    while (from + 1 < url.len && (url.data[from] != '/' || url.data[from + 1] != '/'))
        from++;
    from = from + 1 < url.len ? from + 2 : url.len;
    size_t end = from, at = url.len;
    for (; end < url.len && strchr("/?#", url.data[end]) == NULL; end++)
        at = url.data[end] == '@' ? end : at;
    buf_append(to, str_slice(url, 0, from));
    if (at < end)
        buf_append_c(to, "***");
    buf_append(to, str_slice(url, at < end ? at : from, url.len));
}

/* `user:password` */
static bool is_login(struct str segment)
{
    size_t colon = str_find(segment, ':');
    return colon > 0 && colon + 1 < segment.len;
}

static bool contains_nocase(struct str s, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= s.len; i++) {
        if (str_eq_nocase(str_slice(s, i, i + len), str_of(word)))
            return true;
    }
    return false;
}

/* `password=…` */
static bool is_secret_field(struct str field)
{
    static const char *const words[] = {
        "pass", "pwd", "token", "secret", "auth", "key", "session"
    };
    size_t equals = str_find(field, '=');
    struct str name = str_slice(field, 0, equals);
    for (size_t i = 0; i < ARRAY_LEN(words) && equals + 1 < field.len; i++) {
        if (contains_nocase(name, words[i]))
            return true;
    }
    return false;
}

static bool any_part(struct str text, const char *separators, bool (*is)(struct str part))
{
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && strchr(separators, text.data[i]) == NULL)
            continue;
        if (is(str_slice(text, from, i)))
            return true;
        from = i + 1;
    }
    return false;
}

bool url_shows_credentials(struct str url)
{
    struct buf ignored;
    buf_init(&ignored, 512, NULL);
    bool ok = url_parse(NULL, url, NULL, &ignored);
    buf_done(&ignored);
    if (!ok)
        return false;
    url = str_slice(url, str_find(url, ':') + 3, url.len); /* behind the scheme's `://` */
    size_t end = str_find(url, '?');
    struct str query = str_slice(url, end < url.len ? end + 1 : end, url.len);
    url = str_slice(url, 0, end);
    struct str path = str_slice(url, str_find(url, '/'), url.len);
    return any_part(path, "/;", is_login) || any_part(query, "&;", is_secret_field) ||
           any_part(query, "&;=", is_login);
}
