/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server against raw sockets, in one thread: the clients' sockets do not block, and the
 * loop turns until what is waited for has come. What its handler does with a path:
 *
 *   /late…    rests, until rig_release() replies
 *   /head…    is refused in head(), /close there with `close`
 *   /abort    is aborted in body()
 *   /pause    does not take the first piece of its body; the test resumes rig->paused
 *   /size/N   gets N bytes in blocks, /none a reply without a body
 *
 * All else is echoed in complete(). A malformed head is refused in head(), with `close`. */
#ifndef RPCGATE_TESTS_HTTP_RIG_H
#define RPCGATE_TESTS_HTTP_RIG_H

#include "base/buf.h"
#include "base/clock.h"
#include "io/http_server.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef RPCGATE_SLOW /* how much slower than usual everything may be: the build says it */
#define RPCGATE_SLOW 1
#endif

/* By how much bounds of time are longer: for the build, and for what else this machine does now. */
int64_t rig_slow(void);

#define RIG_PATIENCE_MS (10000 * rig_slow())
#define RIG_HELD_MAX 600

/* The last head, copied. */
struct record {
    char method[16], path[256], query[256], headers[2048], ip[64];
    bool malformed, http_1_0, is_unix;
    size_t n_headers, head_bytes;
    unsigned port;
};

struct rig {
    struct loop *loop;
    struct http_server *server;
    int listen_fd;
    struct sockaddr_storage address;
    socklen_t address_len;
    char unix_path[64];
    struct record last;
    const struct request_peer *peer;          /* of the last head; while its exchange lasts */
    struct http_exchange *held[RIG_HELD_MAX]; /* those that rest, in the order they came */
    struct http_exchange *paused;
    size_t n_held, n_heads, n_body, n_closed, n_sent, n_gone;
    size_t body_bytes;
};

/* Times of a minute, 64 connections. */
extern const struct http_limits rig_limits;

struct rig *rig_tcp(const struct http_limits *limits);
struct rig *rig_unix(const struct http_limits *limits);

/* A new server in the place of one that was freed. */
void rig_start(struct rig *rig, const struct http_limits *limits);

/* Checks that closed() came for every head(). */
void rig_free(struct rig *rig);

/* One turn of the loop, of at most 20 ms: the clients' sockets are not on it. */
void rig_turn(struct rig *rig);

#define RIG_WAIT(rig, condition)                                                                   \
    do {                                                                                           \
        int64_t give_up_ms_ = clock_now_ms() + RIG_PATIENCE_MS;                                    \
        while (!(condition)) {                                                                     \
            assert_true(clock_now_ms() < give_up_ms_);                                             \
            rig_turn(rig);                                                                         \
        }                                                                                          \
    } while (0)

/* A connected socket that does not block. */
int rig_client(struct rig *rig);

/* Sends all, turning the loop while the socket is full. False: the other side has closed. */
bool rig_send_bytes(struct rig *rig, int fd, const char *data, size_t len);
void rig_send(struct rig *rig, int fd, const char *text);

struct answer {
    int status;
    char head[4096];
    struct buf bytes; /* all that came, head included */
    size_t head_len, body_len;
    bool closed; /* the end of the stream came */
    bool reset;
};

enum until { UNTIL_REPLY, UNTIL_HEAD, UNTIL_END };

/* Reads one reply and no byte more, or one to HEAD, or to the end of the stream. */
struct answer rig_read(struct rig *rig, int fd, enum until until);
const char *answer_body(const struct answer *a);
void answer_done(struct answer *a);

/* Reads a reply, which must be that. */
void rig_expect(struct rig *rig, int fd, int status, const char *body);

/* Sends a request that rests, and waits until it does; replies to the one that rests longest. */
void rig_hold(struct rig *rig, int fd);
void rig_release(struct rig *rig, const char *text);

#endif
