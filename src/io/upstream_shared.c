/* SPDX-License-Identifier: Apache-2.0 */
#include "io/upstream_shared.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Of all its servers; as many as calls run at once, usually. */
#define NONCES_MAX ((size_t)64)

struct upstream_shared {
    const struct upstream_config *config; /* borrowed */
    atomic_uint references;
    pthread_mutex_t lock;
    struct upstream_nonce *nonces; /* used last first; owned */
    size_t n_nonces;
};

struct upstream_shared *upstream_shared_new(const struct upstream_config *config)
{
    struct upstream_shared *s = xcalloc(1, sizeof *s);
    s->config = config;
    atomic_init(&s->references, 1);
    pthread_mutex_init(&s->lock, NULL);
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
    pthread_mutex_destroy(&s->lock);
    free(s);
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
