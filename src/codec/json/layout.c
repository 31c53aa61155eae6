/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json/layout.h"

#include "base/terminal.h"
#include "codec/json/text.h"

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

/* `\uXXXX`, or two of them (RFC 8259 section 7). */
static void append_escape(uint32_t c, struct chain *to)
{
    char escape[16];
    if (c < 0x10000)
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
    else
        snprintf(escape, sizeof escape, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (c >> 10)),
                 (unsigned)(0xDC00 + (c & 0x3FF)));
    chain_append_c(to, escape);
}

void json_escape_commands(struct str text, struct chain *to)
{
    size_t from = 0;
    uint32_t command = 0;
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_slice(text, i, text.len);
        size_t len = terminal_command(rest, &command);
        if (len == 0) {
            i += utf8_sequence((const unsigned char *)rest.data, rest.len);
            continue;
        }
        chain_append(to, str_slice(text, from, i));
        append_escape(command, to);
        i += len;
        from = i;
    }
    chain_append(to, str_slice(text, from, text.len));
}

/* The string's text with its quotes. */
static void write_string(struct writer *w, struct str text)
{
    if (w->layout == JSON_FOR_EYES)
        json_escape_commands(text, w->to);
    else
        chain_append(w->to, text);
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
