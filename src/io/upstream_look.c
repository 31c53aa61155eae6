/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_look.h"

#include "io/upstream_head.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct str protocol = { "HTTP/1.", 7 };

/* One of the heads of an answer. */
struct one_head {
    size_t n_lines;
    uint64_t status;
    bool unclear; /* it is libcurl's to refuse */
    bool has_colonless, has_blank_length, has_length;
};

/* The next line with its end; empty: it is not complete. */
static struct str next_line(struct str bytes, size_t *at)
{
    struct str rest = str_slice(bytes, *at, bytes.len);
    size_t end = str_find(rest, '\n');
    if (end == rest.len)
        return str_slice(rest, 0, 0);
    *at += end + 1;
    return str_slice(rest, 0, end + 1);
}

static bool is_colonless(struct str line)
{
    return str_find(line, ':') == line.len;
}

static bool is_length(struct str line)
{
    return str_eq_nocase(str_trim(str_slice(line, 0, str_find(line, ':'))), STR("Content-Length"));
}

static bool is_blank(struct str line)
{
    return str_trim(str_slice(line, str_find(line, ':') + 1, line.len)).len == 0;
}

static void note_status(struct one_head *head, struct str line)
{
    struct str rest = str_trim(str_slice(line, str_find(line, ' '), line.len));
    if (!str_starts_with(line, protocol) || rest.len < 3 ||
        !str_to_uint(str_slice(rest, 0, 3), 999, &head->status))
        head->unclear = true;
}

/* RFC 9112 section 5.2 for what begins with a blank. A second status line is no field either, and
 * may say something else than the first. */
static void note_line(struct one_head *head, struct str line)
{
    if (memchr(line.data, '\0', line.len) != NULL || line.data[0] == ' ' || line.data[0] == '\t' ||
        str_starts_with(str_trim(line), STR("HTTP/")))
        head->unclear = true;
    else if (is_colonless(line))
        head->has_colonless = true;
    else if (is_length(line) && is_blank(line))
        head->has_blank_length = true;
    else if (is_length(line))
        head->has_length = true;
}

/* Takes one head off. False: it is not complete. */
static bool read_head(struct str bytes, size_t *at, struct one_head *ret)
{
    *ret = (struct one_head){ .n_lines = 0 };
    for (;;) {
        struct str line = next_line(bytes, at);
        if (line.len == 0)
            return false;
        line = response_line_text(line);
        ret->n_lines++;
        if (ret->n_lines == 1)
            note_status(ret, line);
        else if (line.len == 0)
            return true;
        else
            note_line(ret, line);
    }
}

/* 101 is none that we asked for. */
static bool is_interim(const struct one_head *head)
{
    return head->status >= 100 && head->status < 200 && head->status != 101;
}

static bool is_left_out(const struct one_head *head, struct str line)
{
    line = response_line_text(line);
    return line.len > 0 &&
           (is_colonless(line) || (is_length(line) && is_blank(line) && !head->has_length));
}

static bool mends(const struct one_head *head)
{
    return head->has_colonless || (head->has_blank_length && !head->has_length);
}

enum look_result look_at_head(struct str bytes, size_t *ret_len)
{
    struct one_head head;
    size_t at = 0;
    bool has_such = false;
    do {
        struct str rest = str_slice(bytes, at, bytes.len);
        size_t n = rest.len < protocol.len ? rest.len : protocol.len;
        if (!str_eq(str_slice(rest, 0, n), str_slice(protocol, 0, n)))
            return LOOK_FINE;
        if (!read_head(bytes, &at, &head))
            return bytes.len < LOOK_MAX ? LOOK_MORE : LOOK_FINE;
        if (head.unclear)
            return LOOK_FINE;
        has_such |= mends(&head);
    } while (is_interim(&head));
    *ret_len = at;
    return has_such ? LOOK_MEND : LOOK_FINE;
}

void look_mend(struct str heads, struct buf *to)
{
    struct one_head head;
    size_t at = 0, line_at = 0;
    while (at < heads.len && read_head(heads, &at, &head)) {
        buf_append(to, next_line(heads, &line_at));
        while (line_at < at) {
            struct str line = next_line(heads, &line_at);
            if (!is_left_out(&head, line))
                buf_append(to, line);
        }
    }
}
