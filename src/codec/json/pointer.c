/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/pointer.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"

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
    struct buf text;
    buf_init(&text, quoted.len, NULL);
    json_unquote(quoted, &text);
    if (!buf_ok(&text))
        die_without_memory();
    bool ret = str_eq(buf_str(&text), name);
    buf_wipe(&text);
    return ret;
}

static struct str find_token(const struct json_token *token, struct str json)
{
    struct str name = { NULL, 0 }, found = { NULL, 0 }, value;
    if (json.len == 0 || (json.data[0] != '{' && json.data[0] != '['))
        return found;
    struct json_cursor cursor = json_enter(json);
    for (size_t i = 0; json_next(&cursor, cursor.in_object ? &name : NULL, &value); i++)
        if (cursor.in_object ? is_named(name, token->name) : token->index == i)
            found = json_trim(value);
    return found;
}

struct str json_path_find(const struct json_path *path, struct str json)
{
    for (size_t i = 0; i < path->n && json.data != NULL; i++)
        json = find_token(&path->tokens[i], json);
    return json;
}
