/* SPDX-License-Identifier: Apache-2.0 */
/* The names that an exchange needs, which are looked up by io/names.h and not by libcurl: that one
 * keeps a name for a minute, each worker for itself, and drops a look-up with the call that waits
 * for it. libcurl says when it needs one, as a kept connection needs none: the exchange ends there,
 * with nothing sent, waits, and begins anew with the addresses. No exchange leaves a name behind in
 * libcurl. */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For a function with an `ok`. */
#define SET(option, value) ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok

/* How long a new look-up is waited for where there are addresses that worked. [ms] */
#define OLD_WAIT_MS 250

#define ENTRY_BYTES ((size_t)4 * 1024)

/* A host in a URL: a name, or an address in brackets. */
#define HOST_BYTES 256

static bool ends_with(struct str text, struct str end)
{
    return text.len >= end.len && str_eq_nocase(str_slice(text, text.len - end.len, text.len), end);
}

/* libcurl knows addresses and localhost by itself. */
static bool is_name(const char *host)
{
    struct in_addr ignored;
    struct str text = str_of(host);
    return host[0] != '[' && inet_pton(AF_INET, host, &ignored) != 1 &&
           !str_eq_nocase(text, STR("localhost")) && !ends_with(text, STR(".localhost"));
}

/* Also gives the host as it stands in the URL. */
static void read_host(struct upstream_host *to, const char *url, struct upstream_shared *shared,
                      char text[HOST_BYTES])
{
    CURLU *parts = curl_url();
    char *host = NULL, *port = NULL;
    text[0] = '\0';
    if (parts != NULL &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        snprintf(text, HOST_BYTES, "%s", host);
    if (text[0] != '\0' && is_name(host) &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        to->name = upstream_shared_name(shared, host);
        snprintf(to->entry, sizeof to->entry, "-%s:%s", host, port);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
}

struct address {
    int family; /* 0: it is a name */
    unsigned char bytes[16];
};

static bool read_address(struct str text, int family, struct address *ret)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    ret->family = inet_pton(family, copy, ret->bytes) == 1 ? family : 0;
    return ret->family != 0;
}

/* In brackets, perhaps with a zone, or an IPv4 one. */
static struct address address_of(struct str host)
{
    struct address a = { 0 };
    if (host.len == 0 || host.data[0] != '[') {
        (void)read_address(host, AF_INET, &a);
        return a;
    }
    host = str_slice(host, 1, str_find(host, ']'));
    (void)read_address(str_slice(host, 0, str_find(host, '%')), AF_INET6, &a);
    return a;
}

/* Is it that address, or in that range? One of zero bits is that address alone for libcurl. */
static bool is_within(const struct address *a, struct str range)
{
    struct address from;
    size_t slash = str_find(range, '/'), max = a->family == AF_INET6 ? 128 : 32;
    uint64_t bits = 0;
    if (!read_address(str_slice(range, 0, slash), a->family, &from) ||
        (slash < range.len && !str_to_uint(str_slice(range, slash + 1, range.len), max, &bits)))
        return false;
    bits = bits == 0 ? max : bits;
    if (memcmp(a->bytes, from.bytes, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || (a->bytes[bits / 8] ^ from.bytes[bits / 8]) >> (8 - bits % 8) == 0;
}

static bool is_below(struct str host, struct str name)
{
    if (name.len > 0 && name.data[0] == '.')
        name = str_slice(name, 1, name.len);
    return str_eq_nocase(name, host) ||
           (name.len > 0 && ends_with(host, name) && host.data[host.len - name.len - 1] == '.');
}

/* As libcurl reads `no_proxy`. */
static bool passes_proxy(struct str host, const char *no_proxy)
{
    struct address address = address_of(host);
    struct str rest = str_of(no_proxy);
    while (rest.len > 0) {
        size_t comma = str_find(rest, ',');
        struct str entry = str_trim(str_slice(rest, 0, comma));
        rest = str_slice(rest, comma < rest.len ? comma + 1 : comma, rest.len);
        if (str_eq(entry, STR("*")) ||
            (address.family != 0 ? is_within(&address, entry) : is_below(host, entry)))
            return true;
    }
    return false;
}

/* Which of the two an exchange needs; it may be that none of them is a name. */
static void choose(struct upstream *u, const struct upstream_target *target,
                   struct upstream_host *host)
{
    const struct proxy_target *proxy = &u->config->proxy_target;
    char text[HOST_BYTES];
    if (target->unix_socket != NULL)
        return;
    read_host(host, target->url, u->shared, text);
    if (proxy->url == NULL)
        return;
    host->by_proxy = proxy->no_proxy == NULL || !passes_proxy(str_of(text), proxy->no_proxy);
    if (host->by_proxy && strncmp(proxy->url, "socks5:", 7) != 0)
        host->name = NULL;
}

void naming_open(struct upstream *u)
{
    const char *proxy = u->config->proxy_target.url;
    char ignored[HOST_BYTES];
    u->hosts = xcalloc(u->config->n_targets + 1, sizeof u->hosts[0]);
    u->proxy_host = &u->hosts[u->config->n_targets];
    if (proxy != NULL)
        read_host(u->proxy_host, proxy, u->shared, ignored);
    for (size_t i = 0; i < u->config->n_targets; i++) {
        choose(u, &u->config->targets[i], &u->hosts[i]);
        request_open(u, &u->config->targets[i], &u->hosts[i].head);
    }
}

void naming_close(struct upstream *u)
{
    for (size_t i = 0; i < u->config->n_targets; i++)
        buf_wipe(&u->hosts[i].head);
    free(u->hosts);
}

void naming_init(struct exchange *x)
{
    list_init(&x->name_wait.member);
    for (size_t i = 0; i < ARRAY_LEN(x->needed); i++)
        buf_init(&x->needed[i].entry, ENTRY_BYTES, NULL);
}

void naming_done(struct exchange *x)
{
    for (size_t i = 0; i < ARRAY_LEN(x->needed); i++)
        buf_done(&x->needed[i].entry);
}

void naming_start(struct exchange *x)
{
    const struct upstream_host *host = &x->upstream->hosts[x->call->target];
    const struct upstream_host *wanted[] = { host->by_proxy ? x->upstream->proxy_host : NULL,
                                             host };
    x->n_needed = 0;
    x->zone = 0;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        if (wanted[i] == NULL || wanted[i]->name == NULL || x->extra->is_dry)
            continue;
        struct needed_name *needed = &x->needed[x->n_needed++];
        needed->host = wanted[i];
        needed->given = false;
    }
}

bool naming_prepare(struct exchange *x)
{
    CURL *easy = x->easy;
    struct curl_slist *list = NULL;
    bool ok = true;
    x->wants_name = NULL;
    for (size_t i = x->n_needed; i > 0; i--) {
        struct needed_name *needed = &x->needed[i - 1];
        needed->node.data = needed->given ? (char *)(uintptr_t)buf_c(&needed->entry)
                                          : (char *)(uintptr_t)needed->host->entry;
        needed->node.next = list;
        list = &needed->node;
    }
    if (!x->extra->is_dry)
        SET(CURLOPT_RESOLVE, list);
    return ok;
}

int naming_wanted(void *resolver, void *reserved, void *user)
{
    struct exchange *x = user;
    (void)resolver;
    (void)reserved;
    for (size_t i = 0; i < x->n_needed && x->call != NULL && x->wants_name == NULL; i++)
        if (!x->needed[i].given)
            x->wants_name = &x->needed[i];
    return x->wants_name != NULL;
}

/* The addresses in place of the name. False: there are none; `why` says why. */
static bool give(struct exchange *x, char why[NAME_WHY_SIZE])
{
    struct needed_name *needed = x->wants_name;
    uint32_t zone = 0;
    buf_clear(&needed->entry);
    buf_append_c(&needed->entry, needed->host->entry + 1);
    buf_append_byte(&needed->entry, ':');
    needed->given =
        name_take(needed->host->name, &x->name_wait, &needed->entry, &needed->version, &zone, why);
    if (zone != 0)
        x->zone = zone;
    return needed->given;
}

static void go_on(struct exchange *x)
{
    char why[NAME_WHY_SIZE], detail[UPSTREAM_REASON_MAX];
    if (give(x, why)) {
        list_add_last(&x->upstream->all->starting, &x->member);
        return;
    }
    struct str host = str_of(x->wants_name->host->entry + 1);
    snprintf(detail, sizeof detail, "Could not resolve %s: %.*s (%s)",
             x->wants_name->host == x->upstream->proxy_host ? "proxy" : "host",
             (int)str_find(host, ':'), host.data, why);
    exchange_end_early(x, UPSTREAM_CONNECT_FAILED, NULL, detail);
}

void naming_begin(struct exchange *x)
{
    struct upstreams *all = x->upstream->all;
    int64_t now_ms = clock_now_ms();
    x->name_wait.loop = all->loop;
    switch (name_ask(x->wants_name->host->name, now_ms, &x->name_wait)) {
    case NAME_KNOWN:
        go_on(x);
        return;
    case NAME_NO_THREAD:
        x->n_needed = 0; /* let libcurl see to it */
        list_add_last(&all->starting, &x->member);
        return;
    case NAME_OLD:
        x->name_due_ms = now_ms + OLD_WAIT_MS;
        break;
    case NAME_AWAITED:
        x->name_due_ms = CLOCK_NEVER;
        break;
    }
    x->name_due_ms = clock_min(x->name_due_ms, x->connect_due_ms);
    x->name_due_ms = clock_min(x->name_due_ms, x->call->deadline_ms);
    list_add_last(&all->naming, &x->member);
}

static bool is_over(const struct exchange *x, int64_t now_ms)
{
    return atomic_load_explicit(&x->name_wait.ended, memory_order_acquire) ||
           x->name_due_ms <= now_ms;
}

static void end_wait(struct exchange *x, int64_t now_ms)
{
    bool ended = atomic_load_explicit(&x->name_wait.ended, memory_order_acquire);
    char detail[UPSTREAM_REASON_MAX];
    struct str host = str_of(x->wants_name->host->entry + 1);
    list_remove(&x->member);
    name_leave(&x->name_wait);
    if (!ended && x->call->deadline_ms <= now_ms) {
        exchange_end_early(x, UPSTREAM_TIMEOUT, NULL, "no time was left to look up the name");
    } else if (!ended && x->connect_due_ms <= now_ms) {
        snprintf(detail, sizeof detail, "the name %.*s was not looked up in time",
                 (int)str_find(host, ':'), host.data);
        exchange_end_early(x, UPSTREAM_CONNECT_FAILED, SETTING_CONNECT, detail);
    } else {
        go_on(x);
    }
}

void naming_run(struct upstreams *all)
{
    int64_t now_ms = clock_now_ms();
    LIST_EACH (&all->naming, at, following) {
        struct exchange *x = CONTAINER_OF(at, struct exchange, member);
        if (is_over(x, now_ms))
            end_wait(x, now_ms);
    }
}

int64_t naming_due_ms(const struct upstreams *all)
{
    int64_t due_ms = CLOCK_NEVER;
    for (const struct list *at = all->naming.next; at != &all->naming; at = at->next) {
        const struct exchange *x = CONTAINER_OF(at, struct exchange, member);
        due_ms = clock_min(due_ms, is_over(x, 0) ? 0 : x->name_due_ms);
    }
    return due_ms;
}

void naming_doubt(struct exchange *x)
{
    for (size_t i = 0; i < x->n_needed; i++)
        if (x->needed[i].given)
            name_doubt(x->needed[i].host->name, x->needed[i].version);
}
