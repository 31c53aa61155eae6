/* SPDX-License-Identifier: Apache-2.0 */
/* Where an answer went out before the request's body was read, closing the socket at once would
 * make the kernel send a reset, which can destroy the answer on its way. Such sockets linger here:
 * what still comes is read and thrown away, up to 1 MiB or 2 s, until the other side has closed
 * (RFC 9112 section 9.6). */
#ifndef RPCGATE_IO_LINGER_H
#define RPCGATE_IO_LINGER_H

#include "base/list.h"
#include "io/loop.h"

#include <stddef.h>
#include <stdint.h>

struct linger_pool {
    struct loop *loop;   /* borrowed */
    struct list sockets; /* the oldest first */
    size_t n, max;
};

/* At most `max` sockets linger; beyond, the oldest is closed. */
void linger_init(struct linger_pool *pool, struct loop *loop, size_t max);

/* Closes all. */
void linger_done(struct linger_pool *pool);

/* Takes `fd`, whose answer is written completely. */
void linger_add(struct linger_pool *pool, int fd);

/* Closes those whose time is over. */
void linger_run(struct linger_pool *pool, int64_t now_ms);

/* When linger_run() has something to do (CLOCK_NEVER: no need). */
int64_t linger_deadline_ms(const struct linger_pool *pool);

#endif
