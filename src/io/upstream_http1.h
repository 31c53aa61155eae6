/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges that are not libcurl's transfers: it opens the connection, and one request and its
 * answer of HTTP/1.1 are ours. For io/upstream*.c only. */
#ifndef RPCGATE_IO_UPSTREAM_HTTP1_H
#define RPCGATE_IO_UPSTREAM_HTTP1_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/list.h"
#include "base/macros.h"
#include "io/loop.h"
#include "io/upstream_body.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange;
struct multi;
struct upstream;
struct upstream_added;
struct upstream_target;
struct upstreams;

/* A connection, which belongs to its upstream. */
struct wire {
    struct loop_source source;
    struct list in_all;  /* of upstream.wires */
    struct list in_idle; /* of upstream.idle: the one that has carried something last is first */
    bool in_idle_count;
    struct multi *multi; /* in which `easy` stays; borrowed */
    CURL *easy;          /* owned */
    size_t target;
    struct exchange *x; /* that runs on it; NULL: none does */
    int64_t opened_us;
    int64_t since_us; /* when it carried something last */
    bool is_tls;
    bool says_goodbye; /* when it is closed: what TLS sends then goes through the socket itself */
    bool carried;      /* an answer */
    bool has_ended;    /* its end has come, though there may be something to read before it */
    char error[CURL_ERROR_SIZE];
};

/* A request on its way. */
struct outgoing {
    struct buf head;
    size_t head_at;
    const struct chain_block *block; /* of the document; NULL: all of it is on its way */
    size_t block_at;
    char *piece; /* what TLS is given; owned; NULL: nothing is */
    size_t piece_at, piece_len;
    uint64_t n_sent;
    bool may_be_sent; /* a byte of it */
};

/* What such an exchange has besides; it is part of one. */
struct http1 {
    struct wire *wire; /* NULL: it is none, or has no connection yet */
    bool dials;        /* libcurl opens its connection */
    bool reused;       /* the connection is a kept one */
    struct outgoing out;
    bool is_sending, send_failed;
    bool got_bytes; /* of an answer */
    struct body body;
    struct buf partial;    /* a line of the head that has not ended */
    struct buf held;       /* what was read and could not be taken yet */
    struct budget *budget; /* the call's, in which these and `out.piece` count; borrowed */
    size_t counted;        /* [bytes] */
    bool is_strange;       /* the head has lines that are none, */
    bool has_blank_length; /* or a Content-Length without a value */
    bool is_over;          /* all of the answer has come, */
    bool is_surplus;       /* and more than that */
    CURLcode rc;           /* its end, while it is */
    struct list in_ended;  /* of upstreams.ended */
    struct list in_timed;  /* of upstreams.timed */
};

enum io_state { IO_DONE, IO_AGAIN, IO_FAILED };
struct io_result {
    enum io_state state;
    size_t n; /* of wire_read(): bytes; 0: the end */
};

/* upstream_wire.c */

/* The connection that libcurl has just opened for it, with its handle. NULL: it is of no use. */
struct wire *wire_adopt(struct exchange *x) MUST_CHECK;

/* A kept one that may carry the next request, which is taken off the idle ones. NULL: there is
 * none. Also says whether the one that is opened then is to be kept (`x->once`). */
struct wire *wire_find(struct exchange *x) MUST_CHECK;

/* It may carry another request. */
void wire_rest(struct wire *w);
void wire_close(struct wire *w);

struct io_result wire_read(struct wire *w, char *to, size_t size) MUST_CHECK;
/* IO_DONE: all of it was sent. */
struct io_result wire_send(struct wire *w, struct outgoing *out) MUST_CHECK;

/* What TLS is given at once; after CURLE_AGAIN the same again, from the same place. [bytes] */
#define WIRE_PIECE_BYTES ((size_t)16 * 1024)

/* Nothing of it is sent any more. */
void outgoing_wipe(struct outgoing *out);

/* All of an upstream. */
void wires_close(struct upstream *u);
/* Closes those that have rested for too long. */
void wires_run(struct upstreams *all);

/* upstream_request.c */

/* What all requests to one of its URLs begin with; empty: libcurl is to send them. To be wiped. */
void request_open(struct upstream *u, const struct upstream_target *target, struct buf *ret);

/* Can a request of its own have what a call adds? NULL: nothing. */
bool request_takes(const struct upstream_added *added) MUST_CHECK;

/* The head of the exchange's request. */
void request_write(struct exchange *x, struct buf *to);

/* upstream_answer.c */

/* These bytes of its answer have come. False: no more is to be read now; it is over, has failed, or
 * waits (the rest is held). */
bool http1_take(struct exchange *x, struct str in) MUST_CHECK;

/* upstream_http1.c */

/* It is over, and will be reported in this turn. */
void http1_end(struct exchange *x, CURLcode rc);

/* Why it fails, for people. The first that goes wrong says most. */
void http1_tell(struct exchange *x, const char *text);

/* Where a worker reads to; owned by who asks. */
char *http1_input(void) MUST_CHECK;

void http1_init(struct exchange *x);
void http1_done(struct exchange *x);

/* Is its call one that is sent so? */
bool http1_takes(const struct exchange *x) MUST_CHECK;

/* Can it be sent so only, and is none that is? */
bool http1_misses(const struct exchange *x) MUST_CHECK;

/* Sends it on a kept connection. False: there is none, libcurl is to open one. */
bool http1_begin(struct exchange *x) MUST_CHECK;

/* libcurl has opened one. */
void http1_dialled(struct exchange *x);

/* Something has happened on its connection. */
void http1_ready(struct exchange *x);

/* Its answer is to go on, which has_room() or the turn's end had held up. */
void http1_go_on(struct exchange *x);

/* The exchange is over: its connection rests, or is closed. */
void http1_leave(struct exchange *x);

/* Reports those that have ended, and ends those whose time is over. */
void http1_run(struct upstreams *all);
int64_t http1_due_ms(const struct upstreams *all) MUST_CHECK;

#endif
