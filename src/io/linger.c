/* SPDX-License-Identifier: Apache-2.0 */
#include "io/linger.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_BYTES ((size_t)1024 * 1024)
#define LINGER_MS 2000

struct lingering {
    struct list member;
    struct loop_source source;
    struct linger_pool *pool;
    size_t left; /* what may still be read [bytes] */
    int64_t until_ms;
};

void linger_init(struct linger_pool *pool, struct loop *loop, size_t max)
{
    *pool = (struct linger_pool){ .loop = loop, .max = max };
    list_init(&pool->sockets);
}

static void lingering_end(struct lingering *s)
{
    loop_remove(s->pool->loop, &s->source);
    close(s->source.fd);
    list_remove(&s->member);
    s->pool->n--;
    free(s);
}

void linger_done(struct linger_pool *pool)
{
    while (!list_empty(&pool->sockets))
        lingering_end(LIST_FIRST(&pool->sockets, struct lingering, member));
}

static void on_ready(struct loop_source *source, uint32_t events UNUSED)
{
    struct lingering *s = CONTAINER_OF(source, struct lingering, source);
    char waste[16384];
    ssize_t n = recv(source->fd, waste, sizeof waste, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (size_t)n >= s->left)
        lingering_end(s);
    else
        s->left -= (size_t)n;
}

void linger_add(struct linger_pool *pool, int fd)
{
    if (pool->n >= pool->max && !list_empty(&pool->sockets))
        lingering_end(LIST_FIRST(&pool->sockets, struct lingering, member));
    struct lingering *s = xcalloc(1, sizeof *s);
    s->source = (struct loop_source){ .fd = fd, .ready = on_ready };
    s->pool = pool;
    s->left = LINGER_BYTES;
    s->until_ms = clock_now_ms() + LINGER_MS;
    list_add_last(&pool->sockets, &s->member);
    pool->n++;
    shutdown(fd, SHUT_WR);
    if (!loop_add(pool->loop, &s->source, EPOLLIN))
        lingering_end(s);
}

void linger_run(struct linger_pool *pool, int64_t now_ms)
{
    LIST_EACH (&pool->sockets, at, following) {
        struct lingering *s = CONTAINER_OF(at, struct lingering, member);
        if (s->until_ms > now_ms)
            return;
        lingering_end(s);
    }
}

int64_t linger_deadline_ms(const struct linger_pool *pool)
{
    if (list_empty(&pool->sockets))
        return CLOCK_NEVER;
    return LIST_FIRST(&pool->sockets, struct lingering, member)->until_ms;
}
