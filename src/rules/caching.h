/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's head says of answers that were kept, and what ours says of them. Pure. */
#ifndef RPCGATE_RULES_CACHING_H
#define RPCGATE_RULES_CACHING_H

#include "base/macros.h"
#include "base/str.h"
#include "rules/head.h"

#include <stdbool.h>
#include <stdint.h>

/* `Cache-Control`, RFC 9111 section 5.2.1. */
struct caching_wish {
    bool no_cache; /* nothing that was kept is an answer */
    bool no_store; /* nor is the answer kept */
};
struct caching_wish caching_wish(const struct request_head *head);

/* Has whoever sent it that version already (`If-None-Match`, RFC 9110 section 13.1.2)? `etag` with
 * its quotes. */
bool caching_has(const struct request_head *head, struct str etag) MUST_CHECK;

/* How an answer came about. */
struct caching_told {
    enum { CACHING_HIT, CACHING_STALE, CACHING_MISS, CACHING_COLLAPSED } how;
    bool was_wish; /* of a miss: because of `no-cache` */
    bool is_stored;
    int64_t ttl_s, age_s;
};

#define CACHING_STATUS_TEXT 96

/* `Cache-Status`, RFC 9211. */
void caching_write_status(const struct caching_told *told, char ret[CACHING_STATUS_TEXT]);

#endif
