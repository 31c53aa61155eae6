/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_shared.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/names.h"
#include "io/upstream.h"
#include "rules/cookies.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of all its servers; as many as calls run at once, usually. */
#define NONCES_MAX ((size_t)64)

/* Of a URL, at most. [bytes] */
#define HOST_MAX ((size_t)256)

struct known_name {
    struct known_name *next;
    char *host;
    struct name *name;
};

struct upstream_shared {
    const struct upstream_config *config; /* borrowed */
    atomic_uint references;
    pthread_mutex_t lock;
    struct upstream_nonce *nonces; /* used last first; owned */
    size_t n_nonces;
    struct cookies cookies;
    struct upstream_keeping keeping;
    atomic_bool has_strange_heads;
    struct known_name *names; /* owned */
    CURLSH *tls;              /* NULL: no TLS */
    pthread_mutex_t tls_locks[CURL_LOCK_DATA_LAST];
};

static void lock_tls(CURL *easy, curl_lock_data what, curl_lock_access access, void *user)
{
    struct upstream_shared *s = user;
    (void)easy;
    (void)access;
    pthread_mutex_lock(&s->tls_locks[what]);
}

static void unlock_tls(CURL *easy, curl_lock_data what, void *user)
{
    struct upstream_shared *s = user;
    (void)easy;
    pthread_mutex_unlock(&s->tls_locks[what]);
}

static bool has_tls(const struct upstream_config *config)
{
    const char *proxy = config->proxy_target.url;
    bool found = proxy != NULL && strncmp(proxy, "https:", 6) == 0;
    for (size_t i = 0; i < config->n_targets; i++)
        found |= strncmp(config->targets[i].url, "https:", 6) == 0;
    return found;
}

static void open_tls(struct upstream_shared *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->tls_locks); i++)
        pthread_mutex_init(&s->tls_locks[i], NULL);
    if (!has_tls(s->config))
        return;
    s->tls = upstreams_global_init() ? curl_share_init() : NULL;
    if (s->tls == NULL || curl_share_setopt(s->tls, CURLSHOPT_LOCKFUNC, lock_tls) != CURLSHE_OK ||
        curl_share_setopt(s->tls, CURLSHOPT_UNLOCKFUNC, unlock_tls) != CURLSHE_OK ||
        curl_share_setopt(s->tls, CURLSHOPT_USERDATA, s) != CURLSHE_OK ||
        curl_share_setopt(s->tls, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK)
        die_without_memory();
}

static void close_tls(struct upstream_shared *s)
{
    curl_share_cleanup(s->tls);
    for (size_t i = 0; i < ARRAY_LEN(s->tls_locks); i++)
        pthread_mutex_destroy(&s->tls_locks[i]);
}

struct upstream_shared *upstream_shared_new(const struct upstream_config *config)
{
    struct upstream_shared *s = xcalloc(1, sizeof *s);
    s->config = config;
    s->keeping.max_us = config->timeouts.idle * 1000;
    atomic_init(&s->references, 1);
    pthread_mutex_init(&s->lock, NULL);
    open_tls(s);
    return s;
}

struct upstream_shared *upstream_shared_ref(struct upstream_shared *s)
{
    atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    return s;
}

void upstream_shared_unref(struct upstream_shared *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) > 1)
        return;
    for (struct upstream_nonce *nonce = s->nonces, *next; nonce != NULL; nonce = next) {
        next = nonce->next;
        free(nonce);
    }
    for (struct known_name *known = s->names, *next; known != NULL; known = next) {
        next = known->next;
        name_unref(known->name);
        free(known->host);
        free(known);
    }
    cookies_clear(&s->cookies);
    close_tls(s);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

bool upstream_shared_has_strange_heads(const struct upstream_shared *s)
{
    return atomic_load_explicit(&s->has_strange_heads, memory_order_relaxed);
}

bool upstream_shared_note_strange_heads(struct upstream_shared *s)
{
    return !atomic_exchange_explicit(&s->has_strange_heads, true, memory_order_relaxed);
}

struct upstream_keeping *upstream_shared_keeping(struct upstream_shared *s)
{
    return &s->keeping;
}

void *upstream_shared_tls(struct upstream_shared *s)
{
    return s->tls;
}

static struct known_name *find_name(struct upstream_shared *s, const char *host)
{
    struct known_name *known = s->names;
    while (known != NULL && strcmp(known->host, host) != 0)
        known = known->next;
    return known;
}

struct name *upstream_shared_name(struct upstream_shared *s, const char *host)
{
    pthread_mutex_lock(&s->lock);
    struct known_name *known = find_name(s, host);
    if (known == NULL) {
        known = xcalloc(1, sizeof *known);
        known->host = xstrdup(host);
        known->name = name_new(host);
        known->next = s->names;
        s->names = known;
    }
    pthread_mutex_unlock(&s->lock);
    return known->name;
}

struct upstream_nonce *upstream_nonce_new(size_t target, const struct digest_challenge *challenge)
{
    struct upstream_nonce *nonce = xcalloc(1, sizeof *nonce);
    uint64_t numbers[2];
    random_bytes(numbers, sizeof numbers);
    snprintf(nonce->cnonce, sizeof nonce->cnonce, "%016llx%016llx", (unsigned long long)numbers[0],
             (unsigned long long)numbers[1]);
    nonce->target = target;
    nonce->challenge = *challenge;
    return nonce;
}

struct upstream_nonce *upstream_nonce_take(struct upstream_shared *s, size_t target)
{
    pthread_mutex_lock(&s->lock);
    struct upstream_nonce **at = &s->nonces;
    while (*at != NULL && (*at)->target != target)
        at = &(*at)->next;
    struct upstream_nonce *nonce = *at;
    if (nonce != NULL) {
        *at = nonce->next;
        s->n_nonces--;
    }
    pthread_mutex_unlock(&s->lock);
    return nonce;
}

void upstream_nonce_give(struct upstream_shared *s, struct upstream_nonce *nonce)
{
    pthread_mutex_lock(&s->lock);
    bool has_room = s->n_nonces < NONCES_MAX && nonce->count < UINT32_MAX;
    if (has_room) {
        nonce->next = s->nonces;
        s->nonces = nonce;
        s->n_nonces++;
    }
    pthread_mutex_unlock(&s->lock);
    if (!has_room)
        free(nonce);
}

void upstream_cookie_take(struct upstream_shared *s, const char *url, struct str value)
{
    char room[HOST_MAX];
    struct cookie_place place;
    if (!s->config->cookies || !cookie_place_of(url, room, sizeof room, &place))
        return;
    pthread_mutex_lock(&s->lock);
    cookies_take(&s->cookies, &place, value, clock_now_ms(), time(NULL));
    pthread_mutex_unlock(&s->lock);
}

void upstream_cookies_write(struct upstream_shared *s, const char *url, struct buf *to)
{
    char room[HOST_MAX];
    struct cookie_place place;
    if (!s->config->cookies || !cookie_place_of(url, room, sizeof room, &place))
        return;
    pthread_mutex_lock(&s->lock);
    cookies_write(&s->cookies, &place, clock_now_ms(), to);
    pthread_mutex_unlock(&s->lock);
}
