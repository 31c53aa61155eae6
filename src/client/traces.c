/* SPDX-License-Identifier: Apache-2.0 */
#include "client/traces.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "io/post.h"
#include "settings/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long what is left at the end may take. */
#define STOP_MS 2000

void traces_init(struct traces *t)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&t->lock, NULL);
    t->last = &t->first;
}

void traces_done(struct traces *t)
{
    for (struct span_text *at = t->first, *next; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    config_unref(t->config);
    post_free(t->post);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
}

/* The sender sleeps until the first span, and until there are enough to be sent at once. */
static bool is_awaited(const struct traces *t, const struct traces_config *config)
{
    return t->n == 1 || t->n == (size_t)config->batch;
}

void traces_put(struct traces *t, const struct traces_config *config, struct str span)
{
    struct span_text *s = xcalloc(1, sizeof *s + span.len);
    s->len = span.len;
    memcpy(s->data, span.data, span.len);
    pthread_mutex_lock(&t->lock);
    bool has_room = span_text_bytes(s) <= config->queue && t->bytes <= config->queue &&
                    t->bytes + span_text_bytes(s) <= config->queue;
    bool wake = false;
    if (has_room) {
        *t->last = s;
        t->last = &s->next;
        t->n++;
        t->bytes += span_text_bytes(s);
        wake = is_awaited(t, config);
    }
    pthread_mutex_unlock(&t->lock);
    if (wake)
        pthread_cond_signal(&t->wake);
    if (has_room)
        return;
    free(s);
    atomic_fetch_add_explicit(&t->dropped, 1, memory_order_relaxed);
}

static bool start(struct traces *t)
{
    t->post = post_new();
    if (t->post == NULL) {
        errno = ENOMEM;
        return false;
    }
    errno = pthread_create(&t->thread, NULL, trace_sender_run, t);
    t->has_thread = errno == 0;
    return t->has_thread;
}

bool traces_follow(struct traces *t, struct config *config)
{
    if (!t->has_thread && !config->traces.present)
        return true;
    pthread_mutex_lock(&t->lock);
    struct config *before = t->config;
    t->config = config_ref(config);
    t->n_configs++;
    pthread_mutex_unlock(&t->lock);
    pthread_cond_signal(&t->wake);
    config_unref(before);
    return t->has_thread || start(t);
}

void traces_stop(struct traces *t)
{
    if (!t->has_thread)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    t->stop_by_ms = clock_now_ms() + STOP_MS;
    post_hurry(t->post, t->stop_by_ms);
    pthread_mutex_unlock(&t->lock);
    pthread_cond_signal(&t->wake);
    pthread_join(t->thread, NULL);
    t->has_thread = false;
}
