/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of requests that libcurl does not write: the same lines in the same order as its own,
 * most of which are made once. */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "codec/value/base64.h"
#include "settings/url.h"

#include <stdlib.h>
#include <string.h>

/* Of a target: URL, credentials and headers of the configuration. [bytes] */
#define HEAD_MAX ((size_t)1024 * 1024)

/* Of the request line, what stands around its target. */
#define BEFORE_TARGET STR("POST ")
#define BEHIND_TARGET STR(" HTTP/1.1\r\n")

static bool has_line(const struct curl_slist *list, struct str name)
{
    for (; list != NULL; list = list->next) {
        struct str line = str_of(list->data);
        size_t end = str_find(line, ':'), blank = str_find(line, ';');
        if (str_eq_nocase(str_slice(line, 0, end < blank ? end : blank), name))
            return true;
    }
    return false;
}

static void add_line(struct buf *to, const char *name, struct str value)
{
    buf_append_c(to, name);
    buf_append(to, STR(": "));
    buf_append(to, value);
    buf_append(to, STR("\r\n"));
}

static void add_credentials(struct buf *to, const struct upstream_target *target)
{
    struct base64 base64;
    struct chain text;
    chain_init(&text, HEAD_MAX, NULL);
    base64_begin(&base64, &text, 0);
    base64_encode(&base64, str_of(target->username));
    base64_encode(&base64, STR(":"));
    base64_encode(&base64, str_of(target->password != NULL ? target->password : ""));
    base64_encode_end(&base64);
    buf_append(to, STR("Authorization: Basic "));
    for (const struct chain_block *b = text.first; b != NULL; b = b->next)
        buf_append(to, (struct str){ b->data, b->len });
    buf_append(to, STR("\r\n"));
    chain_wipe(&text);
}

/* Without its port where that is the scheme's. */
static void add_host(struct buf *to, CURLU *parts, const char *host)
{
    char *port = NULL;
    buf_append(to, STR("Host: "));
    buf_append_c(to, host);
    if (curl_url_get(parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK) {
        buf_append_byte(to, ':');
        buf_append_c(to, port);
    }
    buf_append(to, STR("\r\n"));
    curl_free(port);
}

/* Those of the configuration, as libcurl's list has them. */
static void add_list(struct buf *to, const struct curl_slist *list, bool only_host)
{
    for (; list != NULL; list = list->next) {
        struct str line = str_of(list->data);
        bool is_host = str_starts_with_nocase(line, STR("Host:"));
        bool is_removal = line.len > 0 && line.data[line.len - 1] == ':';
        if (is_removal || is_host != only_host)
            continue;
        bool is_blank = str_find(line, ':') == line.len;
        buf_append(to, is_blank ? str_slice(line, 0, line.len - 1) : line);
        buf_append_c(to, is_blank ? ":\r\n" : "\r\n");
    }
}

static void write_first(struct buf *to, const struct upstream *u,
                        const struct upstream_target *target, CURLU *parts, const char *host)
{
    const struct upstream_config *config = u->config;
    char *path = NULL, *query = NULL;
    buf_append(to, BEFORE_TARGET);
    if (curl_url_get(parts, CURLUPART_PATH, &path, 0) == CURLUE_OK)
        buf_append_c(to, path);
    if (curl_url_get(parts, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
        buf_append_byte(to, '?');
        buf_append_c(to, query);
    }
    buf_append(to, BEHIND_TARGET);
    if (has_line(u->headers, STR("Host")))
        add_list(to, u->headers, true);
    else
        add_host(to, parts, host);
    if (target->username != NULL && !has_line(u->headers, STR("Authorization")))
        add_credentials(to, target);
    if (!has_line(u->headers, STR("User-Agent")))
        add_line(
            to, "User-Agent",
            str_of(config->user_agent != NULL ? config->user_agent : "rpcgate/" RPCGATE_VERSION));
    if (!has_line(u->headers, STR("Accept")))
        add_line(to, "Accept", STR("*/*"));
    if (config->compression.accept && !has_line(u->headers, STR("Accept-Encoding")))
        add_line(to, "Accept-Encoding", STR("gzip, deflate"));
    curl_free(path);
    curl_free(query);
}

/* libcurl makes other characters of some. */
static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] <= ' ' || (unsigned char)text.data[i] >= 0x7f)
            return false;
    return true;
}

void request_open(struct upstream *u, const struct upstream_target *target, struct buf *ret)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    buf_init(ret, HEAD_MAX, NULL);
    if (parts == NULL)
        die_without_memory();
    if (is_ascii(str_of(target->url)) &&
        curl_url_set(parts, CURLUPART_URL, target->url, CURLU_PATH_AS_IS) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        write_first(ret, u, target, parts, host);
    curl_free(host);
    curl_url_cleanup(parts);
}

bool request_takes(const struct upstream_added *added)
{
    return added == NULL ||
           (is_ascii(added->path) && str_find(added->path, '#') == added->path.len);
}

static struct str take_line(struct str *text)
{
    size_t end = str_find(*text, '\n') + 1;
    struct str line = str_slice(*text, 0, end);
    *text = str_slice(*text, end, text->len);
    return line;
}

/* The call has a path of its own, or lines in the place of some of these. */
static void write_own(const struct exchange *x, struct str made, struct buf *to)
{
    struct str line = take_line(&made);
    buf_append(to, BEFORE_TARGET);
    url_append_with_path(str_slice(line, BEFORE_TARGET.len, line.len - BEHIND_TARGET.len),
                         x->call->added->path, to);
    buf_append(to, BEHIND_TARGET);
    while (made.len > 0) {
        line = take_line(&made);
        if (!lines_have(x, str_slice(line, 0, str_find(line, ':'))))
            buf_append(to, line);
    }
}

void request_write(struct exchange *x, struct buf *to)
{
    const struct upstream *u = x->upstream;
    struct str made = buf_str(&u->hosts[x->call->target].head), rest;
    char digits[STR_DECIMAL_MAX];
    lines_write(x);
    rest = buf_str(&x->lines);
    buf_clear(to);
    if (LIKELY(x->call->added == NULL))
        buf_append(to, made);
    else
        write_own(x, made, to);
    while (rest.len > 0) {
        size_t end = str_find(rest, '\0');
        buf_append(to, str_slice(rest, 0, end));
        buf_append(to, STR("\r\n"));
        rest = str_slice(rest, end + 1, rest.len);
    }
    add_list(to, u->headers, false);
    buf_append(to, STR("Content-Length: "));
    buf_append(to, str_decimal(chain_len(x->body), digits));
    buf_append(to, STR("\r\n\r\n"));
}
