/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's sockets on the worker's loop. A connection's socket stays registered while it waits in
 * libcurl's cache for the next call, which saves two system calls for each; an event there means
 * that the upstream has closed it, or sent what nobody asked for. Such a connection must carry no
 * further request, or what is there already would be taken for its answer. So it is shut down,
 * which is how libcurl finds out before it uses it again. libcurl itself sees only the close, and
 * events are as old as the last wait: so there is a last look right before a request is sent. */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/upstream_relay.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How soon libcurl is asked for its timer when it could not tell. [ms] */
#define STUMBLE_MS 100

static void watch_ready(struct loop_source *source, uint32_t events);

struct watch *watch_find(const struct upstreams *all, curl_socket_t fd)
{
    return fd >= 0 && (size_t)fd < all->n_watches ? all->watches[fd] : NULL;
}

static struct watch *watch_new(struct multi *m, curl_socket_t fd)
{
    struct upstreams *all = m->all;
    if ((size_t)fd >= all->n_watches) {
        size_t n = (size_t)fd + 64;
        all->watches = xreallocarray(all->watches, n, sizeof all->watches[0]);
        memset(all->watches + all->n_watches, 0, (n - all->n_watches) * sizeof all->watches[0]);
        all->n_watches = n;
    }
    struct watch *w = xcalloc(1, sizeof *w);
    w->source = (struct loop_source){ .fd = fd, .ready = watch_ready };
    w->multi = m;
    list_init(&w->kept_member);
    all->watches[fd] = w;
    return w;
}

static void watch_leave_loop(struct watch *w)
{
    if (w->registered != 0)
        loop_remove(w->multi->all->loop, &w->source);
    w->registered = 0;
}

static void watch_free(struct watch *w)
{
    watch_leave_loop(w);
    list_remove(&w->kept_member);
    w->multi->all->watches[w->source.fd] = NULL;
    free(w);
}

/* Where the loop has no room the call ends by its deadline; there is nobody to tell. */
static void watch_register(struct watch *w, uint32_t events)
{
    struct loop *loop = w->multi->all->loop;
    if (w->registered == events)
        return;
    bool done = w->registered == 0 ? loop_add(loop, &w->source, events)
                                   : loop_change(loop, &w->source, events);
    if (done)
        w->registered = events;
}

void watch_end(struct watch *w)
{
    w->ended = true;
    watch_leave_loop(w);
    shutdown(w->source.fd, SHUT_RDWR);
}

/* What has come for `x` goes through a relay from here on. Without descriptors for one libcurl
 * refuses it, and says why. */
static void put_relay(struct exchange *x, curl_socket_t fd)
{
    struct upstreams *all = x->upstream->all;
    struct watch *w = watch_find(all, fd);
    if (w != NULL)
        watch_leave_loop(w);
    relay_start(&all->relays, all->loop, fd);
    if (w != NULL && w->wanted != 0)
        watch_register(w, w->wanted);
}

static bool is_to_look_at(const struct watch *w)
{
    const struct exchange *x = w->asker;
    return x != NULL && x->call != NULL && x->is_clear && x->began && !x->connecting &&
           x->head.at_start && !relay_is_behind(&w->multi->all->relays, w->source.fd);
}

/* A head that comes in pieces is not read before it is complete; each piece makes one event then.
 * While libcurl sends it must hear of room at once, so it reads then whatever there is. */
static bool waits_for_head(struct watch *w, uint32_t events)
{
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 || (w->wanted & EPOLLOUT) != 0)
        return false;
    watch_register(w, w->wanted | EPOLLET);
    return true;
}

/* An answer begins: is it kept from libcurl for now? */
static bool look_first(struct watch *w, uint32_t events)
{
    switch (relay_peek(w->source.fd)) {
    case LOOK_MORE:
        if (waits_for_head(w, events))
            return true;
        break;
    case LOOK_MEND:
        kept_tell_strange(w->multi->upstream);
        put_relay(w->asker, w->source.fd);
        break;
    case LOOK_FINE:
        break;
    }
    return false;
}

static void watch_ready(struct loop_source *source, uint32_t events)
{
    struct watch *w = CONTAINER_OF(source, struct watch, source);
    int bits = 0;

    if (w->wanted == 0) {
        (void)kept_look(w);
        return;
    }
    if ((events & EPOLLIN) != 0 && is_to_look_at(w) && look_first(w, events))
        return;
    watch_register(w, w->wanted); /* level-triggered again: libcurl leaves things unread */
    /* Errors are found by reading: there may be an answer before them. */
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        bits |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0)
        bits |= CURL_CSELECT_OUT;
    multi_act(w->multi, source->fd, bits);
}

static int local_port(curl_socket_t fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } address;
    socklen_t size = sizeof address;
    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    if (address.any.sa_family == AF_INET)
        return ntohs(address.v4.sin_port);
    return address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port) : 0;
}

static curl_socket_t kept_socket(CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (easy == NULL || curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
        return CURL_SOCKET_BAD;
    return fd;
}

static void watch_keep(struct watch *w, const struct exchange *x)
{
    w->carried |= x != NULL && x->head.complete;
    w->busy = false;
    if (!w->kept)
        w->local_port = local_port(w->source.fd);
    w->since_us = clock_now_us();
    list_remove(&w->kept_member);
    list_add_first(&w->multi->kept, &w->kept_member);
    if (!w->kept || w->registered != 0)
        watch_register(w, EPOLLIN | EPOLLRDHUP);
    w->kept = true;
    if (relay_is_behind(&w->multi->all->relays, w->source.fd))
        watch_end(w);
}

/* NULL: libcurl closes a connection by a handle of its own. */
static struct exchange *exchange_of(CURL *easy)
{
    struct exchange *x = NULL;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&x) == CURLE_OK ? x : NULL;
}

static bool is_paused(CURL *easy)
{
    const struct exchange *x = exchange_of(easy);
    return x != NULL && !list_empty(&x->in_paused);
}

/* libcurl 7.88 lets go of a socket on which sending has failed before it closes it, 8.14 does not.
 */
static void look_late(const struct watch *w)
{
    if ((w->wanted & EPOLLOUT) != 0 && w->asker != NULL)
        late_answer_take(w->asker, w->source.fd);
}

/* It may ask for several while it connects. */
static void watch_ask(struct watch *w, struct exchange *x)
{
    struct watch *last = watch_find(w->multi->all, x->asked_fd);
    if (last != NULL && last->asker == x)
        last->asker = NULL;
    x->asked_fd = w->source.fd;
    x->is_watched = true;
    w->asker = x;
}

void sockets_forget(struct upstreams *all, curl_socket_t fd)
{
    struct watch *w = watch_find(all, fd);
    if (w != NULL)
        watch_free(w);
}

void sockets_leave(struct exchange *x, const struct multi *m)
{
    struct watch *w = watch_find(m->all, x->asked_fd);
    if (w != NULL && w->asker == x)
        w->asker = NULL;
    x->asked_fd = CURL_SOCKET_BAD;
}

/* libcurl needs a socket no longer. What is no connection (a resolver's pipe), or none yet, may be
 * closed without a word to us, so it leaves the loop; a kept connection stays. That of a paused
 * transfer is not looked at for the moment. */
static void watch_rest(struct watch *w, CURL *easy)
{
    look_late(w);
    w->wanted = 0;
    w->asker = NULL;
    if (is_paused(easy)) {
        w->paused = exchange_of(easy);
        watch_leave_loop(w);
    } else if (!w->kept && kept_socket(easy) != w->source.fd) {
        watch_free(w);
    } else {
        watch_keep(w, exchange_of(easy));
    }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user)
{
    struct multi *m = user;
    struct watch *w = watch_find(m->all, fd);
    (void)socket_user;

    if (what == CURL_POLL_REMOVE) {
        if (w != NULL && w->multi == m)
            watch_rest(w, easy);
        return 0;
    }
    if (w == NULL)
        w = watch_new(m, fd);
    struct exchange *x = exchange_of(easy);
    w->multi = m;
    if (x != NULL)
        watch_ask(w, x);
    w->paused = NULL;
    list_remove(&w->kept_member);
    w->wanted = EPOLLRDHUP;
    if ((what & CURL_POLL_IN) != 0)
        w->wanted |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0)
        w->wanted |= EPOLLOUT;
    watch_register(w, w->wanted);
    return 0;
}

static int on_timer(CURLM *curl, long timeout_ms, void *user)
{
    struct multi *m = user;
    (void)curl;
    m->due_ms = timeout_ms < 0 ? CLOCK_NEVER : clock_now_ms() + timeout_ms;
    return 0;
}

/* libcurl takes addresses without the zone that a link-local one needs. */
static void add_zone(const struct exchange *x, struct curl_sockaddr *address)
{
    struct sockaddr_in6 v6;
    if (x->zone == 0 || address->family != AF_INET6 || address->addrlen < sizeof v6)
        return;
    memcpy(&v6, &address->addr, sizeof v6);
    if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) || v6.sin6_scope_id != 0)
        return;
    v6.sin6_scope_id = x->zone;
    memcpy(&address->addr, &v6, sizeof v6);
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *x = user;
    if (purpose != CURLSOCKTYPE_IPCXN || !exchange_may_send(x))
        return CURL_SOCKET_BAD;
    add_zone(x, address);
    int fd = x->extra->is_dry
                 ? dry_run_open_socket(x, address)
                 : socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    x->connecting = true;
    x->opened[x->n_opened++ % OPENED_MAX] = fd;
    relay_end(&x->upstream->all->relays, fd);

    /* An attempt that failed while connecting was closed without a word, and this is its number
     * again. libcurl may think that it still watches it. */
    struct watch *w = watch_find(x->multi->all, fd);
    if (w != NULL) {
        watch_leave_loop(w);
        list_remove(&w->kept_member);
        w->multi = x->multi;
        w->asker = NULL;
        w->kept = false;
        w->ended = false;
        if (w->wanted != 0)
            watch_register(w, w->wanted);
    }
    return fd;
}

static int close_socket(void *user, curl_socket_t fd)
{
    struct upstreams *all = user;
    struct watch *w = watch_find(all, fd);
    if (w != NULL) {
        look_late(w);
        kept_look_last(w);
        watch_free(w);
    }
    relay_end(&all->relays, fd);
    return close(fd);
}

bool sockets_attach_multi(struct multi *m)
{
    CURLM *curl = m->curl;
    return curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, m) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_TIMERDATA, m) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK &&
           curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, MULTI_CONNECTIONS) == CURLM_OK;
}

bool sockets_attach_easy(CURL *easy, struct upstreams *all)
{
    /* A connection outlives the exchange that opened it: its close function gets the client. */
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, all) == CURLE_OK;
}

struct watch *watch_of_kept(const struct exchange *x)
{
    curl_socket_t fd = kept_socket(x->easy);
    struct watch *w = fd != CURL_SOCKET_BAD ? watch_find(x->multi->all, fd) : NULL;
    return w != NULL && !list_empty(&w->kept_member) ? w : NULL;
}

void sockets_mend(struct exchange *x, int port)
{
    size_t n = x->n_opened < OPENED_MAX ? x->n_opened : OPENED_MAX;
    for (size_t i = 0; i < n; i++) {
        if (local_port(x->opened[i]) != port)
            continue;
        put_relay(x, x->opened[i]);
        break;
    }
}

void sockets_pause(struct exchange *x)
{
    struct watch *w = x->kept_fd != CURL_SOCKET_BAD ? watch_find(x->multi->all, x->kept_fd) : NULL;
    if (x->is_watched || w == NULL)
        return;
    watch_leave_loop(w);
    list_remove(&w->kept_member);
    w->paused = x;
}

void sockets_watch_new(struct exchange *x)
{
    curl_socket_t fd = kept_socket(x->easy);
    struct watch *w = fd != CURL_SOCKET_BAD ? watch_find(x->multi->all, fd) : NULL;
    if (fd != CURL_SOCKET_BAD && w == NULL)
        w = watch_new(x->multi, fd);
    /* Another exchange may have begun there, and be paused itself. */
    if (w == NULL || w->kept || w->wanted != 0 || (w->paused != NULL && w->paused != x))
        return;
    w->paused = NULL;
    watch_keep(w, x);
}

void sockets_watch_paused(struct exchange *x)
{
    curl_socket_t fd = kept_socket(x->easy);
    struct watch *w = fd != CURL_SOCKET_BAD ? watch_find(x->multi->all, fd) : NULL;
    if (w == NULL || w->registered != 0 || w->wanted != 0 || w->paused != x)
        return;
    w->paused = NULL;
    w->kept = false;
    watch_keep(w, x);
}

void multi_act(struct multi *m, curl_socket_t fd, int bits)
{
    int still_running;
    assert(!m->all->in_curl);
    m->all->in_curl = true;
    CURLMcode rc = curl_multi_socket_action(m->curl, fd, bits, &still_running);
    m->all->in_curl = false;
    /* Without memory for its table of who uses a socket, libcurl 7.88 keeps the socket's entry with
     * a table of no places, and divides by their number when the next transfer comes to it. */
    if (rc == CURLM_OUT_OF_MEMORY)
        die_without_memory();
    /* Each transfer's own result comes with its message; what failed here says nothing of the timer
     * by which transfers end. */
    if (rc != CURLM_OK)
        m->due_ms = clock_min(m->due_ms, clock_now_ms() + STUMBLE_MS);
    if (list_empty(&m->touched))
        list_add_last(&m->all->touched, &m->touched);
}
