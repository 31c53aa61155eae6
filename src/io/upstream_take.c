/* SPDX-License-Identifier: Apache-2.0 */
/* What comes of a response: unpacked and handed over in pieces, and paused where the loop's turn is
 * over, or where nobody has room for it. libcurl then gives the same bytes again. */
#include "io/upstream_inside.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/step.h"
#include "io/unpack.h"

/* How long what comes in may keep the loop from its next turn. [us] */
#define TURN_US 10000

bool turn_has_time(struct upstreams *all)
{
    int64_t now_ms = loop_now_ms(all->loop);
    if (all->turn_ms != now_ms)
        all->taken_us = 0;
    all->turn_ms = now_ms;
    return all->taken_us < TURN_US;
}

/* libcurl reads on as long as something comes; the worker's callers would have to wait for that. */
static bool give(struct exchange *x, struct str bytes)
{
    struct upstreams *all = x->upstream->all;
    int64_t began_us = clock_now_us();
    step_begin("answer");
    bool goes_on = x->call->on_data(x->call, bytes);
    step_begin("transfer");
    all->taken_us += clock_now_us() - began_us;
    return goes_on;
}

/* Where it waits that may not go on now; NULL: it may. On a unix socket not before libcurl has
 * asked for events: it would not be known which connection is not an idle one. */
static struct list *must_wait(struct exchange *x, size_t bytes)
{
    struct upstreams *all = x->upstream->all;
    if (!x->is_watched && x->kept_fd == CURL_SOCKET_BAD)
        return NULL;
    if (!turn_has_time(all))
        return &all->paused;
    if (x->call->has_room != NULL && !x->call->has_room(x->call, bytes))
        return &all->without_room;
    return NULL;
}

static bool is_packed(const struct exchange *x)
{
    return x->upstream->config->compression.accept && x->head.n_codings > 0;
}

/* Takes the next piece off `in`. False: it cannot be unpacked. */
static bool next_piece(struct exchange *x, struct str *in, struct str *ret)
{
    if (!is_packed(x)) {
        *ret = *in;
        in->len = 0;
        return true;
    }
    if (x->unpack == NULL)
        x->unpack = unpack_new(&x->head);
    x->damaged = x->unpack == NULL || !unpack_next(x->unpack, in, ret);
    return !x->damaged;
}

static void pause_in(struct exchange *x, struct list *where)
{
    list_add_last(where, &x->in_paused);
    x->was_paused = true;
    sockets_pause(x);
}

size_t exchange_take(struct exchange *x, struct str all)
{
    struct str in = str_slice(all, x->consumed, all.len), piece;
    do {
        struct list *where = must_wait(x, in.len);
        if (where != NULL) {
            pause_in(x, where);
            x->consumed = is_packed(x) ? all.len - in.len : 0;
            return CURL_WRITEFUNC_PAUSE;
        }
        if (!next_piece(x, &in, &piece))
            return CURL_WRITEFUNC_ERROR;
        x->stopped = piece.len > 0 && !give(x, piece);
        if (x->stopped || x->call == NULL)
            return CURL_WRITEFUNC_ERROR;
    } while (in.len > 0 || (x->unpack != NULL && unpack_has_more(x->unpack)));
    x->consumed = 0;
    return all.len;
}

CURLcode exchange_go_on(struct exchange *x)
{
    struct upstreams *all = x->upstream->all;
    if (x->http1.wire != NULL) {
        http1_go_on(x);
        return CURLE_OK;
    }
    list_remove(&x->in_paused);
    all->in_curl = true;
    CURLcode rc = curl_easy_pause(x->easy, CURLPAUSE_CONT);
    all->in_curl = false;
    /* No callback of ours stops a transfer: libcurl had no memory to watch the socket again, and
     * its state is what multi_act() tells of. */
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        die_without_memory();
    return rc;
}

void exchange_forget_packed(struct exchange *x)
{
    unpack_free(TAKE(x->unpack));
    x->consumed = 0;
    x->damaged = false;
}
