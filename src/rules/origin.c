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
    const struct header *h = head_find(head, STR("Host"));
    if (h == NULL && head->http_1_0)
        return true;
    struct str value = h != NULL ? str_trim(h->value) : (struct str){ NULL, 0 };
    if (host_parse(value, &host) && is_ours(&host, head, hosts))
        return true;
    return error_set(err, PROBLEM_MISDIRECTED,
                     "The Host header names \"%.*s\", which is not served here: use localhost or "
                     "the address that rpcgate listens on, or add the name to `hosts` in the "
                     "configuration.",
                     (int)(value.len < 255 ? value.len : 255),
                     value.data != NULL ? value.data : "");
}

/* Both default ports are those of the origin's scheme: a proxy in front of us may be the one that
 * speaks TLS. */
static bool is_own_origin(struct str origin, const struct request_head *head)
{
    struct host theirs, ours;
    unsigned port;
    if (str_starts_with(origin, STR("http://"))) {
        origin = str_slice(origin, 7, origin.len);
        port = 80;
    } else if (str_starts_with(origin, STR("https://"))) {
        origin = str_slice(origin, 8, origin.len);
        port = 443;
    } else {
        return false;
    }
    const struct header *h = head_find(head, STR("Host"));
    if (h == NULL || !host_parse(str_trim(h->value), &ours) || !host_parse(origin, &theirs))
        return false;
    if (ours.name.len == 0 || !host_same(&ours, &theirs))
        return false;
    return (ours.has_port ? ours.port : port) == (theirs.has_port ? theirs.port : port);
}

bool origin_check_origin(const struct request_head *head, struct error *err)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str name = head->headers[i].name;
        struct str value = str_trim(head->headers[i].value);
        if (str_eq_nocase(name, STR("Origin")) && !is_own_origin(value, head))
            return error_set(err, PROBLEM_FORBIDDEN,
                             "A page of the origin \"%.*s\" may not use rpcgate: only pages of "
                             "rpcgate's own host and port may. A program should send no Origin "
                             "header.",
                             (int)(value.len < 255 ? value.len : 255), value.data);
        if (str_eq_nocase(name, STR("Sec-Fetch-Site")) && !str_eq(value, STR("none")) &&
            !str_eq(value, STR("same-origin")))
            return error_set(err, PROBLEM_FORBIDDEN,
                             "A browser sent this request for a page of another site "
                             "(Sec-Fetch-Site): only pages of rpcgate's own host and port may "
                             "use rpcgate.");
    }
    return true;
}
