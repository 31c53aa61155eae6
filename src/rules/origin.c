/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/origin.h"

#include "rules/host.h"

static bool is_ours(const struct host *host, const struct request_head *head,
                    const struct texts *hosts)
{
    struct host known;
    if (host->name.len == 0)
        return false;
    if (host_is_loopback(host))
        return true;
    if (head->local.ip.data != NULL) {
        host_read_name(head->local.ip, &known);
        if (known.is_address && host_same(host, &known))
            return true;
    }
    for (size_t i = 0; hosts != NULL && i < hosts->n; i++) {
        host_read_name(str_of(hosts->items[i]), &known);
        if (host_same(host, &known))
            return true;
    }
    return false;
}

bool origin_check_host(const struct request_head *head, const struct texts *hosts,
                       struct error *err)
{
    struct host host;
    if (head->local.is_unix)
        return true;
    struct str value = head_host(head);
    if (value.data == NULL && head->http_1_0)
        return true;
    if (host_parse(value, &host) && is_ours(&host, head, hosts))
        return true;
    return error_set(err, PROBLEM_MISDIRECTED,
                     "The %s names \"%.*s\", which is not served here: use localhost or "
                     "the address that rpcgate listens on, or add the name to `hosts` in the "
                     "configuration.",
                     head->authority.data != NULL ? "request's target" : "Host header",
                     (int)(value.len < 255 ? value.len : 255),
                     value.data != NULL ? value.data : "");
}

/* Both default ports are those of the origin's scheme: a proxy in front of us may be the one that
 * speaks TLS. */
static bool is_own_origin(struct str origin, const struct request_head *head)
{
    struct host theirs, ours;
    unsigned port;
    if (str_starts_with_nocase(origin, STR("http://"))) {
        origin = str_slice(origin, 7, origin.len);
        port = 80;
    } else if (str_starts_with_nocase(origin, STR("https://"))) {
        origin = str_slice(origin, 8, origin.len);
        port = 443;
    } else {
        return false;
    }
    struct str host = head_host(head);
    if (host.data == NULL || !host_parse(host, &ours) || !host_parse(origin, &theirs))
        return false;
    if (ours.name.len == 0 || !host_same(&ours, &theirs))
        return false;
    return (ours.has_port ? ours.port : port) == (theirs.has_port ? theirs.port : port);
}

static const char *find_cors(struct str origin, const struct texts *cors)
{
    for (size_t i = 0; cors != NULL && i < cors->n; i++)
        if (str_eq_c(origin, cors->items[i]))
            return cors->items[i];
    return NULL;
}

static bool refuse_origin(struct str origin, struct error *err)
{
    return error_set(err, PROBLEM_FORBIDDEN,
                     "A page of the origin \"%.*s\" may not use rpcgate: only pages of rpcgate's "
                     "own host and port, and of the origins in `cors_origins`, may. A program "
                     "should send no Origin header.",
                     (int)(origin.len < 255 ? origin.len : 255),
                     origin.data != NULL ? origin.data : "");
}

/* `cors`: the request's Origin is one of `cors_origins`. */
static bool check_fetch_site(struct str site, bool cors, struct error *err)
{
    if (str_eq(site, STR("none")) || str_eq(site, STR("same-origin")))
        return true;
    if (cors && (str_eq(site, STR("cross-site")) || str_eq(site, STR("same-site"))))
        return true;
    return error_set(err, PROBLEM_FORBIDDEN,
                     "A browser sent this request for a page of another site (Sec-Fetch-Site): "
                     "only pages of rpcgate's own host and port, and of the origins in "
                     "`cors_origins`, may use rpcgate.");
}

bool origin_check_origin(const struct request_head *head, const struct texts *cors,
                         const char **ret, struct error *err)
{
    const struct header *origin = head_find(head, HEADER_ORIGIN);
    const char *found = NULL;
    if (origin != NULL) {
        struct str value = str_trim(origin->value);
        bool single = head_count(head, HEADER_ORIGIN) == 1;
        found = single ? find_cors(value, cors) : NULL;
        if (!single || (found == NULL && !is_own_origin(value, head)))
            return refuse_origin(value, err);
    }
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct header *h = &head->headers[i];
        if (h->is == HEADER_SEC_FETCH_SITE &&
            !check_fetch_site(str_trim(h->value), found != NULL, err))
            return false;
    }
    *ret = found;
    return true;
}

bool origin_is_preflight(const struct request_head *head)
{
    return str_eq(head->method, STR("OPTIONS")) && head_find(head, HEADER_ORIGIN) != NULL &&
           head_find(head, HEADER_REQUEST_METHOD) != NULL;
}
