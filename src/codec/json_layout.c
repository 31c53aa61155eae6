/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_layout.h"

#include "codec/json_text.h"

#include <stdio.h>

struct writer {
    struct chain *to;
    enum json_layout layout;
    size_t depth;
};

static void begin_line(struct writer *w)
{
    if (w->layout == JSON_COMPACT)
        return;
    chain_append_byte(w->to, '\n');
    for (size_t i = 0; i < w->depth; i++)
        chain_append(w->to, STR("  "));
}

/* U+007F to U+009F; those beyond ASCII are C2 80 to C2 9F in UTF-8. Returns how many bytes one has
 * that begins there; 0: none does. */
static size_t control_length(const char *at, unsigned *ret)
{
    *ret = (unsigned char)at[0];
    if (*ret != 0xC2)
        return *ret == 0x7F;
    *ret = (unsigned char)at[1];
    return *ret < 0xA0 ? 2 : 0;
}

/* The string's text with its quotes. */
static void write_string(struct writer *w, struct str text)
{
    size_t from = 0;
    unsigned control;
    for (size_t i = 0; w->layout == JSON_FOR_EYES && i < text.len;) {
        size_t len = control_length(text.data + i, &control);
        if (len == 0) {
            i++;
            continue;
        }
        char escape[8];
        snprintf(escape, sizeof escape, "\\u%04x", control);
        chain_append(w->to, str_slice(text, from, i));
        chain_append_c(w->to, escape);
        i += len;
        from = i;
    }
    chain_append(w->to, str_slice(text, from, text.len));
}

/* Writes the bracket, and of an empty array or object both. Returns what is behind it. */
static const char *open_bracket(struct writer *w, const char *at, const char *end)
{
    const char *inside = json_skip_space(at + 1, end);
    chain_append_byte(w->to, *at);
    if (*inside == ']' || *inside == '}') {
        chain_append_byte(w->to, *inside);
        return inside + 1;
    }
    w->depth++;
    begin_line(w);
    return inside;
}

static const char *write_mark(struct writer *w, const char *at, const char *end)
{
    switch (*at) {
    case '[':
    case '{':
        return open_bracket(w, at, end);
    case ']':
    case '}':
        w->depth--;
        begin_line(w);
        chain_append_byte(w->to, *at);
        break;
    case ',':
        chain_append_byte(w->to, ',');
        begin_line(w);
        break;
    default:
        chain_append(w->to, w->layout == JSON_COMPACT ? STR(":") : STR(": "));
    }
    return at + 1;
}

static bool is_mark(char c)
{
    return c == '[' || c == '{' || c == ']' || c == '}' || c == ',' || c == ':';
}

/* Behind a number, `true`, `false` or `null`. */
static const char *word_end(const char *at, const char *end)
{
    while (at < end && !is_mark(*at) && json_skip_space(at, at + 1) == at)
        at++;
    return at;
}

void json_lay_out(struct str text, enum json_layout layout, struct chain *to)
{
    struct writer w = { .to = to, .layout = layout };
    const char *end = text.data + text.len;
    const char *at = json_skip_space(text.data, end);
    while (at < end) {
        const char *next;
        if (*at == '"') {
            next = json_string_end(at + 1, end) + 1;
            write_string(&w, (struct str){ at, (size_t)(next - at) });
        } else if (is_mark(*at)) {
            next = write_mark(&w, at, end);
        } else {
            next = word_end(at, end);
            chain_append(to, (struct str){ at, (size_t)(next - at) });
        }
        at = json_skip_space(next, end);
    }
}
