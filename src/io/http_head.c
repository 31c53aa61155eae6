/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "io/http_connection.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define HEADERS_FIRST ((size_t)16)

/* A copied query of more than this is not kept for the next request. [bytes] */
#define QUERY_KEEP ((size_t)1024)

/* The library would make a list of the query's params, in the connection's memory, which we read by
 * ourselves; where they do not fit, version 0.9 forgets its own refusal and waits for nothing. So
 * it gets none of them. `query`: in its buffer, which it is about to change itself. */
static void hide_query(struct str query)
{
    ((char *)(uintptr_t)query.data)[0] = '\0';
}

/* The library passes the target as it came, NUL-terminated, once, before it cuts and decodes it. */
void http_head_target(struct http_exchange *x, const char *target)
{
    struct request_head *head = &x->head;
    x->target = target;
    x->target_len = strlen(target);
    x->target_bad = false;
    for (const char *p = target; *p != '\0'; p++)
        x->target_bad |= (unsigned char)*p <= ' ' || *p == 0x7f;

    struct str whole = { target, x->target_len };
    size_t path_len = str_find(whole, '?');
    head->path = str_slice(whole, 0, path_len);
    head->query = (struct str){ NULL, 0 };
    if (path_len == whole.len)
        return;
    struct str query = str_slice(whole, path_len + 1, whole.len);
    if (x->query_cap < query.len + 1) {
        x->query_cap = query.len + 1;
        x->query = xreallocarray(x->query, x->query_cap, 1);
    }
    memcpy(x->query, query.data, query.len);
    head->query = (struct str){ x->query, query.len };
    hide_query(query);
}

void http_head_clear(struct http_exchange *x)
{
    if (x->query_cap > QUERY_KEEP) {
        free(x->query);
        x->query = NULL;
        x->query_cap = 0;
    }
    x->target = NULL;
    x->head = (struct request_head){ .n_headers = 0 };
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind UNUSED, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    struct http_exchange *x = context;
    size_t n = x->head.n_headers;
    if (n == x->headers_cap) {
        x->headers_cap = n == 0 ? HEADERS_FIRST : n * 2;
        x->headers = xreallocarray(x->headers, x->headers_cap, sizeof *x->headers);
    }
    x->headers[n] = (struct header){
        .name = { name, name_len },
        .value = { value, value_len },
        .is = head_name_of((struct str){ name, name_len }),
    };
    x->head.n_headers = n + 1;
    return MHD_YES;
}

static bool is_visible(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    return true;
}

/* Before 1.0 the library is lenient: it joins folded lines, ends values at a NUL and takes a bare
 * LF for a line's end. It reads a head in place, so each of these leaves a gap, or none where there
 * must be one: in a head that is written properly, every part begins exactly where the one before
 * and its separator end. From 1.0 on it refuses these things when it is told to be strict. */
static bool headers_are_proper(const struct http_exchange *x, const struct http_request_line *line)
{
#if MHD_VERSION < 0x01000000
    const char *next = line->version + strlen(line->version) + 2;
    for (size_t i = 0; i < x->head.n_headers; i++) {
        const struct header *h = &x->headers[i];
        if (h->name.data != next || h->name.len == 0)
            return false;
        next = h->value.data + h->value.len + 2;
    }
    return next + 2 == line->method + x->head.head_bytes;
#else
    (void)x;
    (void)line;
    return true;
#endif
}

/* The same, and spaces where there must be one. */
static bool request_line_is_proper(const struct http_exchange *x,
                                   const struct http_request_line *line)
{
    return !x->target_bad && is_visible(line->method) && line->url == x->target &&
           line->url == line->method + strlen(line->method) + 1 &&
           line->version == line->url + x->target_len + 1;
}

void http_address_of(int fd, struct http_address *ret)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } local = { .any = { .sa_family = AF_UNSPEC } };
    socklen_t len = sizeof local;
    *ret = (struct http_address){ .port = 0 };
    if (getsockname(fd, &local.any, &len) != 0)
        return;
    if (local.any.sa_family == AF_UNIX) {
        ret->is_unix = true;
    } else if (local.any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &local.in.sin_addr, ret->ip, sizeof ret->ip);
        ret->port = ntohs(local.in.sin_port);
    } else if (local.any.sa_family == AF_INET6) {
        const struct in6_addr *a = &local.in6.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(a))
            inet_ntop(AF_INET, &a->s6_addr[12], ret->ip, sizeof ret->ip);
        else
            inet_ntop(AF_INET6, a, ret->ip, sizeof ret->ip);
        ret->port = ntohs(local.in6.sin6_port);
    }
}

static struct local_address local_address(struct http_connection *c)
{
    const struct http_address *a = &c->server->local;
    if (!c->server->local_fixed) {
        if (!c->local_known)
            http_address_of(c->fd, &c->local);
        c->local_known = true;
        a = &c->local;
    }
    if (a->is_unix)
        return (struct local_address){ .is_unix = true };
    return (struct local_address){ .ip = str_of(a->ip), .port = a->port };
}

void http_head_read(struct http_exchange *x, const struct http_request_line *line)
{
    struct http_connection *c = http_connection_of(x);
    struct request_head *head = &x->head;
    head->n_headers = 0;
    MHD_get_connection_values_n(c->mhd, MHD_HEADER_KIND, add_header, x);
    head->headers = x->headers;
    head->method = str_of(line->method);
    head_split_target(head);
    head->http_1_0 = strcmp(line->version, "HTTP/1.0") == 0;
    head->head_bytes =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    head->malformed = !request_line_is_proper(x, line) || !headers_are_proper(x, line);
    head->local = local_address(c);
}
