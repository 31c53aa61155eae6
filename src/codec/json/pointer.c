/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/pointer.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/text.h"

#include <stdint.h>

void json_pointer_add_name(struct buf *pointer, struct str name)
{
    buf_append_byte(pointer, '/');
    for (size_t i = 0; i < name.len; i++) { /* RFC 6901 section 3 */
        if (name.data[i] == '~')
            buf_append_c(pointer, "~0");
        else if (name.data[i] == '/')
            buf_append_c(pointer, "~1");
        else
            buf_append_byte(pointer, name.data[i]);
    }
}

void json_pointer_add_index(struct buf *pointer, size_t index)
{
    buf_printf(pointer, "/%zu", index);
}

/* RFC 6901 section 4: no leading zeros. */
static size_t read_index(struct str name)
{
    uint64_t index;
    if ((name.len > 1 && name.data[0] == '0') || !str_to_uint(name, SIZE_MAX - 1, &index))
        return SIZE_MAX;
    return (size_t)index;
}

/* Copies a token without its escapes; false where one is none. */
static bool read_token(struct str text, char *to, struct json_token *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '~') {
            if (++i == text.len || (text.data[i] != '0' && text.data[i] != '1'))
                return false;
            c = text.data[i] == '0' ? '~' : '/';
        }
        to[n++] = c;
    }
    ret->name = (struct str){ to, n };
    ret->index = read_index(ret->name);
    return true;
}

static size_t count_tokens(struct str pointer)
{
    size_t n = 0;
    for (size_t i = 0; i < pointer.len; i++)
        n += pointer.data[i] == '/';
    return n;
}

size_t json_path_size(struct str pointer)
{
    return count_tokens(pointer) * sizeof(struct json_token) + pointer.len;
}

bool json_path_read(struct str pointer, void *memory, struct json_path *ret)
{
    struct json_token *tokens = memory;
    size_t n = count_tokens(pointer);
    if (n == 0 || pointer.data[0] != '/') {
        *ret = (struct json_path){ NULL, 0 };
        return pointer.len == 0;
    }
    char *text = (char *)(tokens + n);
    for (size_t i = 0; i < n; i++) {
        struct str rest = str_slice(pointer, 1, pointer.len);
        size_t len = str_find(rest, '/');
        if (!read_token(str_slice(rest, 0, len), text, &tokens[i]))
            return false;
        text += tokens[i].name.len;
        pointer = str_slice(rest, len, rest.len);
    }
    *ret = (struct json_path){ tokens, n };
    return true;
}

static bool is_named(struct str quoted, struct str name)
{
    struct str plain = str_slice(quoted, 1, quoted.len - 1);
    if (str_find(plain, '\\') == plain.len)
        return str_eq(plain, name);
    struct buf text;
    buf_init(&text, quoted.len, NULL);
    json_unquote(quoted, &text);
    if (!buf_ok(&text))
        die_without_memory();
    bool ret = str_eq(buf_str(&text), name);
    buf_wipe(&text);
    return ret;
}

/* Into a value, which is the wanted one where the path has no more tokens. */
static void search_enter(struct json_search *s, struct str json)
{
    const struct str none = { NULL, 0 };
    char first = json.len > 0 ? json.data[0] : '\0';
    bool at_end = s->token == s->path->n || json.data == NULL;
    s->is_over = at_end || (first != '{' && first != '[');
    s->json = s->is_over && !at_end ? none : json;
    s->found = none;
    s->begin = NULL;
    s->index = 0;
    s->in_object = first == '{';
    s->at = json.data != NULL ? json.data + 1 : NULL;
}

static void search_leave(struct json_search *s)
{
    s->token++;
    search_enter(s, s->found);
}

/* False: there is no other. */
static bool search_begin_value(struct json_search *s, const char *end)
{
    const struct json_token *token = &s->path->tokens[s->token];
    const char *at = json_skip_space(s->at, end);
    if (at == end || *at == ']' || *at == '}')
        return false;
    if (*at == ',')
        at = json_skip_space(at + 1, end);
    s->is_wanted = !s->in_object && token->index == s->index;
    if (s->in_object) {
        const char *behind = json_string_end(at + 1, end) + 1;
        s->is_wanted = is_named((struct str){ at, (size_t)(behind - at) }, token->name);
        at = json_skip_space(json_skip_space(behind, end) + 1, end);
    }
    s->begin = s->at = at;
    s->depth = 0;
    return true;
}

/* Of an array's elements only one has the index, of members the last counts. */
static void search_end_value(struct json_search *s)
{
    if (s->is_wanted)
        s->found = (struct str){ s->begin, (size_t)(s->at - s->begin) };
    s->begin = NULL;
    s->index++;
    if (s->is_wanted && !s->in_object)
        search_leave(s);
}

void json_search_begin(struct json_search *s, const struct json_path *path, struct str json)
{
    *s = (struct json_search){ .path = path };
    search_enter(s, json);
}

bool json_search_step(struct json_search *s, size_t bytes)
{
    size_t done = 0;
    while (!s->is_over && done < bytes) {
        const char *end = s->json.data + s->json.len, *from = s->at;
        if (s->begin == NULL && !search_begin_value(s, end)) {
            search_leave(s);
            continue;
        }
        s->at = json_skip_token(s->at, end, &s->depth);
        done += (size_t)(s->at - from);
        if (s->depth == 0 || s->at >= end)
            search_end_value(s);
    }
    return s->is_over;
}

struct str json_path_find(const struct json_path *path, struct str json)
{
    struct json_search s;
    json_search_begin(&s, path, json);
    (void)json_search_step(&s, SIZE_MAX);
    return s.json;
}
