/* SPDX-License-Identifier: Apache-2.0 */
/* How a client's calls get to their upstreams: a table of functions, with a row for each way there
 * is. A transport is one worker's and belongs to its thread. It knows HTTP, not XML-RPC: a document
 * goes out, bytes come back. No request is ever sent twice; what has become of one that was lost is
 * told, and the rules decide. */
#ifndef RPCGATE_IO_TRANSPORT_H
#define RPCGATE_IO_TRANSPORT_H

#include "base/chain.h"
#include "base/macros.h"
#include "base/str.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upstream_extra;
struct upstream_shared; /* io/upstream_shared.h */

enum upstream_status {
    UPSTREAM_OK,             /* a complete HTTP response */
    UPSTREAM_CONNECT_FAILED, /* name not found, refused, no route, connect timeout */
    UPSTREAM_TLS_FAILED,
    UPSTREAM_LOST,         /* ended before a complete response; bad chunks or length */
    UPSTREAM_BAD_RESPONSE, /* no HTTP, or compression that cannot be undone */
    UPSTREAM_TIMEOUT,
    UPSTREAM_STOPPED, /* on_data said stop */
    UPSTREAM_FAILED   /* no memory, or an error that has no better name */
};

#define UPSTREAM_REASON_MAX 256
#define UPSTREAM_TEXT_MAX 256
#define UPSTREAM_CODING_MAX 32

/* How it ended. Borrowed in on_done(). */
struct upstream_result {
    enum upstream_status status;
    bool reached; /* at least one byte of the request may have gone out */
    bool reused;  /* on a kept connection */
    bool unsaid;  /* LOST: a kept one had been ended, or was about to be, without a word */
    /* One was refused, the upstream's or ours: it will be the next time, too. */
    bool certificate;
    const char *setting; /* CONNECT_FAILED: the limit that ended it, static; NULL: none did */
    int http_status;     /* 0: no response head */
    /* LOST or TIMEOUT, and all that is missing is the body's end: what has come of it may be a
     * whole document. Not with chunks, which tell that more is to come. */
    bool cut;
    char reason_phrase[UPSTREAM_TEXT_MAX];
    char content_type[UPSTREAM_TEXT_MAX];     /* "": none */
    char strange_coding[UPSTREAM_CODING_MAX]; /* a Content-Encoding that was passed by; "": none */
    char detail[UPSTREAM_REASON_MAX];         /* why it failed, for people; no credentials */
    const struct upstream_header {
        const char *name, *value;
    } * headers; /* those that a problem may show: Allow, Content-Length, Content-Type, Date,
                    Location, Retry-After, Server, WWW-Authenticate */
    size_t n_headers;
    int64_t duration_us; /* from submit to done */
};

/* What one call's request has besides what its upstream's configuration says. */
struct upstream_added {
    /* Name and value of header lines. One that every request has is sent instead of that:
     * Content-Type and Cookie. What is no line of HTTP is left out. */
    const struct upstream_line {
        struct str name, value;
    } * lines;
    size_t n_lines;  /* at most UPSTREAM_LINES_MAX; more are left out */
    struct str path; /* appended to that of the URL, with one slash between; empty: nothing */
};

#define UPSTREAM_LINES_MAX ((size_t)32)

/* One exchange with an upstream. Owned by the caller; it must stay where it is until on_done(). */
struct upstream_call {
    const struct chain *body; /* the document; borrowed until on_done() */
    /* Where the compressed document is kept, for the next call with the same body: empty at first.
     * It stays where it is until on_done(). NULL: it is not kept. */
    struct chain *packed;
    const char *content_type;           /* static */
    size_t target;                      /* which of the upstream's URLs */
    bool connect_only;                  /* nothing is sent; a new connection is made and closed */
    int64_t deadline_ms;                /* monotonic; CLOCK_NEVER: none */
    struct str traceparent, tracestate; /* sent on where there are any; borrowed */
    const struct upstream_added *added; /* borrowed until on_done(); NULL: nothing */
    /* Each Set-Cookie of the head, before on_head(); its value. NULL: they are not wanted. */
    void (*on_cookie)(struct upstream_call *call, struct str value);
    /* The response's head is complete: `http_status` and its Content-Type. */
    void (*on_head)(struct upstream_call *call, int http_status, struct str content_type);
    /* Before on_data(). False: the piece cannot be taken now, it comes after go_on().
     * NULL: whatever comes is taken. */
    bool (*has_room)(struct upstream_call *call, size_t bytes);
    /* A piece of the body, decompressed. False: stop, the connection is closed. */
    bool (*on_data)(struct upstream_call *call, struct str bytes);
    /* Is what has come all that is wanted? Then what HTTP promises beyond is waited for a quarter
     * of a second only: the call ends as one that was cut. NULL: it never is. */
    bool (*is_whole)(const struct upstream_call *call);
    /* The heads as they go over the wire, in pieces. NULL: they are not wanted. */
    void (*on_trace)(struct upstream_call *call, bool sent, struct str bytes);
    /* Called once, from run() or a loop event, never from submit(). */
    void (*on_done)(struct upstream_call *call, const struct upstream_result *result);
    const struct upstream_extra *extra; /* what only the tool asks for (io/upstream.h); borrowed;
                                           NULL: nothing */
    void *user;
    void *handle; /* the transport's own; NULL before and after */
};

/* A worker's, and one upstream as it is reached by it: each begins the row's own struct. */
struct transport {
    const struct transport_row *row;
};
struct remote {
    struct transport *transport;
};

struct transport_row {
    /* `config` is borrowed and outlives it; `shared` is what the upstream's remotes in other
     * workers have, too. */
    struct remote *(*open)(struct transport *t, const struct upstream_config *config,
                           struct upstream_shared *shared);
    /* No call of it may be under way. */
    void (*close)(struct remote *remote);
    /* Begins a call. */
    void (*submit)(struct remote *remote, struct upstream_call *call);
    /* Goes on with an answer that has_room() had none for. */
    void (*go_on)(struct remote *remote, struct upstream_call *call);
    /* Ends a call at once without on_done(). The connection is closed if the request was under
     * way. */
    void (*cancel)(struct remote *remote, struct upstream_call *call);
    /* In on_done(): closes the connection on which that call ran, if it was kept. */
    void (*drop)(struct remote *remote);
    /* Time-outs and ended calls. To be called after every wait. */
    void (*run)(struct transport *t);
    /* When run() must be called at the latest (CLOCK_NEVER: no need). */
    int64_t (*deadline_ms)(const struct transport *t);
    /* All its remotes are closed. */
    void (*done)(struct transport *t);
};

static inline struct remote *transport_open(struct transport *t,
                                            const struct upstream_config *config,
                                            struct upstream_shared *shared)
{
    return t->row->open(t, config, shared);
}

static inline void transport_close(struct remote *remote)
{
    remote->transport->row->close(remote);
}

static inline void transport_submit(struct remote *remote, struct upstream_call *call)
{
    remote->transport->row->submit(remote, call);
}

static inline void transport_go_on(struct remote *remote, struct upstream_call *call)
{
    remote->transport->row->go_on(remote, call);
}

static inline void transport_cancel(struct remote *remote, struct upstream_call *call)
{
    remote->transport->row->cancel(remote, call);
}

static inline void transport_drop(struct remote *remote)
{
    remote->transport->row->drop(remote);
}

static inline void transport_run(struct transport *t)
{
    t->row->run(t);
}

static inline int64_t transport_deadline_ms(const struct transport *t)
{
    return t->row->deadline_ms(t);
}

/* NULL is fine. */
static inline void transport_done(struct transport *t)
{
    if (t != NULL)
        t->row->done(t);
}

#endif
