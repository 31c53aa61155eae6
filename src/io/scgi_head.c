/* SPDX-License-Identifier: Apache-2.0 */
#include "io/scgi_head.h"

#include "rules/percent.h"

#include <stdint.h>
#include <stdio.h>

/* It ends with the empty line, which is none of them. */
static struct str take_line(struct str *text)
{
    size_t end = str_find(*text, '\r');
    struct str line = str_slice(*text, 0, end);
    *text = str_slice(*text, end + 2 < text->len ? end + 2 : text->len, text->len);
    return line;
}

static struct str take_word(struct str *line)
{
    size_t end = str_find(*line, ' ');
    struct str word = str_slice(*line, 0, end);
    *line = str_slice(*line, end < line->len ? end + 1 : end, line->len);
    return word;
}

static struct str name_of(struct str line)
{
    return str_slice(line, 0, str_find(line, ':'));
}

static struct str value_of(struct str line)
{
    return str_trim(str_slice(line, str_find(line, ':') + 1, line.len));
}

static void add(struct buf *to, const char *name, struct str value)
{
    buf_append_c(to, name);
    buf_append_byte(to, '\0');
    buf_append(to, value);
    buf_append_byte(to, '\0');
}

static char variable_byte(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return c == '-' ? '_' : c;
}

static bool is_variable(struct str name, struct str other)
{
    size_t i = 0;
    while (i < name.len && i < other.len &&
           variable_byte(name.data[i]) == variable_byte(other.data[i]))
        i++;
    return i == name.len && i == other.len;
}

/* RFC 9110 section 5.3; of Cookie RFC 9113 section 8.2.3. */
static struct str comma_of(struct str name)
{
    return str_eq_nocase(name, STR("Cookie")) ? STR("; ") : STR(", ");
}

static void add_value(struct str line, struct str rest, struct buf *to)
{
    buf_append(to, value_of(line));
    while (rest.len > 0) {
        struct str other = take_line(&rest);
        if (!is_variable(name_of(other), name_of(line)))
            continue;
        buf_append(to, comma_of(name_of(line)));
        buf_append(to, value_of(other));
    }
    buf_append_byte(to, '\0');
}

static bool stands_before(struct str lines, const char *end, struct str name)
{
    while (lines.data < end)
        if (is_variable(name_of(take_line(&lines)), name))
            return true;
    return false;
}

/* RFC 3875 section 4.1.18; the length is told already, and is the first. */
static void add_headers(struct str lines, struct buf *to)
{
    struct str rest = lines;
    while (rest.len > 0) {
        const char *begin = rest.data;
        struct str line = take_line(&rest), name = name_of(line);
        if (name.len == 0 || is_variable(name, STR("Content-Length")) ||
            stands_before(lines, begin, name))
            continue;
        if (!is_variable(name, STR("Content-Type")))
            buf_append(to, STR("HTTP_"));
        for (size_t i = 0; i < name.len; i++)
            buf_append_byte(to, variable_byte(name.data[i]));
        buf_append_byte(to, '\0');
        add_value(line, rest, to);
    }
}

/* RFC 3875 section 4.1.5: decoded. One that is no text then stays as it is. */
static void add_path_info(struct str path, struct buf *to)
{
    CLEANUP(buf_done) struct buf text;
    struct str rest = path;
    struct percent_character c;
    bool is_text = true;
    buf_init(&text, path.len + 1, NULL);
    while (rest.len > 0 && is_text) {
        is_text = percent_next(&rest, &c) && !percent_is_control(&c);
        buf_append(&text, (struct str){ c.bytes, is_text ? c.len : 0 });
    }
    add(to, "PATH_INFO", is_text ? buf_str(&text) : path);
}

static void add_target(struct str target, struct buf *to)
{
    size_t query = str_find(target, '?');
    add(to, "REQUEST_URI", target);
    add(to, "SCRIPT_NAME", STR(""));
    add_path_info(str_slice(target, 0, query), to);
    add(to, "QUERY_STRING", str_slice(target, query < target.len ? query + 1 : query, target.len));
}

static struct str host_of(struct str lines)
{
    while (lines.len > 0) {
        struct str line = take_line(&lines);
        if (str_eq_nocase(name_of(line), STR("Host")))
            return value_of(line);
    }
    return STR("localhost");
}

/* An IPv6 address stands in brackets, with colons of its own. */
static void add_server(struct str host, struct buf *to)
{
    size_t bracket = str_find(host, ']'), from = bracket < host.len ? bracket : 0;
    size_t colon = from + str_find(str_slice(host, from, host.len), ':');
    add(to, "SERVER_NAME", str_slice(host, 0, colon));
    add(to, "SERVER_PORT", colon < host.len ? str_slice(host, colon + 1, host.len) : STR("80"));
}

void scgi_head_write(struct str http, size_t document_len, struct buf *to)
{
    CLEANUP(buf_wipe) struct buf variables;
    struct str first = take_line(&http), method = take_word(&first), target = take_word(&first);
    char length[24];
    buf_init(&variables, SIZE_MAX - 1, NULL);
    buf_reserve(&variables, 2 * http.len + 512); /* growing would leave copies of secrets behind */
    snprintf(length, sizeof length, "%zu", document_len);
    add(&variables, "CONTENT_LENGTH", str_of(length));
    add(&variables, "SCGI", STR("1"));
    add(&variables, "REQUEST_METHOD", method);
    add_target(target, &variables);
    add(&variables, "SERVER_PROTOCOL", first);
    add_server(host_of(http), &variables);
    add_headers(http, &variables);
    buf_clear(to);
    buf_reserve(to, variables.len + sizeof length + 2);
    buf_printf(to, "%zu:", variables.len);
    buf_append(to, buf_str(&variables));
    buf_append_byte(to, ',');
}
