/* SPDX-License-Identifier: Apache-2.0 */
#include "front/freshness.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "front/request.h"
#include "front/surface.h"
#include "front/task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

/* How many bytes of a reply's hash are its ETag. */
#define ETAG_BYTES 8

static void write_status(const struct request *r, struct freshness *ret)
{
    static const int hows[KEPT_RESULTS] = {
        [KEPT_RESULT_HIT] = CACHING_HIT,
        [KEPT_RESULT_STALE] = CACHING_STALE,
        [KEPT_RESULT_MISS] = CACHING_MISS,
        [KEPT_RESULT_COLLAPSED] = CACHING_COLLAPSED,
    };
    const struct call_kept *kept = &r->kept;
    struct caching_told told = {
        .how = hows[kept->result],
        .was_wish = kept->was_anew,
        .is_stored = kept->is_stored,
        .ttl_s = kept->ttl_ms / 1000,
        .age_s = kept->age_ms / 1000,
    };
    caching_write_status(&told, ret->status);
    if (told.how == CACHING_HIT || told.how == CACHING_STALE)
        snprintf(ret->age, sizeof ret->age, "%" PRId64, told.age_s);
}

/* Only what GET has brought by a path of its own may be kept by others, each for itself alone. */
static bool may_be_kept(const struct request *r)
{
    return !r->failed && r->status == 200 && r->kept.ttl_ms > 0 &&
           r->target.row->task == &task_route && r->route != NULL &&
           r->route->http_method == ROUTE_GET;
}

/* A longer one takes too long to hash. */
static void write_etag(const struct request *r, char ret[FRESHNESS_ETAG_TEXT])
{
    size_t n = chain_blocks(&r->reply);
    struct digest digest;
    if (chain_len(&r->reply) > KEPT_LEN_MAX + KEPT_LEN_MAX / 2)
        return;
    struct iovec *blocks = xcalloc(n + 1, sizeof *blocks);
    struct str *texts = xcalloc(n + 1, sizeof *texts);
    chain_iovec(&r->reply, blocks);
    for (size_t i = 0; i < n; i++)
        texts[i] = (struct str){ blocks[i].iov_base, blocks[i].iov_len };
    digest_of_all(texts, n, &digest);
    free(texts);
    free(blocks);
    for (size_t i = 0; i < ETAG_BYTES; i++)
        snprintf(ret + 1 + 2 * i, 3, "%02x", digest.bytes[i]);
    ret[0] = '"';
    memcpy(ret + 1 + 2 * ETAG_BYTES, "\"", 2);
}

static void write_validators(struct request *r, struct freshness *ret)
{
    snprintf(ret->control, sizeof ret->control, "private, max-age=%" PRId64, r->kept.ttl_ms / 1000);
    write_etag(r, ret->etag);
    if (ret->etag[0] == '\0' || !caching_has(http_head(r->exchange), str_of(ret->etag)))
        return;
    chain_done(&r->reply);
    r->status = 304;
}

/* In milliseconds, without zeros at the end. */
static size_t write_time(char *to, size_t size, const char *name, int64_t us)
{
    int n = snprintf(to, size, "%s;dur=%" PRId64 ".%03" PRId64, name, us / 1000, us % 1000);
    size_t len = n > 0 && (size_t)n < size ? (size_t)n : 0;
    while (len > 0 && to[len - 1] == '0')
        len--;
    if (len > 0 && to[len - 1] == '.')
        len--;
    to[len] = '\0';
    return len;
}

/* Server Timing (W3C), section 3. */
static void write_timing(const struct request *r, char ret[FRESHNESS_TIMING_TEXT])
{
    const struct {
        const char *name;
        int64_t us;
        bool is_known;
    } times[] = {
        { "queue", r->sums.queue_us, r->sums.n_calls > 0 },
        { "upstream", r->sums.upstream_us, r->sums.n_calls > 0 },
        { "total", clock_now_us() - r->began_us, true },
    };
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        if (!times[i].is_known)
            continue;
        if (len > 0)
            len += (size_t)snprintf(ret + len, FRESHNESS_TIMING_TEXT - len, ", ");
        len += write_time(ret + len, FRESHNESS_TIMING_TEXT - len, times[i].name, times[i].us);
    }
}

void freshness_find(struct request *r, struct freshness *ret)
{
    ret->status[0] = ret->age[0] = ret->control[0] = ret->etag[0] = ret->timing[0] = '\0';
    if (UNLIKELY(r->kept.is_known)) {
        write_status(r, ret);
        if (may_be_kept(r))
            write_validators(r, ret);
    }
    if (UNLIKELY(r->site->config->server_timing))
        write_timing(r, ret->timing);
}
