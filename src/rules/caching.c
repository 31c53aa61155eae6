/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/caching.h"

#include <inttypes.h>
#include <stdio.h>

/* Takes the next item of a list off its beginning. False: there is none. */
static bool next_item(struct str *list, struct str *ret)
{
    if (list->len == 0)
        return false;
    size_t end = str_find(*list, ',');
    *ret = str_trim(str_slice(*list, 0, end));
    *list = str_slice(*list, end < list->len ? end + 1 : end, list->len);
    return true;
}

/* A directive may have an argument, which says of `no-cache` that some header lines are meant: the
 * whole is safe. */
static void read_directive(struct str item, struct caching_wish *ret)
{
    struct str name = str_trim(str_slice(item, 0, str_find(item, '=')));
    ret->no_cache |= str_eq_nocase(name, STR("no-cache"));
    ret->no_store |= str_eq_nocase(name, STR("no-store"));
}

struct caching_wish caching_wish(const struct request_head *head)
{
    struct caching_wish ret = { .no_cache = false };
    struct str item;
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str list = head->headers[i].value;
        if (!str_eq_nocase(head->headers[i].name, STR("Cache-Control")))
            continue;
        while (next_item(&list, &item))
            read_directive(item, &ret);
    }
    return ret;
}

/* Ours have no comma within. The comparison is the weak one. */
static bool is_that(struct str item, struct str etag)
{
    bool is_weak = item.len > 2 && item.data[0] == 'W' && item.data[1] == '/';
    return str_eq(item, STR("*")) || str_eq(is_weak ? str_slice(item, 2, item.len) : item, etag);
}

bool caching_has(const struct request_head *head, struct str etag)
{
    struct str item;
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str list = head->headers[i].value;
        if (!str_eq_nocase(head->headers[i].name, STR("If-None-Match")))
            continue;
        while (next_item(&list, &item))
            if (is_that(item, etag))
                return true;
    }
    return false;
}

void caching_write_status(const struct caching_told *told, char ret[CACHING_STATUS_TEXT])
{
    int64_t left = told->ttl_s - told->age_s;
    const char *stored = told->is_stored ? "; stored" : "";
    switch (told->how) {
    case CACHING_HIT:
        snprintf(ret, CACHING_STATUS_TEXT, "rpcgate; hit; ttl=%" PRId64, left);
        break;
    case CACHING_STALE:
        snprintf(ret, CACHING_STATUS_TEXT, "rpcgate; hit; ttl=%" PRId64 "; detail=STALE-IF-ERROR",
                 left);
        break;
    case CACHING_MISS:
        snprintf(ret, CACHING_STATUS_TEXT, "rpcgate; fwd=%s%s", told->was_wish ? "request" : "miss",
                 stored);
        break;
    case CACHING_COLLAPSED:
        snprintf(ret, CACHING_STATUS_TEXT, "rpcgate; fwd=miss; collapsed%s", stored);
        break;
    }
}
