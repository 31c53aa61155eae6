/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the HTTP client. For io/upstream*.c only, which alone include libcurl.
 *
 * An upstream owns several multi handles of at most MULTI_TRANSFERS transfers each, because
 * libcurl walks lists whose length is that number; they are filled lowest first, so that kept
 * connections are found again. An exchange has an easy handle with all of an upstream's options
 * set; it is pooled and used for one call after another, and its handle, too, where libcurl keeps
 * nothing in it that would be of harm to the next.
 *
 * libcurl forbids to change a multi handle from its callbacks. So calls are begun, cancelled and
 * reported from upstreams_run() only, which is never in one. */
#ifndef RPCGATE_IO_UPSTREAM_INSIDE_H
#define RPCGATE_IO_UPSTREAM_INSIDE_H

#include "base/buf.h"
#include "base/chain.h"
#include "base/list.h"
#include "io/loop.h"
#include "io/names.h"
#include "io/upstream.h"
#include "io/upstream_head.h"
#include "io/upstream_http1.h"
#include "io/upstream_shared.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MULTI_TRANSFERS ((size_t)32)
/* A cache that is smaller than the number of transfers makes a connection for nearly every call. */
#define MULTI_CONNECTIONS 64L

/* Of an answer that came while a request was being sent. [bytes] */
#define LATE_ANSWER_MAX ((size_t)8 * 1024)

/* Of a name with more addresses some may be tried at once. */
#define OPENED_MAX 4

struct gzip;
struct unpack;

struct upstreams {
    struct transport transport; /* where it is used as one */
    struct loop *loop;          /* borrowed */
    struct list multis;         /* struct multi.member: of all upstreams */
    struct list touched;        /* struct multi.touched: may have ended transfers */
    struct list starting;       /* struct exchange.member: not in a multi handle yet */
    struct list naming;         /* struct exchange.member: waits for a name */
    struct list packing;        /* struct exchange.member: its document is being compressed */
    int64_t pack_until_us;      /* how long this run may go on with that */
    struct list cancelled;      /* struct exchange.member: to be taken out of theirs */
    struct list closing;        /* struct upstream.member: closed while we ran */
    struct list paused;         /* struct exchange.in_paused: the turn's time was over */
    struct list without_room;   /* struct exchange.in_paused: until upstream_go_on() */
    struct list relays;         /* struct relay.member */
    struct list whole;          /* struct exchange.in_whole, in the order of their ends */
    struct list clients;        /* struct upstream.in_clients */
    struct list ended;          /* struct exchange.http1.in_ended: to be reported */
    struct list timed;          /* struct exchange.http1.in_timed: they have a deadline of ours */
    int64_t timed_due_ms;       /* of these, at the latest */
    int64_t wires_due_ms;       /* when the next idle connection is too old, at the latest */
    char *input;                /* where is read to, for a moment; owned */
    int64_t turn_ms;            /* when the loop's turn began */
    int64_t taken_us;           /* how much of it has gone by on what came in */
    struct watch **watches;     /* by file descriptor; owned */
    size_t n_watches;
    bool forgets_handles; /* each exchange has a new one; see libcurl_remembers() */
    bool in_curl;         /* libcurl is calling us */
    bool running;         /* in upstreams_run() */
};

/* A socket of libcurl's on the loop. */
struct watch {
    struct loop_source source;
    struct multi *multi;
    uint32_t registered;    /* epoll events; 0: not on the loop */
    uint32_t wanted;        /* by libcurl; 0: nothing */
    bool kept;              /* has been in libcurl's cache: it is closed by our close_socket() */
    bool ended;             /* shut down by us */
    bool carried;           /* an answer, and nothing else since */
    bool busy;              /* a request is on it, though libcurl has not asked for anything yet */
    int local_port;         /* of a kept one; 0: none (a unix socket) */
    int64_t since_us;       /* a kept one: when it carried something last */
    struct exchange *asker; /* for which libcurl asks for events; NULL: for none */
    const struct exchange
        *paused;             /* the one that ran there when it was paused last; it may be gone */
    struct list kept_member; /* of multi->kept, while nothing is wanted of a kept one */
};

struct multi {
    struct list member, touched;
    struct upstreams *all;
    struct upstream *upstream; /* borrowed */
    struct list kept; /* struct watch.kept_member: connections that wait for the next call */
    CURLM *curl;      /* NULL: nothing open */
    size_t n;         /* transfers in it */
    int64_t due_ms;   /* libcurl's timer; while n is 0: when its kept connections are closed */
};

/* Where a URL leads to. */
struct upstream_host {
    struct name *name;   /* the shared's; NULL: an address, or nobody's business but libcurl's */
    bool by_proxy;       /* of a target: the proxy's name is needed before it */
    char entry[256 + 8]; /* "-HOST:PORT" */
    struct buf head;     /* of a target: what requests of our own begin with */
};

struct needed_name {
    const struct upstream_host *host;
    bool given;       /* libcurl has its addresses, */
    uint32_t version; /* which this look-up found */
    struct buf entry; /* "HOST:PORT:ADDRESS,…" */
    struct curl_slist node;
};

struct upstream {
    struct remote remote;   /* where it is used as one */
    struct list member;     /* of upstreams.closing */
    struct list in_clients; /* of upstreams.clients */
    struct list wires;      /* struct wire.in_all */
    struct list idle;       /* struct wire.in_idle */
    size_t n_idle;
    struct upstreams *all;
    const struct upstream_config *config; /* borrowed */
    struct upstream_shared *shared;       /* referenced */
    struct curl_slist *headers;           /* those of every request; owned */
    struct curl_slist *proxy_headers;     /* those for the proxy alone; owned */
    struct curl_slist *connect_to;        /* other addresses than the URL's; owned */
    struct upstream_host *hosts;          /* of each target, and of the proxy; owned */
    struct upstream_host *proxy_host;     /* in it */
    CURL *model;           /* what handles are copied from; owned; NULL: none was needed */
    CURLSH *share;         /* `shared`'s, of TLS; NULL: nothing */
    bool has_content_type; /* there is one among them */
    struct multi **multis; /* owned */
    size_t n_multis;
    struct list pool; /* struct exchange.member */
    size_t n_pool;
    size_t n_calls;            /* under way */
    struct exchange *reported; /* its on_done() is running; NULL: none */
    bool is_alone;             /* nobody shares what it learns */
    int64_t idle_ms;           /* how long a multi handle without transfers is kept */
};

struct exchange {
    struct list member;
    struct upstream *upstream;
    struct multi *multi;                  /* NULL: in none */
    struct upstream_call *call;           /* NULL: was cancelled */
    const struct upstream_extra *extra;   /* the call's; never NULL; borrowed */
    CURL *easy;                           /* owned; NULL: until it is needed */
    const struct upstream_target *target; /* whose options are set; borrowed */
    bool has_own_url;                     /* but for the URL, which is the last call's own */
    const struct chain *body;             /* the call's document, or `packed` */
    struct chain *packed;                 /* the same compressed: the call's, or */
    struct chain packed_here;
    struct gzip *gzip;          /* owned; NULL: no step was taken, or all */
    bool is_packing;            /* `packed` is not complete, */
    bool is_packed;             /* or it is, and is sent */
    struct chain_cursor cursor; /* where libcurl is in the body */
    struct buf flat;            /* a small body that was in several blocks */
    struct buf lines;           /* this call's own header lines, each with a NUL */
    struct buf late;            /* an answer that libcurl did not read */
    struct curl_slist own[6 + UPSTREAM_LINES_MAX];
    struct response_head head;
    struct http1 http1;
    bool told;                    /* on_head() was called */
    bool connecting;              /* what heads come now are a proxy's, of CONNECT */
    struct upstream_nonce *nonce; /* for Digest; owned; NULL: none */
    bool asks;                    /* sent without a document, so that the server tells a nonce */
    bool asked;                   /* that, or another one, was this call's first request */
    bool goes_on;                 /* this answer is followed by another request */
    unsigned logins;              /* requests with a nonce that this call was told */
    size_t skipped;               /* bytes of an answer that is not the last one */
    struct needed_name needed[2]; /* in the order in which libcurl asks for them */
    size_t n_needed;
    struct needed_name *wants_name; /* libcurl has ended it for that; NULL: it has not */
    struct name_wait name_wait;
    int64_t name_due_ms;    /* when it does not wait any longer */
    int64_t connect_due_ms; /* when timeouts.connect is over; 0: it has not begun */
    int64_t began_us;       /* the transfer */
    uint32_t zone;          /* of link-local addresses; 0: none */
    bool began;             /* libcurl was about to send the request at least once */
    bool refused;           /* it wanted to send it again, and was stopped */
    bool stopped;           /* on_data() said so */
    struct unpack *unpack;  /* of a compressed response; NULL: none, or nothing of it has come */
    size_t consumed;        /* bytes that are unpacked of those that libcurl gives again */
    bool damaged;           /* it cannot be unpacked */
    bool is_clear;          /* no TLS on its way: its bytes can be looked at */
    curl_socket_t opened[OPENED_MAX]; /* the last sockets that were made for it */
    size_t n_opened;
    bool is_watched;        /* libcurl has asked for events of its connection, */
    curl_socket_t asked_fd; /* which is the last of these */
    curl_socket_t kept_fd;  /* the kept connection that it runs on, where that is known */
    bool fresh;             /* on a connection of its own, */
    bool once;              /* which is not kept */
    int64_t rested_us;      /* how old the kept one was that it runs on; -1: not known */
    bool was_paused;
    struct list in_paused;
    uint64_t taken_bytes; /* of the body, as they came */
    struct list in_whole;
    int64_t whole_due_ms; /* while it is in there */
    /* Its handle is not for another call: libcurl began a request anew, which it does 5 times in a
     * handle's whole life, or it trusts any certificate, or has made a dry run; or this is a
     * libcurl that keeps a pointer into the last answer's head. */
    bool worn;
    int dry_fd;                   /* what a dry run is connected to; -1: none */
    struct curl_slist *dry_names; /* that it need not look up; owned */
    bool detailed;                /* its options are for a call that wants details */
    int64_t submitted_us;
    int64_t tls_began_us; /* noted where details are wanted; 0: it did not begin */
    char error[CURL_ERROR_SIZE];
};

/* upstream_result.c */

/* The handle on which it has run; borrowed. */
CURL *exchange_handle(const struct exchange *x) MUST_CHECK;

/* upstream_exchange.c */

/* Never NULL: it is a small object, without memory for which the process ends. */
struct exchange *exchange_new(struct upstream *u) MUST_CHECK;
void exchange_free(struct exchange *x);

/* What the handles of an upstream are copied from. Never NULL, as above. */
CURL *exchange_model(struct upstream *u) MUST_CHECK;

/* Gives up its handle, with all that libcurl remembers there. */
void exchange_drop_handle(struct exchange *x);

/* Makes it ready for `x->call` in that multi handle. False: no memory. */
bool exchange_prepare(struct exchange *x, struct multi *m, int64_t now_ms) MUST_CHECK;

/* May (more of) the request go out? No, if it is libcurl's second attempt and a byte of the first
 * was sent. */
bool exchange_may_send(struct exchange *x) MUST_CHECK;

/* Forgets the answer to the last call, and looks at the new one. */
void exchange_reset(struct exchange *x);

/* Calls on_head(), unless it was called. */
void exchange_tell_head(struct exchange *x);

/* A call that ended before libcurl knew of it, or by no doing of it. `setting` may be NULL. */
void exchange_end_early(struct exchange *x, enum upstream_status status, const char *setting,
                        const char *detail);

/* libcurl is done with it, or we are with what has come. */
void exchange_end(struct exchange *x, CURLcode rc);

/* upstream_lines.c */

void lines_init(struct exchange *x);
void lines_done(struct exchange *x);

/* Does what the call adds have a line of that name? */
bool lines_have(const struct exchange *x, struct str name) MUST_CHECK;

/* This call's own header lines, to x->lines. */
void lines_write(struct exchange *x);

/* The same as libcurl wants them, before those of every request. */
struct curl_slist *lines_list(struct exchange *x) MUST_CHECK;

/* A line of an answer's head, not of its trailers: is it a Set-Cookie that somebody wants? */
void lines_take_cookie(struct exchange *x, struct str line);

/* upstream_whole.c */

/* More of the body has come: it is to be taken, */
void whole_begin(struct exchange *x);
/* or all of it was taken. */
void whole_note(struct exchange *x, size_t bytes);

/* Ends those on which nothing more has come in time. */
void whole_run(struct upstreams *all);
int64_t whole_due_ms(const struct upstreams *all) MUST_CHECK;

/* upstream_naming.c */

#define SETTING_CONNECT "timeouts.connect"

void naming_open(struct upstream *u);
void naming_close(struct upstream *u);
void naming_init(struct exchange *x);
void naming_done(struct exchange *x);

/* A new call. */
void naming_start(struct exchange *x);

/* Tells libcurl what is known. False: no memory. */
bool naming_prepare(struct exchange *x) MUST_CHECK;

/* CURLOPT_RESOLVER_START_FUNCTION */
int naming_wanted(void *resolver, void *reserved, void *user);

/* The transfer has ended for want of a name. */
void naming_begin(struct exchange *x);

/* Those whose wait is over go on, or end. */
void naming_run(struct upstreams *all);
int64_t naming_due_ms(const struct upstreams *all) MUST_CHECK;

/* It could not connect to what was found. */
void naming_doubt(struct exchange *x);

/* upstream_take.c */

/* Bytes of the body, as CURLOPT_WRITEFUNCTION has them and wants its result. What was paused comes
 * again from its beginning. */
size_t exchange_take(struct exchange *x, struct str bytes) MUST_CHECK;

/* Goes on with an exchange that was paused. What comes of it is the end, unless it is CURLE_OK. */
CURLcode exchange_go_on(struct exchange *x) MUST_CHECK;

/* What was begun to be unpacked is of no use any more. */
void exchange_forget_packed(struct exchange *x);

/* Has the loop's turn any time left for what comes in? */
bool turn_has_time(struct upstreams *all) MUST_CHECK;

/* upstream_pack.c */

/* A new call: is its document to be compressed? */
void pack_start(struct exchange *x);

/* The call has ended, or was cancelled. */
void pack_stop(struct exchange *x);

/* Is that not done yet? Then it is on a list, and comes to `starting` when it is. */
bool pack_waits(struct exchange *x) MUST_CHECK;

/* Goes on with those that wait for it, for some milliseconds. */
void pack_run(struct upstreams *all);

/* upstream_login.c */

/* A new call. */
void login_start(struct exchange *x);

/* Its next request. */
void login_prepare(struct exchange *x);

/* Appends the value of Authorization, or nothing. False: that cannot be made. */
bool login_write(struct exchange *x, struct buf *to) MUST_CHECK;

/* The request was not sent, and comes again. */
void login_take_back(struct exchange *x);

/* A head is complete: is it this call's last? */
void login_take_head(struct exchange *x);

/* Of an answer that is not. False: its connection is given up. */
bool login_skips(struct exchange *x, size_t bytes) MUST_CHECK;

/* Does the call go out again after that end? */
bool login_sends_again(const struct exchange *x, CURLcode rc) MUST_CHECK;

/* The call has ended. */
void login_end(struct exchange *x);

/* upstream_options.c */

/* Header lists and cookies. */
void options_open(struct upstream *u);
void options_close(struct upstream *u);

/* Trust any certificate: for one call that only connects; the handle is worn then. */
bool options_set_trusts_any(CURL *easy) MUST_CHECK;

/* What is the same for all requests of an upstream. False: no memory. */
bool options_set(CURL *easy, const struct upstream *u) MUST_CHECK;

/* One of its URLs, with its credentials. False: no memory. */
bool options_set_target(CURL *easy, const struct upstream_target *target) MUST_CHECK;

/* upstream_result.c */

/* What `rc` means for the call. */
void result_fill(struct exchange *x, CURLcode rc, struct upstream_result *ret);

/* A call that ended before libcurl knew of it. */
void result_fill_early(struct exchange *x, enum upstream_status status, const char *setting,
                       const char *detail, struct upstream_result *ret);

/* upstream_details.c */

/* Makes libcurl note what they need; or not, for a call without them. False: no memory. */
bool details_prepare(struct exchange *x) MUST_CHECK;

void details_fill(const struct exchange *x, struct upstream_details *ret);

/* It ended outside of libcurl. */
void details_fill_early(const struct exchange *x, struct upstream_details *ret);

/* upstream_late.c */

/* libcurl lets go of a socket, or closes it, while it is sending. Keeps what has come there. */
void late_answer_take(struct exchange *x, curl_socket_t fd);

/* Sending failed: was there an answer that says why? Then `x->head` has it. */
bool late_answer_use(struct exchange *x) MUST_CHECK;

/* upstream_sockets.c */

/* Options of a new multi handle. False: no memory. */
bool sockets_attach_multi(struct multi *m) MUST_CHECK;

/* Options of a new easy handle, whose CURLOPT_OPENSOCKETDATA is its exchange. False: no memory. */
bool sockets_attach_easy(CURL *easy, struct upstreams *all) MUST_CHECK;

/* Its request is about to go out on a new connection with that local port (0: one without), to an
 * upstream whose heads are known to have lines that libcurl refuses. */
void sockets_mend(struct exchange *x, int local_port);

/* The exchange is in no multi handle any more. */
void sockets_leave(struct exchange *x, const struct multi *m);

/* libcurl has nothing to do with that socket any more. */
void sockets_forget(struct upstreams *all, curl_socket_t fd);

/* Its socket is known by that number; NULL: it is not. */
struct watch *watch_find(const struct upstreams *all, curl_socket_t fd);

/* That of the connection on which the exchange has run; NULL: it is closed, or not known. */
struct watch *watch_of_kept(const struct exchange *x);

/* Shuts the connection down, which is how libcurl finds out. */
void watch_end(struct watch *w);

/* upstream_kept.c */

/* Is a connection of which nobody waits still good? If not, it is shut down. */
bool kept_look(struct watch *w);

/* libcurl closes it: has the other side ended it before? */
void kept_look_last(struct watch *w);

/* Which kept connections may carry the next request of the exchange? The others are shut down. */
void kept_choose(struct exchange *x, struct multi *m);

/* Its request is about to go out on a kept connection with that local port (0: one without). Ends
 * the connection if it has been closed, or if something has come that nobody asked for. */
void kept_check(struct exchange *x, int local_port);

/* There was a head with lines that libcurl refuses; the next ones are mended from the beginning. */
void kept_tell_strange(struct upstream *u);

/* A connection that has rested for so long has ended; or was alive. */
void kept_tell_ended(struct upstream *u, int64_t age_us);
void kept_tell_alive(struct upstream *u, int64_t age_us);

/* What the end of the exchange tells. */
void kept_learn(struct exchange *x, const struct upstream_result *result);

/* The exchange is paused. If libcurl has not asked for its kept connection yet, what comes there
 * must not be taken for something that nobody asked for. */
void sockets_pause(struct exchange *x);

/* An exchange has ended that has opened a connection: where it took no waiting, as on a unix
 * socket, libcurl has not told of it. */
void sockets_watch_new(struct exchange *x);

/* The exchange has ended on a kept connection, and libcurl may have asked for nothing since it was
 * paused. */
void sockets_watch_paused(struct exchange *x);

/* Runs what libcurl has to do for one socket (or CURL_SOCKET_TIMEOUT). */
void multi_act(struct multi *m, curl_socket_t fd, int bits);

/* upstream_dry_run.c */

/* For a call that is a dry run: all that could leave the process leads back to us. False: no
 * memory. */
bool dry_run_prepare(struct exchange *x) MUST_CHECK;
/* A socket that is to be connected to that address, which becomes our own. */
int dry_run_open_socket(struct exchange *x, struct curl_sockaddr *address);
void dry_run_done(struct exchange *x);

#endif
