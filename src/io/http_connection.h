/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server's inside, for io/http_*.c only: its connections and what they are doing.
 *
 * A connection's phase and the list it is on are the same thing. Each list is in the order in
 * which its members came, and all of them have the same time, so the first one is the next to
 * expire and the oldest to make room: nothing is ever searched.
 *
 *   HEAD     accepted, or the first line of a further request is there. Absolute time. The library
 *            does not tell when the first byte comes: before its first line is complete, a further
 *            request counts as idle.
 *   BODY     from the complete head to the complete request. Absolute time.
 *   RESTING  the handler has not replied yet, or has no room for the body. The handler's own
 *            deadline counts.
 *   WRITING  from the reply to its last byte. Absolute time.
 *   IDLE     kept, between two requests.
 *   ENDING   shut down by us; the library closes it in its next run.
 *
 * Each connection's end is watched by ourselves: the library tells nothing of a suspended one, and
 * takes a read that does not fill its buffer for the last, so that it misses an end of stream which
 * came together with bytes. */
#ifndef RPCGATE_IO_HTTP_CONNECTION_H
#define RPCGATE_IO_HTTP_CONNECTION_H

#include "base/list.h"
#include "io/http_server.h"
#include "io/linger.h"

#include <netinet/in.h>

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

enum http_phase {
    HTTP_HEAD,
    HTTP_BODY,
    HTTP_RESTING,
    HTTP_WRITING,
    HTTP_IDLE,
    HTTP_ENDING,
    HTTP_PHASES
};

enum exchange_state {
    EXCHANGE_NONE,     /* no head yet */
    EXCHANGE_HEAD,     /* in head() */
    EXCHANGE_BODY,     /* between head() and complete() */
    EXCHANGE_PAUSED,   /* suspended in between: the handler has no room for the body */
    EXCHANGE_COMPLETE, /* in complete() */
    EXCHANGE_RESTING,  /* suspended */
    EXCHANGE_REPLIED   /* the reply is the library's */
};

struct http_address {
    char ip[INET6_ADDRSTRLEN];
    unsigned port;
    bool is_unix;
};

/* A request and its reply; a connection has one at a time and reuses its memory. */
struct http_exchange {
    enum exchange_state state;
    bool aborted;
    void *user; /* the handler's */

    struct request_head head; /* points into the library's buffer, and to what follows here */
    struct header *headers;   /* owned; room for `headers_cap` */
    size_t headers_cap;
    const char *target; /* of the request line; the library's, which cuts it at the `?` */
    size_t target_len;
    bool target_bad; /* it holds what no request line may hold */
    char *query;     /* owned copy, for the library decodes its own; room for `query_cap` */
    size_t query_cap;

    struct MHD_Response *response; /* a reply that waits for the library's next call */
    int status;
    bool close;
    struct chain body; /* what the library is sending */
    struct chain_cursor sent;
    char *flat; /* a copy of `body` in one piece */
    size_t flat_bytes;
    struct budget *flat_budget; /* which the copy is counted in */
};

/* A caller's TLS handshake, as far as it takes to say why it failed. */
struct http_handshake {
    bool done;
    bool began;              /* a byte came */
    bool left;               /* the caller ended it, not we */
    unsigned char first;     /* byte of all */
    unsigned char record[7]; /* the last record's header, and two bytes of what is in it */
    size_t at;               /* how much of that record came */
};

/* The other end of a connection, with what the request_peer points to. */
struct http_peer {
    struct request_peer is;
    char ip[INET6_ADDRSTRLEN];
    gid_t *groups;
    char *subject;
};

struct http_connection {
    struct http_server *server;
    struct MHD_Connection *mhd;
    int fd; /* the library's */
    struct list member;
    enum http_phase phase;
    int64_t since_ms; /* when the phase began */
    int linger_fd;    /* a dup that lingers after the library has closed its own; -1: none */
    struct loop_source watch;
    bool watched;
    bool finished;           /* the caller sends no more */
    bool gone;               /* nor does it read */
    bool told;               /* so the handler knows */
    struct list in_finished; /* of the server, until that was looked at in the present phase */
    int64_t heard_ms;        /* when the last piece of a body came */
    int64_t stuck_ms;        /* since when the library seems to have stopped reading; 0: it reads */
    bool local_known;
    struct http_address local;
    struct http_peer *peer; /* NULL: nobody has asked yet */
    struct http_handshake handshake;
    struct http_exchange x;
};

/* The listening socket. */
struct http_accept {
    struct loop_source source; /* its descriptor is owned; -1: it takes nobody in any more */
    bool listens;              /* is the source on the loop? */
    bool ready;                /* callers wait */
    bool hung_up;              /* nor will there be any */
    int64_t again_ms;          /* when it listens again; CLOCK_NEVER: as soon as there is room */
    int64_t told_ms;           /* when the log was last told that there are no descriptors */
    int ended;                 /* errno's number of why it takes in nobody any more; 0: it does */
};

struct http_server {
    struct loop *loop; /* borrowed */
    const struct http_handler *handler;
    void *context;
    void (*tls_failed)(void *context, const char *ip, const char *reason);
    struct http_limits limits;
    size_t reserve; /* connections that are taken beyond the limit, to make room for */

    struct http_accept accept;
    struct MHD_Daemon *daemon;
    struct loop_source source; /* the library's epoll descriptor */
    bool ready;                /* it has events */
    bool pending;              /* the library must run, although it may have no event */
    bool quiesced;
    bool hurries; /* callers must send */
    bool closing; /* being freed: nothing begins any more */
    bool has_tls;

    struct http_address local;
    bool local_fixed; /* `local` holds for every connection */

    struct list phases[HTTP_PHASES];
    size_t n_in[HTTP_PHASES];
    int64_t limit_ms[HTTP_PHASES]; /* CLOCK_NEVER: none */
    int64_t swept_ms;
    int64_t lenient_ms;   /* until then nobody's time is over; */
    int64_t leniency_ms;  /* for so long it is, or was, so */
    struct list finished; /* connections of which the caller sends no more */
    struct linger_pool linger;
};

static inline struct http_connection *http_connection_of(struct http_exchange *x)
{
    return CONTAINER_OF(x, struct http_connection, x);
}

/* http_connection.c: phases and their times. */
struct http_connection *http_connection_new(struct http_server *server, struct MHD_Connection *mhd,
                                            int fd);
void http_connection_free(struct http_connection *c);
void http_connection_enter(struct http_connection *c, enum http_phase phase);
void http_connections_end_finished(struct http_server *server);
void http_connections_be_lenient(struct http_server *server); /* once a turn */
void http_connections_sweep(struct http_server *server);
void http_connections_make_room(struct http_server *server);
bool http_connections_give_up_one(struct http_server *server); /* false: there is none */
int64_t http_connections_deadline_ms(const struct http_server *server);

/* http_accept.c */
bool http_accept_open(struct http_server *server, int listen_fd) MUST_CHECK;
void http_accept_run(struct http_server *server);
int64_t http_accept_deadline_ms(const struct http_server *server);
void http_accept_last(struct http_server *server); /* those who wait, then nobody any more */
void http_accept_close(struct http_server *server);

/* http_head.c: what the library has read becomes a request_head. */
struct http_request_line {
    const char *method, *url, *version;
};
void http_head_target(struct http_exchange *x, const char *target);
void http_head_read(struct http_exchange *x, const struct http_request_line *line);
void http_head_clear(struct http_exchange *x);
void http_address_of(int fd, struct http_address *ret);

/* http_peer.c */
void http_peer_free(struct http_peer *peer);
void http_peer_address(const struct sockaddr *address, char ret[INET6_ADDRSTRLEN]);

/* http_handshake.c, which includes GnuTLS alone with http_tls.c. */
void http_handshake_watch(struct http_connection *c); /* from its beginning */
void http_handshake_over(struct http_connection *c);  /* at its end: tells of one that failed */

/* http_tls.c */
#define HTTP_TLS_OPTIONS 5
struct MHD_OptionItem;
/* Fills HTTP_TLS_OPTIONS of them. */
void http_tls_options(const struct http_tls *tls, struct MHD_OptionItem *items);

/* The caller's certificate; `subject` is free()d by who calls, NULL unless it is good. */
enum peer_cert http_tls_peer(struct http_connection *c, char **ret_subject);

/* http_response.c: a reply becomes the library's response. */
struct MHD_Response *http_response_new(struct http_exchange *x, const struct http_reply *reply,
                                       bool close);

/* http_exchange.c: the library's callbacks; `x` is its pointer for a request. */
void http_exchange_end(struct http_exchange *x, bool sent);
bool http_exchange_step(struct http_exchange *x, const struct http_request_line *line,
                        struct str upload);

#endif
