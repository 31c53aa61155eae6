/* SPDX-License-Identifier: Apache-2.0 */
/* Kept connections: which of them may carry the next request, and what they tell of how long the
 * upstream keeps them. Where there is doubt those that have rested for too long are passed by. One
 * of them stays, as a witness: it shows by its age when the upstream keeps them again. */
#include "io/upstream_inside.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int64_t rested_us(const struct watch *w)
{
    return clock_now_us() - w->since_us;
}

void kept_tell_ended(struct upstream *u, int64_t age_us)
{
    if (keeping_ended(upstream_shared_keeping(u->shared), age_us) && !u->is_alone)
        LOG_EVENT(
            LOG_LEVEL_INFO,
            "upstream ends connections that could be kept (timeouts.idle); older ones are not "
            "used again",
            LOG_TEXT("upstream", u->config->name), LOG_NUM("rested_ms", age_us / 1000));
}

void kept_tell_alive(struct upstream *u, int64_t age_us)
{
    if (keeping_seen(upstream_shared_keeping(u->shared), age_us) && !u->is_alone)
        LOG_EVENT(LOG_LEVEL_INFO, "upstream keeps connections again",
                  LOG_TEXT("upstream", u->config->name));
}

static bool has_nothing(curl_socket_t fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* The event may be an old one: libcurl also reads what it finds when it is called for another
 * socket. */
bool kept_look(struct watch *w)
{
    if (w->ended)
        return false;
    if (has_nothing(w->source.fd))
        return true;
    if (w->carried && !w->busy)
        kept_tell_ended(w->multi->upstream, rested_us(w));
    watch_end(w);
    return false;
}

void kept_look_last(struct watch *w)
{
    if (!list_empty(&w->kept_member))
        (void)kept_look(w);
}

static bool is_oldest(const struct watch *w, const struct watch *witness)
{
    return witness == NULL || w->since_us < witness->since_us;
}

/* Leaves those that are not too old; or, where there is none, the oldest one, which is not used. */
static void pass_by(struct exchange *x, struct multi *m, int64_t limit_us)
{
    struct watch *witness = NULL;
    bool found = false;
    LIST_EACH (&m->kept, at, following) {
        struct watch *w = CONTAINER_OF(at, struct watch, kept_member);
        if (w->busy || !kept_look(w))
            continue;
        kept_tell_alive(m->upstream, rested_us(w));
        found |= rested_us(w) < limit_us;
        if (rested_us(w) >= limit_us && is_oldest(w, witness))
            witness = w;
    }
    /* A server may serve one connection after the other. */
    if (found || x->upstream->config->pool.max_connections == 1)
        witness = NULL;
    LIST_EACH (&m->kept, at, following) {
        struct watch *w = CONTAINER_OF(at, struct watch, kept_member);
        if (!w->ended && !w->busy && w != witness && rested_us(w) >= limit_us)
            watch_end(w);
    }
    x->fresh |= !found;
    x->once |= witness != NULL && limit_us == 0;
}

void kept_choose(struct exchange *x, struct multi *m)
{
    int64_t limit_us = keeping_limit_us(upstream_shared_keeping(x->upstream->shared));
    bool mends = x->is_clear && upstream_shared_has_strange_heads(x->upstream->shared);
    x->fresh = x->call->connect_only || x->logins > 0 || mends;
    x->once = x->upstream->config->timeouts.idle == 0 || mends;
    x->rested_us = -1;
    if (UNLIKELY(limit_us != KEEPING_ALL) && !x->fresh && !x->once)
        pass_by(x, m, limit_us);
}

void kept_check(struct exchange *x, int local_port)
{
    LIST_EACH (&x->multi->kept, at, following) {
        struct watch *w = CONTAINER_OF(at, struct watch, kept_member);
        if (w->local_port != local_port)
            continue;
        if (local_port != 0) {
            x->kept_fd = w->source.fd;
            x->rested_us = rested_us(w);
        }
        (void)kept_look(w);
        w->busy = local_port != 0 && !w->ended;
    }
}

void kept_tell_strange(struct upstream *u)
{
    if (upstream_shared_note_strange_heads(u->shared) && !u->is_alone)
        LOG_EVENT(LOG_LEVEL_INFO,
                  "upstream sends heads with lines that are none; they are left out, and its "
                  "connections are not kept",
                  LOG_TEXT("upstream", u->config->name));
}

/* libcurl has read it before we could look at it, and what followed is lost. */
static bool has_refused_head(const struct exchange *x)
{
    return x->is_clear && x->began && !x->head.complete && x->head.fault == NULL &&
           (strstr(x->error, "without colon") != NULL ||
            strstr(x->error, "Content-Length") != NULL);
}

void kept_learn(struct exchange *x, const struct upstream_result *result)
{
    struct watch *w = watch_of_kept(x);
    if (has_refused_head(x))
        kept_tell_strange(x->upstream);
    if (result->unsaid)
        kept_tell_ended(x->upstream, x->rested_us < 0 ? 0 : x->rested_us);
    else if (result->reused && result->status == UPSTREAM_OK && x->rested_us >= 0)
        kept_tell_alive(x->upstream, x->rested_us);
    if (w == NULL)
        return;
    if (response_head_is_ambiguous(&x->head))
        watch_end(w);
    w->since_us = clock_now_us();
    w->busy = false;
    w->carried = result->status == UPSTREAM_OK && !x->call->connect_only;
}

/* libcurl finds out before it uses the connection again, as with one that the upstream closes. */
void upstream_drop_connection(struct upstream *u)
{
    struct exchange *x = u->reported;
    if (x != NULL && x->http1.wire != NULL)
        x->once = true;
    struct watch *w = x != NULL && x->multi != NULL ? watch_of_kept(x) : NULL;
    if (w != NULL)
        watch_end(w);
}

bool upstream_ends_unsaid(struct upstream_shared *shared)
{
    return keeping_limit_us(upstream_shared_keeping(shared)) != KEEPING_ALL;
}
