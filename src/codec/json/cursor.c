/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/cursor.h"

#include "codec/json/text.h"

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

void json_unquote(struct str quoted, struct buf *to)
{
    const char *at = quoted.data + 1;
    const char *end = quoted.data + quoted.len;
    for (;;) {
        const char *run = json_run_end(at, end);
        buf_append(to, (struct str){ at, (size_t)(run - at) });
        if (*run == '"' || !buf_ok(to))
            return;
        char bytes[4];
        at = run;
        size_t len = utf8_write(json_read_escape(&at), bytes);
        buf_append(to, (struct str){ bytes, len });
    }
}
