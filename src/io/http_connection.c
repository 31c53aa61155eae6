/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_connection.h"
#include "base/alloc.h"
#include "base/clock.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Times are looked at no more often than this, however many of them there are. [ms] */
#define SWEEP_MS 50

/* A server that hurries waits no longer than this for more of a body. [ms] */
#define LAST_SILENCE_MS 2000

/* How long the library may leave a body's bytes where they are, twice. [ms] */
#define STUCK_MS 100

/* Over the limit, unfinished requests and replies must be at least this old to make room; until
 * then they are in the reserve. [ms] */
#define PATIENCE_MS 1000

/* A turn that takes longer is one in which callers were not looked at. [ms] */
#define AWAY_MS 100

/* Without descriptors, whoever has just come has this time to send a request. [ms] */
#define NEW_MS 10

static void look_again(struct http_connection *c)
{
    if (c->finished && list_empty(&c->in_finished))
        list_add_last(&c->server->finished, &c->in_finished);
}

/* An end of stream alone does not mean that the caller is gone: it may have closed its sending
 * side only, and over TCP both look the same. A reset, or a unix socket's end, is sure. */
static void on_finished(struct loop_source *source, uint32_t events)
{
    struct http_connection *c = CONTAINER_OF(source, struct http_connection, watch);
    c->finished = true;
    c->gone |= (events & (EPOLLHUP | EPOLLERR)) != 0;
    look_again(c);
}

/* Where the loop has no room for the watch, times alone end the connection. */
struct http_connection *http_connection_new(struct http_server *server, struct MHD_Connection *mhd,
                                            int fd)
{
    struct http_connection *c = xcalloc(1, sizeof *c);
    c->server = server;
    c->mhd = mhd;
    c->fd = fd;
    c->linger_fd = -1;
    c->phase = HTTP_HEAD;
    c->since_ms = clock_now_ms();
    list_add_last(&server->phases[HTTP_HEAD], &c->member);
    server->n_in[HTTP_HEAD]++;
    list_init(&c->in_finished);
    c->watch = (struct loop_source){ .fd = fd, .ready = on_finished };
    c->watched = loop_add(server->loop, &c->watch, EPOLLRDHUP | EPOLLET);
    return c;
}

void http_connection_free(struct http_connection *c)
{
    if (c->watched)
        loop_remove(c->server->loop, &c->watch);
    list_remove(&c->in_finished);
    list_remove(&c->member);
    c->server->n_in[c->phase]--;
    if (c->linger_fd >= 0)
        linger_add(&c->server->linger, c->linger_fd);
    http_peer_free(c->peer);
    free(c->x.headers);
    free(c->x.query);
    free(c);
}

void http_connection_enter(struct http_connection *c, enum http_phase phase)
{
    struct http_server *server = c->server;
    list_remove(&c->member);
    server->n_in[c->phase]--;
    c->phase = phase;
    c->since_ms = clock_now_ms();
    list_add_last(&server->phases[phase], &c->member);
    server->n_in[phase]++;
    look_again(c);
}

/* The library closes a connection that it finds shut down. Only from outside its run. */
static void shut_down(struct http_connection *c)
{
    shutdown(c->fd, SHUT_RDWR);
    http_connection_enter(c, HTTP_ENDING);
    c->server->pending = true;
}

/* As shut_down(), for one that the library does not look at: 1 s later its own time is over, too.
 */
static void force_down(struct http_connection *c)
{
    MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
    shut_down(c);
}

void http_cut_off(struct http_exchange *x)
{
    struct http_connection *c = http_connection_of(x);
    assert(x->state == EXCHANGE_REPLIED || x->response != NULL);
    if (c->phase != HTTP_ENDING)
        force_down(c);
}

static bool all_is_read(const struct http_connection *c)
{
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Looks at each once in a phase, unless there are bytes that the library has yet to read. */
void http_connections_end_finished(struct http_server *server)
{
    LIST_EACH (&server->finished, at, following) {
        struct http_connection *c = CONTAINER_OF(at, struct http_connection, in_finished);
        bool reads = c->phase == HTTP_HEAD || c->phase == HTTP_BODY || c->phase == HTTP_IDLE;
        if (reads && (server->pending || !all_is_read(c)))
            continue;
        list_remove(&c->in_finished);
        if (reads) {
            c->handshake.left = true;
            shut_down(c);
        } else if (c->phase == HTTP_RESTING && c->gone && !c->told) {
            c->told = true;
            server->handler->gone(server->context, &c->x);
        }
    }
}

static struct http_connection *oldest(const struct http_server *server, enum http_phase phase)
{
    const struct list *list = &server->phases[phase];
    return list_empty(list) ? NULL : LIST_FIRST(list, struct http_connection, member);
}

static int64_t expires_ms(const struct http_server *server, enum http_phase phase)
{
    const struct http_connection *c = oldest(server, phase);
    if (c == NULL || server->limit_ms[phase] == CLOCK_NEVER)
        return CLOCK_NEVER;
    return c->since_ms + server->limit_ms[phase];
}

static size_t excess(const struct http_server *server)
{
    size_t open = http_server_connections(server) - server->n_in[HTTP_ENDING];
    return open > server->limits.connections ? open - server->limits.connections : 0;
}

static struct http_connection *older(struct http_connection *a, struct http_connection *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    return a->since_ms <= b->since_ms ? a : b;
}

/* Connections without a request go first, then whatever has waited longest for its caller. Those
 * that rest stay: their calls are running. */
static struct http_connection *dispensable(const struct http_server *server)
{
    struct http_connection *found = older(oldest(server, HTTP_HEAD), oldest(server, HTTP_IDLE));
    if (found == NULL)
        found = older(oldest(server, HTTP_BODY), oldest(server, HTTP_WRITING));
    return found;
}

static bool shut_down_if_older(struct http_server *server, int64_t age_ms)
{
    struct http_connection *c = dispensable(server);
    if (c == NULL || c->since_ms + age_ms > loop_now_ms(server->loop))
        return false;
    shut_down(c);
    return true;
}

/* Only what is old, so that a newcomer is served although all others are busy; at once when half of
 * the reserve is used up, for that is a flood. */
void http_connections_make_room(struct http_server *server)
{
    for (size_t n = excess(server); n > 0; n--)
        if (!shut_down_if_older(server, n > server->reserve / 2 ? 0 : PATIENCE_MS))
            return;
}

bool http_connections_give_up_one(struct http_server *server)
{
    return shut_down_if_older(server, NEW_MS);
}

/* Callers that send are served to the end; those that do not would keep everything waiting. */
static bool is_silent(const struct http_connection *c, int64_t now_ms)
{
    return c->server->hurries && c->heard_ms + LAST_SILENCE_MS <= now_ms;
}

/* Bytes wait, and the library does not take them: a chunk's first line is longer than its memory.
 * It would try again without end. */
static bool is_stuck(struct http_connection *c, int64_t now_ms)
{
    int waiting = 0;
    if (!c->server->pending || c->heard_ms + STUCK_MS > now_ms ||
        ioctl(c->fd, FIONREAD, &waiting) != 0 || waiting == 0)
        c->stuck_ms = 0;
    else if (c->stuck_ms == 0)
        c->stuck_ms = now_ms;
    return c->stuck_ms != 0 && c->stuck_ms + STUCK_MS <= now_ms;
}

static void sweep_bodies(struct http_server *server, int64_t now_ms)
{
    LIST_EACH (&server->phases[HTTP_BODY], at, following) {
        struct http_connection *c = CONTAINER_OF(at, struct http_connection, member);
        if (is_stuck(c, now_ms) || is_silent(c, now_ms))
            force_down(c);
    }
}

/* After a turn in which nobody was looked at callers get as much time again: what they have sent
 * may wait, and what they wait for. For half of the time at most, or nobody's time would ever be
 * over where each turn is a long one. */
void http_connections_be_lenient(struct http_server *server)
{
    int64_t away_ms = loop_away_ms(server->loop);
    int64_t now_ms = loop_now_ms(server->loop);
    if (away_ms <= AWAY_MS || now_ms < server->lenient_ms + server->leniency_ms)
        return;
    server->leniency_ms = away_ms;
    server->lenient_ms = now_ms + away_ms;
}

void http_connections_sweep(struct http_server *server)
{
    int64_t now_ms = loop_now_ms(server->loop);
    server->swept_ms = now_ms;
    linger_run(&server->linger, now_ms);
    http_connections_make_room(server);
    if (now_ms < server->lenient_ms)
        return;
    for (enum http_phase phase = 0; phase < HTTP_PHASES; phase++) {
        while (expires_ms(server, phase) <= now_ms)
            force_down(oldest(server, phase));
    }
    if (server->pending || server->hurries)
        sweep_bodies(server, now_ms);
}

int64_t http_connections_deadline_ms(const struct http_server *server)
{
    int64_t earliest = CLOCK_NEVER;
    for (enum http_phase phase = 0; phase < HTTP_PHASES; phase++)
        earliest = clock_min(earliest, expires_ms(server, phase));
    if (earliest < server->lenient_ms)
        earliest = server->lenient_ms;
    earliest = clock_min(earliest, linger_deadline_ms(&server->linger));
    if (server->hurries && server->n_in[HTTP_BODY] > 0)
        earliest = clock_min(earliest, server->swept_ms + LAST_SILENCE_MS / 4);
    if (server->pending && server->n_in[HTTP_BODY] > 0)
        earliest = clock_min(earliest, server->swept_ms + STUCK_MS);
    if (excess(server) > 0)
        earliest = clock_min(earliest, server->swept_ms + PATIENCE_MS / 4);
    if (earliest != CLOCK_NEVER && earliest < server->swept_ms + SWEEP_MS)
        earliest = server->swept_ms + SWEEP_MS;
    return earliest;
}
