/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/explain.h"

#include "base/clock.h"
#include "settings/secret.h"
#include "tool/server.h"

#include <string.h>

/* More than a head that the configuration can make. [bytes] */
#define HEAD_MAX ((size_t)1024 * 1024)

struct dry_run {
    struct upstream_call call;
    struct buf head; /* as it would go over the wire */
    bool done;
};

/* A copy of the configuration that leads to the same head without TLS. */
struct plain {
    struct upstream_config config;
    struct upstream_target target;
    struct buf url, proxy_url;
};

static const struct str https = { "https://", 8 };

/* The same without the `s`, and without the port of https, which `Host` does not tell. */
static void plain_url(struct str url, struct buf *to)
{
    if (!str_starts_with(url, https)) {
        buf_append(to, url);
        return;
    }
    struct str rest = str_slice(url, https.len, url.len);
    size_t path = str_find(rest, '/');
    struct str authority = str_slice(rest, 0, path);
    struct str port = { ":443", 4 };
    if (authority.len > port.len &&
        str_eq(str_slice(authority, authority.len - port.len, authority.len), port))
        authority.len -= port.len;
    buf_append_c(to, "http://");
    buf_append(to, authority);
    buf_append(to, str_slice(rest, path, rest.len));
}

/* Does the proxy itself read the request, instead of passing on a tunnel's bytes? */
static bool proxy_reads(const struct upstream_config *u)
{
    const char *proxy = u->proxy_target.url;
    return proxy != NULL && strncmp(proxy, "http", 4) == 0 && !u->proxy.tunnel &&
           !str_starts_with(str_of(u->targets[0].url), https);
}

static void plain_init(struct plain *plain, const struct upstream_config *u)
{
    buf_init(&plain->url, HEAD_MAX, NULL);
    buf_init(&plain->proxy_url, HEAD_MAX, NULL);
    plain_url(str_of(u->targets[0].url), &plain->url);
    plain->config = *u;
    plain->target = u->targets[0];
    plain->target.url = plain->url.data;
    plain->config.target = plain->target;
    plain->config.targets = &plain->target;
    plain->config.n_targets = 1;
    if (proxy_reads(u)) {
        plain_url(str_of(u->proxy_target.url), &plain->proxy_url);
        plain->config.proxy_target.url = plain->proxy_url.data;
    } else {
        plain->config.proxy_target = (struct proxy_target){ .url = NULL };
    }
}

static void plain_done(struct plain *plain)
{
    buf_done(&plain->url);
    buf_done(&plain->proxy_url);
}

static bool is_whole(const struct buf *head)
{
    return head->len >= 4 && memcmp(head->data + head->len - 4, "\r\n\r\n", 4) == 0;
}

static void on_trace(struct upstream_call *call, bool sent, struct str bytes)
{
    struct dry_run *r = call->user;
    if (!sent || r->done)
        return;
    buf_append(&r->head, bytes);
    r->done = is_whole(&r->head);
    if (r->done)
        upstream_cancel(call);
}

static void on_head(struct upstream_call *call UNUSED, int http_status UNUSED,
                    struct str content_type UNUSED)
{
}

static bool on_data(struct upstream_call *call UNUSED, struct str bytes UNUSED)
{
    return false;
}

static void on_done(struct upstream_call *call, const struct upstream_result *result UNUSED)
{
    struct dry_run *r = call->user;
    r->done = true;
}

/* Of credentials the scheme is told, of other secrets the name alone. */
static void append_line(struct str line, struct buf *to)
{
    size_t colon = str_find(line, ':');
    struct str name = str_slice(line, 0, colon);
    if (!secret_header(name)) {
        buf_append(to, line);
        return;
    }
    struct str value = str_trim(str_slice(line, colon + 1, line.len));
    struct str scheme = str_slice(value, 0, str_find(value, ' '));
    bool has_scheme = scheme.len < value.len;
    buf_printf(to, "%.*s: ", STR_ARGS(name));
    if (has_scheme)
        buf_printf(to, "%.*s ", STR_ARGS(scheme));
    buf_append_c(to, "***");
}

static void append_head(struct str head, struct buf *to)
{
    while (head.len > 0) {
        size_t end = str_find(head, '\n');
        struct str line = str_slice(head, 0, end);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        append_line(line, to);
        buf_append_byte(to, '\n');
        head = str_slice(head, end < head.len ? end + 1 : end, head.len);
    }
}

bool explain_head(const struct upstream_config *upstream, const struct chain *document,
                  const struct upstream_added *added, struct buf *to)
{
    struct plain plain;
    struct dry_run r = { .done = false };
    buf_init(&r.head, HEAD_MAX, NULL);
    plain_init(&plain, upstream);
    r.call = (struct upstream_call){
        .body = document,
        .content_type = "text/xml",
        .extra = &(struct upstream_extra){ .is_dry = true },
        .added = added,
        .deadline_ms = clock_now_ms() + upstream->timeouts.total,
        .on_head = on_head,
        .on_data = on_data,
        .on_trace = on_trace,
        .on_done = on_done,
        .user = &r,
    };
    bool good = server_call(&plain.config, &r.call, &r.done) && is_whole(&r.head);
    if (good)
        append_head(buf_str(&r.head), to);
    plain_done(&plain);
    buf_wipe(&r.head);
    return good;
}
