/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/step.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Events taken by one epoll_wait(2). More wait in the kernel for the next turn, in order. */
#define BATCH 64

struct loop {
    int epoll_fd;
    int wake_fd;
    int64_t now_ms;
    int64_t away_ms; /* how long the turn before took */
    struct epoll_event batch[BATCH];
    int n_batch; /* events of the batch at hand; 0 outside loop_wait() */
};

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->now_ms = clock_now_ms();
    /* The loop's own address marks the event of loop_wake(). */
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = loop };
    if (loop->epoll_fd >= 0 && loop->wake_fd >= 0 &&
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) == 0)
        return loop;
    int saved = errno;
    loop_free(loop);
    errno = saved;
    return NULL;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
}

static bool control(struct loop *loop, int operation, struct loop_source *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    return epoll_ctl(loop->epoll_fd, operation, source->fd, &event) == 0;
}

bool loop_add(struct loop *loop, struct loop_source *source, uint32_t events)
{
    return control(loop, EPOLL_CTL_ADD, source, events);
}

bool loop_change(struct loop *loop, struct loop_source *source, uint32_t events)
{
    return control(loop, EPOLL_CTL_MOD, source, events);
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
    (void)control(loop, EPOLL_CTL_DEL, source, 0);
    for (int i = 0; i < loop->n_batch; i++)
        if (loop->batch[i].data.ptr == source)
            loop->batch[i].data.ptr = NULL;
}

static void clear_wake(struct loop *loop)
{
    eventfd_t ignored;
    (void)eventfd_read(loop->wake_fd, &ignored);
}

void loop_wait(struct loop *loop, int64_t deadline_ms)
{
    int n;
    loop->away_ms = clock_now_ms() - loop->now_ms;
    step_begin(NULL);
    do {
        int64_t now_ms = deadline_ms == CLOCK_NEVER ? 0 : clock_now_ms();
        n = epoll_wait(loop->epoll_fd, loop->batch, BATCH, clock_wait_ms(deadline_ms, now_ms));
    } while (n < 0 && errno == EINTR);
    loop->now_ms = clock_now_ms();
    loop->n_batch = n > 0 ? n : 0;
    for (int i = 0; i < loop->n_batch; i++) {
        void *what = loop->batch[i].data.ptr;
        step_begin("event");
        if (what == loop) {
            clear_wake(loop);
        } else if (what != NULL) {
            struct loop_source *source = what;
            source->ready(source, loop->batch[i].events);
        }
    }
    loop->n_batch = 0;
    step_begin("loop");
}

int64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}

int64_t loop_away_ms(const struct loop *loop)
{
    return loop->away_ms;
}

void loop_wake(struct loop *loop)
{
    (void)eventfd_write(loop->wake_fd, 1);
}
