/* SPDX-License-Identifier: Apache-2.0 */
#include "io/names.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long what was found serves without another look-up: one for all connections that are opened
 * together. [ms] */
#define NEW_MS 1000

#define ADDRESSES_BYTES (NAME_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3))

struct name {
    char *host;
    atomic_uint references;
    pthread_mutex_t lock;
    struct list waiting; /* struct name_wait.member */
    bool looking;
    bool doubted;     /* since what is known was found */
    bool doubted_new; /* since the look-up that is under way began */
    struct buf addresses;
    uint32_t zone;
    uint32_t version; /* of the addresses; 0: none were found yet */
    int64_t found_ms;
    int64_t asked_ms; /* when the look-up that is under way began */
    int failure;      /* of getaddrinfo(3), the last time; 0: it succeeded */
};

struct name *name_new(const char *host)
{
    struct name *n = xcalloc(1, sizeof *n);
    n->host = xstrdup(host);
    atomic_init(&n->references, 1);
    pthread_mutex_init(&n->lock, NULL);
    list_init(&n->waiting);
    buf_init(&n->addresses, ADDRESSES_BYTES, NULL);
    return n;
}

struct name *name_ref(struct name *n)
{
    atomic_fetch_add_explicit(&n->references, 1, memory_order_relaxed);
    return n;
}

void name_unref(struct name *n)
{
    if (n == NULL || atomic_fetch_sub_explicit(&n->references, 1, memory_order_acq_rel) > 1)
        return;
    buf_done(&n->addresses);
    pthread_mutex_destroy(&n->lock);
    free(n->host);
    free(n);
}

static void append_address(struct buf *to, const struct sockaddr *address, uint32_t *zone)
{
    union {
        const struct sockaddr *any;
        const struct sockaddr_in *v4;
        const struct sockaddr_in6 *v6;
    } at = { address };
    char text[INET6_ADDRSTRLEN];
    bool is_v6 = address->sa_family == AF_INET6;
    if (!is_v6 && address->sa_family != AF_INET)
        return;
    if (inet_ntop(address->sa_family,
                  is_v6 ? (const void *)&at.v6->sin6_addr : (const void *)&at.v4->sin_addr, text,
                  sizeof text) == NULL)
        return;
    if (is_v6 && at.v6->sin6_scope_id != 0)
        *zone = at.v6->sin6_scope_id;
    buf_printf(to, is_v6 ? "%s[%s]" : "%s%s", to->len > 0 ? "," : "", text);
}

/* Those that are gone for good are used no more; else the old ones are better than none. */
static void forget_addresses(struct name *n)
{
    if (n->failure == EAI_NONAME)
        buf_clear(&n->addresses);
}

static void keep_addresses(struct name *n, const struct addrinfo *list)
{
    size_t count = 0;
    buf_clear(&n->addresses);
    n->zone = 0;
    for (const struct addrinfo *a = list; a != NULL && count < NAME_ADDRESSES_MAX; a = a->ai_next) {
        append_address(&n->addresses, a->ai_addr, &n->zone);
        count++;
    }
    n->found_ms = n->asked_ms;
    n->version++;
    n->doubted = n->doubted_new;
}

static void *look_up(void *argument)
{
    struct name *n = argument;
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(n->host, NULL, &hints, &list);

    pthread_mutex_lock(&n->lock);
    n->looking = false;
    n->failure = failure;
    if (failure == 0)
        keep_addresses(n, list);
    else
        forget_addresses(n);
    while (!list_empty(&n->waiting)) {
        struct name_wait *wait = LIST_FIRST(&n->waiting, struct name_wait, member);
        list_remove(&wait->member);
        atomic_store_explicit(&wait->ended, true, memory_order_release);
        loop_wake(wait->loop);
    }
    pthread_mutex_unlock(&n->lock);
    if (failure == 0)
        freeaddrinfo(list);
    name_unref(n);
    return NULL;
}

/* Nobody waits for the thread: it may hang in the resolver for longer than we live. */
static bool begin(struct name *n, int64_t now_ms)
{
    pthread_attr_t attributes;
    pthread_t thread;
    n->doubted_new = false;
    n->asked_ms = now_ms;
    struct name *own = name_ref(n);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    n->looking = pthread_create(&thread, &attributes, look_up, own) == 0;
    pthread_attr_destroy(&attributes);
    if (!n->looking)
        name_unref(own);
    return n->looking;
}

static bool is_usable(const struct name *n)
{
    return n->addresses.len > 0 && !n->doubted;
}

static enum name_answer ask(struct name *n, int64_t now_ms)
{
    if (is_usable(n) && now_ms - n->found_ms < NEW_MS)
        return NAME_KNOWN;
    if (!n->looking && !begin(n, now_ms))
        return is_usable(n) ? NAME_KNOWN : NAME_NO_THREAD;
    return is_usable(n) ? NAME_OLD : NAME_AWAITED;
}

enum name_answer name_ask(struct name *n, int64_t now_ms, struct name_wait *wait)
{
    pthread_mutex_lock(&n->lock);
    enum name_answer answer = ask(n, now_ms);
    wait->version = n->version;
    if (answer == NAME_OLD || answer == NAME_AWAITED) {
        wait->name = n;
        atomic_store_explicit(&wait->ended, false, memory_order_relaxed);
        list_add_last(&n->waiting, &wait->member);
    }
    pthread_mutex_unlock(&n->lock);
    return answer;
}

void name_leave(struct name_wait *wait)
{
    struct name *n = TAKE(wait->name);
    if (n == NULL)
        return;
    pthread_mutex_lock(&n->lock);
    list_remove(&wait->member);
    pthread_mutex_unlock(&n->lock);
}

bool name_take(struct name *n, const struct name_wait *wait, struct buf *ret, uint32_t *ret_version,
               uint32_t *ret_zone, char why[NAME_WHY_SIZE])
{
    pthread_mutex_lock(&n->lock);
    bool good = is_usable(n) || (n->addresses.len > 0 && n->version != wait->version);
    if (good)
        buf_append(ret, buf_str(&n->addresses));
    else
        snprintf(why, NAME_WHY_SIZE, "%s",
                 n->failure != 0 ? gai_strerror(n->failure) : "no address was found");
    *ret_version = n->version;
    *ret_zone = n->zone;
    pthread_mutex_unlock(&n->lock);
    return good && buf_ok(ret);
}

void name_doubt(struct name *n, uint32_t version)
{
    pthread_mutex_lock(&n->lock);
    n->doubted |= n->version == version;
    n->doubted_new |= n->version == version;
    pthread_mutex_unlock(&n->lock);
}
