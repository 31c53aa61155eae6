/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server on one listening socket for one worker: libmicrohttpd behind a wall. It knows
 * nothing of what requests mean. Everything happens in the worker's thread.
 *
 * An exchange is one request and its reply. The server calls, in this order:
 *
 *   head()      the head is there. The handler may reply now; if a body is on its way, that reply
 *               goes out at once, up to 1 MiB or 2 s of the body is read and thrown away, and the
 *               connection is closed.
 *   body()      a piece of the body; not called after a reply. False: it cannot be taken now. The
 *               connection rests until http_resume(), and the same bytes come again.
 *   complete()  the whole request is there, unless there was a reply. The handler replies now, or
 *               later: until then the connection rests.
 *   closed()    the last call: the reply is sent, or the connection is gone. With `sent` false the
 *               handler may not have replied yet; it must not reply any more.
 *
 * If a caller hangs up while its connection rests, gone() is called once; the exchange lives on
 * until it is replied to (a reply is then needed still, and thrown away). A caller that has closed
 * only its sending side may still want the answer and is not gone. */
#ifndef RPCGATE_IO_HTTP_SERVER_H
#define RPCGATE_IO_HTTP_SERVER_H

#include "base/chain.h"
#include "base/macros.h"
#include "base/str.h"
#include "io/loop.h"
#include "rules/head.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_server;
struct http_exchange;

struct http_handler {
    void (*head)(void *context, struct http_exchange *x);
    bool (*body)(void *context, struct http_exchange *x, struct str bytes);
    void (*complete)(void *context, struct http_exchange *x);
    void (*gone)(void *context, struct http_exchange *x);
    void (*closed)(void *context, struct http_exchange *x, bool sent);
};

struct http_limits {
    size_t head_bytes;      /* largest head that reaches the handler, which may refuse it itself */
    size_t head_lines;      /* and so many header lines, somewhat more or less */
    size_t connections;     /* most connections of this server; a few more are taken for a moment,
                               while those that can be spared are closed */
    int64_t header_time_ms; /* absolute times */
    int64_t body_time_ms;
    int64_t write_time_ms;
    int64_t idle_ms;
};

/* What a server needs to speak TLS: the contents of PEM files, looked at when the configuration was
 * read, each with a NUL behind its end. Borrowed. */
struct http_tls {
    struct str cert, key;
    struct str client_ca; /* of callers' certificates; NULL data: they are not asked for one */
    bool only_1_3;        /* nothing older; else TLS 1.2, too */
};

/* What an entry of `listen` says. False: no TLS is spoken there. */
bool http_tls_of(const struct listen_config *listen, struct http_tls *ret) MUST_CHECK;

struct http_server_options {
    struct loop *loop;
    int listen_fd; /* the server works on a dup of it */
    struct http_limits limits;
    const struct http_tls *tls; /* NULL: without; only while the server is made */
    const struct http_handler *handler;
    void *context; /* for the handler */

    /* A handshake that a caller had begun with failed. NULL: nobody wants to know. */
    void (*tls_failed)(void *context, const char *ip, const char *reason);
};

/* NULL where the system or library gives no server; errno says why. */
struct http_server *http_server_new(const struct http_server_options *options) MUST_CHECK;

/* Runs what is ready. To be called before every wait: a reply wakes nobody by itself. */
void http_server_run(struct http_server *server);

/* When http_server_run() must be called at the latest (CLOCK_NEVER: no need). */
int64_t http_server_deadline_ms(struct http_server *server);

/* Stops accepting connections, after those that wait already. The owner closes `listen_fd`. Open
 * connections go on, and replies say `Connection: close`. */
void http_server_quiesce(struct http_server *server);

/* Has the listening socket been ended by something else than us? Then nobody is taken in any more,
 * and errno's number says what was found; 0: no. */
int http_server_ended(const struct http_server *server);

/* No longer waits for the rest of bodies of which nothing comes. For a process that ends. */
void http_server_hurry(struct http_server *server);

/* How many connections there are, and how many rest: their reply or http_resume() is awaited. */
size_t http_server_connections(const struct http_server *server);
size_t http_server_resting(const struct http_server *server);

/* Is nothing left of them, not even an answer on its way to a caller that still sends? */
bool http_server_is_empty(const struct http_server *server);

/* Ends all connections. No exchange may rest then: reply to each first, or resume it. */
void http_server_free(struct http_server *server);

/* The request's head; valid until closed(). */
const struct request_head *http_head(const struct http_exchange *x);

/* Who is at the connection's other end; found out when it is first asked, and kept. */
const struct request_peer *http_peer(struct http_exchange *x);

/* The handler's own pointer. */
void http_set_user(struct http_exchange *x, void *user);
void *http_user(const struct http_exchange *x);

struct http_reply_header {
    const char *name;
    const char *value;
};

struct http_reply {
    int status;
    const struct http_reply_header *headers; /* copied; not empty, without control characters */
    size_t n_headers;
    struct chain *body; /* its content moves to the server; NULL: no body */
    bool close;         /* close the connection after the reply */
};

/* Replies, once. From head(), body() (it goes out when the body has come), complete(), or at any
 * time between complete() and closed(). */
void http_reply(struct http_exchange *x, const struct http_reply *reply);

/* Goes on with a body that was not taken. */
void http_resume(struct http_exchange *x);

/* Ends the connection without a reply: for a body that is far over its limit. From body(). */
void http_abort(struct http_exchange *x);

/* Ends the connection although not all of the reply has been read. After http_reply(); closed()
 * comes in a later turn. */
void http_cut_off(struct http_exchange *x);

#endif
