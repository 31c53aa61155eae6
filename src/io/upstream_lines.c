/* SPDX-License-Identifier: Apache-2.0 */
/* Header lines that are one call's own, not its upstream's: what it is, what it adds, its login,
 * and cookies, which also come back. */
#include "io/upstream_inside.h"

#include <string.h>

/* [bytes] */
#define OWN_LINES_MAX ((size_t)24 * 1024)

void lines_init(struct exchange *x)
{
    buf_init(&x->lines, OWN_LINES_MAX, NULL);
}

void lines_done(struct exchange *x)
{
    buf_wipe(&x->lines);
}

/* One that would go out as more than one line, or as none, is left out. */
static bool is_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] == '\r' || value.data[i] == '\n' || value.data[i] == '\0')
            return false;
    return value.len > 0;
}

static void append_line(struct exchange *x, struct str name, struct str value)
{
    if (!is_value(value) || x->lines.len + name.len + value.len + 3 > OWN_LINES_MAX)
        return;
    buf_append(&x->lines, name);
    buf_append(&x->lines, STR(": "));
    buf_append(&x->lines, value);
    buf_append_byte(&x->lines, '\0');
}

static void add_line(struct exchange *x, const char *name, struct str value)
{
    append_line(x, str_of(name), value);
}

static size_t n_added(const struct exchange *x)
{
    const struct upstream_added *added = x->call->added;
    if (LIKELY(added == NULL))
        return 0;
    return added->n_lines < UPSTREAM_LINES_MAX ? added->n_lines : UPSTREAM_LINES_MAX;
}

bool lines_have(const struct exchange *x, struct str name)
{
    for (size_t i = 0; i < n_added(x); i++) {
        const struct upstream_line *line = &x->call->added->lines[i];
        if (str_eq_nocase(line->name, name) && is_value(line->value))
            return true;
    }
    return false;
}

static void add_added(struct exchange *x)
{
    for (size_t i = 0; i < n_added(x); i++)
        append_line(x, x->call->added->lines[i].name, x->call->added->lines[i].value);
}

/* Without its login the server refuses the call. */
static void add_secrets(struct exchange *x)
{
    struct buf value;
    buf_init(&value, OWN_LINES_MAX, NULL);
    if (login_write(x, &value))
        add_line(x, "Authorization", buf_str(&value));
    buf_clear(&value);
    if (!x->extra->is_dry && !lines_have(x, STR("Cookie")))
        upstream_cookies_write(x->upstream->shared, x->target->url, &value);
    add_line(x, "Cookie", buf_str(&value));
    buf_wipe(&value);
}

void lines_write(struct exchange *x)
{
    buf_clear(&x->lines);
    if (!x->upstream->has_content_type && !x->extra->get && !lines_have(x, STR("Content-Type")))
        add_line(x, "Content-Type", str_of(x->call->content_type));
    if (x->body == x->packed)
        add_line(x, "Content-Encoding", STR("gzip"));
    add_secrets(x);
    add_added(x);
    add_line(x, "traceparent", x->call->traceparent);
    if (x->call->traceparent.len > 0)
        add_line(x, "tracestate", x->call->tracestate);
}

struct curl_slist *lines_list(struct exchange *x)
{
    lines_write(x);
    struct curl_slist *list = x->upstream->headers;
    size_t end = x->lines.len;
    for (size_t i = ARRAY_LEN(x->own); i > 0 && end > 0; i--) {
        size_t start = end - 1;
        while (start > 0 && x->lines.data[start - 1] != '\0')
            start--;
        x->own[i - 1] = (struct curl_slist){ .data = x->lines.data + start, .next = list };
        list = &x->own[i - 1];
        end = start;
    }
    return list;
}

void lines_take_cookie(struct exchange *x, struct str line)
{
    size_t colon;
    if (LIKELY(!x->upstream->config->cookies && x->call->on_cookie == NULL))
        return;
    line = response_line_text(line);
    colon = str_find(line, ':');
    if (colon == line.len || !str_eq_nocase(str_trim(str_slice(line, 0, colon)), STR("Set-Cookie")))
        return;
    struct str value = str_slice(line, colon + 1, line.len);
    upstream_cookie_take(x->upstream->shared, x->target->url, value);
    if (x->call->on_cookie != NULL)
        x->call->on_cookie(x->call, str_trim(value));
}
