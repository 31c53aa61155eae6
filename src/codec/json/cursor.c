/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/cursor.h"

#include "codec/json/text.h"

#define ESCAPED_MAX 64

struct str json_trim(struct str text)
{
    const char *end = text.data + text.len;
    const char *at = json_skip_space(text.data, end);
    return (struct str){ at, (size_t)(json_skip_spaces_back(at, end) - at) };
}

struct json_cursor json_enter(struct str value)
{
    return (struct json_cursor){ .rest = str_slice(value, 1, value.len),
                                 .in_object = value.data[0] == '{',
                                 .first = true };
}

const char *json_skip_token(const char *at, const char *end, size_t *depth)
{
    switch (*at) {
    case '"':
        return json_string_end(at + 1, end) + 1;
    case '[':
    case '{':
        ++*depth;
        return at + 1;
    case ']':
    case '}':
        --*depth;
        return at + 1;
    case 't':
    case 'n':
        return at + 4;
    case 'f':
        return at + 5;
    case '-':
    case '0' ... '9':
        return json_number_end(at, end);
    default: /* white space, comma, colon */
        return at + 1;
    }
}

/* Behind the value at `at`: brackets are counted, for the text is known to be valid. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;
    do
        at = json_skip_token(at, end, &depth);
    while (depth > 0 && at < end);
    return at;
}

bool json_next(struct json_cursor *c, struct str *name, struct str *value)
{
    const char *end = c->rest.data + c->rest.len;
    const char *at = json_skip_space(c->rest.data, end);
    if (at == end || *at == ']' || *at == '}')
        return false;
    if (!c->first)
        at = json_skip_space(at + 1, end);
    c->first = false;
    if (c->in_object) {
        const char *name_end = json_string_end(at + 1, end) + 1;
        if (name != NULL)
            *name = (struct str){ at, (size_t)(name_end - at) };
        at = json_skip_space(json_skip_space(name_end, end) + 1, end);
    }
    const char *behind = skip_value(at, end);
    *value = (struct str){ at, (size_t)(behind - at) };
    c->rest = (struct str){ behind, (size_t)(end - behind) };
    return true;
}

/* Escapes that follow one another, as many as there is room for; returns how many bytes. */
static size_t read_escapes(const char **at, const char *stop, char to[ESCAPED_MAX])
{
    size_t n = 0;
    while (*at < stop && **at == '\\' && n + 4 <= ESCAPED_MAX) {
        uint32_t c = json_read_escape(at);
        if (c < 0x80)
            to[n++] = (char)c;
        else
            n += utf8_write(c, to + n);
    }
    return n;
}

const char *json_unquote_part(const char *at, const char *stop, struct buf *to)
{
    while (at < stop && buf_ok(to)) {
        char escaped[ESCAPED_MAX];
        const char *run = json_run_within(at, stop);
        if (run > at)
            buf_append(to, (struct str){ at, (size_t)(run - at) });
        at = run;
        size_t n = read_escapes(&at, stop, escaped);
        if (n == 0)
            break;
        buf_append(to, (struct str){ escaped, n });
    }
    return at;
}

void json_unquote(struct str quoted, struct buf *to)
{
    if (quoted.len == 2)
        buf_append(to, STR("")); /* The buffer has text, if an empty one. */
    json_unquote_part(quoted.data + 1, quoted.data + quoted.len - 1, to);
}

void json_quote_text(struct str text, struct buf *to)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            buf_printf(to, "\\%c", c);
        else if (c < 0x20)
            buf_printf(to, "\\u%04x", c);
        else
            buf_append_byte(to, (char)c);
    }
}

void json_quote(struct str text, struct buf *to)
{
    buf_append_byte(to, '"');
    json_quote_text(text, to);
    buf_append_byte(to, '"');
}

void json_unquote_start(struct str inside, size_t max, struct buf *to)
{
    struct str part = str_slice(inside, 0, inside.len < max ? inside.len : max);
    json_unquote_part(part.data, part.data + part.len, to);
    if (part.len == inside.len)
        return;
    to->len = utf8_valid_prefix(buf_str(to));
    buf_append_c(to, "…");
}
