/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_server.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/http_connection.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* The library keeps in a connection's memory its request's head, an entry of 64 bytes or less for
 * each of its header lines, a second copy of a Cookie, and the head of the reply; and clears all of
 * it after each request. A head that is somewhat over its limits, or has much in its Cookie, must
 * still fit, so that it is the handler that judges it: half as much more for these. More than 32
 * KiB it would map anew for every connection. [bytes] */
#define MEMORY_LINE ((size_t)64)
#define MEMORY_REPLY ((size_t)1024)
#define MEMORY_MIN ((size_t)4 * 1024)

/* Versions before 1.0 do not know this; http_head.c finds there what is refused here. */
#if MHD_VERSION >= 0x01000000
#define STRICTNESS MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#else
#define STRICTNESS
#endif

/* Runs of the library in one http_server_run(): after a reply it wants to look for the next
 * request before it waits. */
#define RUNS_MAX 3

static struct http_exchange *exchange_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_connection *c = info->socket_context;
    return &c->x;
}

static void *on_target(void *context UNUSED, const char *target, struct MHD_Connection *mhd)
{
    struct http_exchange *x = exchange_of(mhd);
    struct http_connection *c = http_connection_of(x);
    http_head_target(x, target);
    if (c->phase == HTTP_IDLE)
        http_connection_enter(c, HTTP_HEAD);
    return x; /* becomes `*request` of the calls below */
}

/* Decoding is the handler's. */
static size_t unescape_nothing(void *context UNUSED, struct MHD_Connection *mhd UNUSED, char *text)
{
    return strlen(text);
}

static enum MHD_Result on_access(void *context UNUSED, struct MHD_Connection *mhd UNUSED,
                                 const char *url, const char *method, const char *version,
                                 const char *upload, size_t *upload_len, void **request)
{
    struct http_request_line line = { .method = method, .url = url, .version = version };
    struct http_exchange *x = *request;
    bool go_on = http_exchange_step(x, &line, (struct str){ upload, *upload_len });
    if (x->state != EXCHANGE_PAUSED)
        *upload_len = 0;
    return go_on ? MHD_YES : MHD_NO;
}

static void on_completed(void *context UNUSED, struct MHD_Connection *mhd UNUSED, void **request,
                         enum MHD_RequestTerminationCode code)
{
    if (*request != NULL)
        http_exchange_end(*request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *request = NULL;
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **connection,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        *connection = http_connection_new(server, mhd, fd);
        if (server->has_tls)
            http_handshake_watch(*connection);
        return;
    }
    struct http_connection *c = *connection;
    if (server->has_tls)
        http_handshake_over(c);
    if (c->x.state != EXCHANGE_NONE)
        http_exchange_end(&c->x, false);
    http_connection_free(c);
    *connection = NULL;
}

static void on_ready(struct loop_source *source, uint32_t events UNUSED)
{
    CONTAINER_OF(source, struct http_server, source)->ready = true;
}

static size_t memory_for(const struct http_limits *limits)
{
    size_t bytes = limits->head_bytes + limits->head_bytes / 2 + limits->head_lines * MEMORY_LINE +
                   MEMORY_REPLY;
    return bytes > MEMORY_MIN ? bytes : MEMORY_MIN;
}

/* Ours is the limit of connections: from 1.0 on the library also counts some that have ended, and
 * would refuse callers for whom there is room. */
static struct MHD_Daemon *start(struct http_server *server, const struct http_tls *tls)
{
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET;
    struct MHD_OptionItem tls_items[HTTP_TLS_OPTIONS] = { { MHD_OPTION_END, 0, NULL } };
    if (tls != NULL) {
        flags |= MHD_USE_TLS;
        http_tls_options(tls, tls_items);
    }
    errno = 0;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, /* port */ 0, /* accept policy */ NULL, NULL, on_access, server,
        STRICTNESS MHD_OPTION_ARRAY, tls_items, MHD_OPTION_CONNECTION_LIMIT,
        2 * (unsigned)(server->limits.connections + server->reserve),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_for(&server->limits),
        MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        server, MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, server, MHD_OPTION_END);
    if (daemon == NULL && errno == 0)
        errno = EINVAL;
    return daemon;
}

static bool is_wildcard(const struct http_address *a)
{
    return strcmp(a->ip, "0.0.0.0") == 0 || strcmp(a->ip, "::") == 0;
}

static struct http_server *server_init(const struct http_server_options *options)
{
    struct http_server *server = xcalloc(1, sizeof *server);
    const struct http_limits *limits = &options->limits;
    size_t reserve = limits->connections / 8;
    server->loop = options->loop;
    server->has_tls = options->tls != NULL;
    server->handler = options->handler;
    server->context = options->context;
    server->tls_failed = options->tls_failed;
    server->limits = *limits;
    server->reserve = reserve < 16 ? 16 : reserve > 256 ? 256 : reserve;
    for (enum http_phase phase = 0; phase < HTTP_PHASES; phase++) {
        list_init(&server->phases[phase]);
        server->limit_ms[phase] = CLOCK_NEVER;
    }
    server->limit_ms[HTTP_HEAD] = limits->header_time_ms;
    server->limit_ms[HTTP_BODY] = limits->body_time_ms;
    server->limit_ms[HTTP_WRITING] = limits->write_time_ms;
    server->limit_ms[HTTP_IDLE] = limits->idle_ms;
    list_init(&server->finished);
    server->accept.source.fd = -1;
    linger_init(&server->linger, options->loop, server->reserve);
    http_address_of(options->listen_fd, &server->local);
    server->local_fixed = server->local.is_unix || !is_wildcard(&server->local);
    return server;
}

static bool open_all(struct http_server *server, const struct http_server_options *options)
{
    server->daemon = start(server, options->tls);
    if (server->daemon == NULL)
        return false;
    server->source.fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    server->source.ready = on_ready;
    return loop_add(server->loop, &server->source, EPOLLIN) &&
           http_accept_open(server, options->listen_fd);
}

struct http_server *http_server_new(const struct http_server_options *options)
{
    struct http_server *server = server_init(options);
    if (open_all(server, options))
        return server;
    int saved = errno;
    http_accept_close(server);
    if (server->daemon != NULL) {
        loop_remove(server->loop, &server->source);
        MHD_stop_daemon(server->daemon);
    }
    free(server);
    errno = saved;
    return NULL;
}

static void run_library(struct http_server *server)
{
    unsigned long long wait_ms;
    server->ready = false;
    server->pending = false;
    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES && wait_ms == 0)
        server->pending = true;
    http_connections_make_room(server);
}

void http_server_run(struct http_server *server)
{
    http_accept_run(server);
    http_connections_be_lenient(server);
    for (int i = 0; i < RUNS_MAX && (server->ready || server->pending); i++)
        run_library(server);
    http_connections_end_finished(server);
    if (http_connections_deadline_ms(server) <= loop_now_ms(server->loop))
        http_connections_sweep(server);
}

int64_t http_server_deadline_ms(struct http_server *server)
{
    if (server->ready || server->pending)
        return 0;
    return clock_min(http_connections_deadline_ms(server), http_accept_deadline_ms(server));
}

void http_server_quiesce(struct http_server *server)
{
    if (server->quiesced)
        return;
    http_accept_last(server);
    server->quiesced = true;
}

void http_server_hurry(struct http_server *server)
{
    server->hurries = true;
}

size_t http_server_connections(const struct http_server *server)
{
    size_t n = 0;
    for (enum http_phase phase = 0; phase < HTTP_PHASES; phase++)
        n += server->n_in[phase];
    return n;
}

size_t http_server_resting(const struct http_server *server)
{
    return server->n_in[HTTP_RESTING];
}

bool http_server_is_empty(const struct http_server *server)
{
    return http_server_connections(server) == 0 && server->linger.n == 0;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    assert(http_server_resting(server) == 0);
    server->closing = true;
    for (int i = 0; i < RUNS_MAX && server->pending; i++)
        run_library(server); /* last replies */
    http_accept_close(server);
    loop_remove(server->loop, &server->source);
    MHD_stop_daemon(server->daemon);
    linger_done(&server->linger);
    assert(http_server_connections(server) == 0);
    free(server);
}
