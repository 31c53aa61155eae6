/* SPDX-License-Identifier: Apache-2.0 */
/* Documents are compressed before their exchange begins, as the request's head has their length: in
 * steps, between which the loop has its turns. Where there is no room for the compressed document
 * it is sent as it is. */
#include "io/upstream_inside.h"

#include "base/clock.h"
#include "base/step.h"
#include "io/gzip.h"

/* What is compressed before others get their turn: some milliseconds for a slow machine. [bytes] */
#define STEP ((size_t)32 * 1024)

/* How long steps may go on in one run of the client, the last one's length not counted. [us] */
#define TURN_US 2000

/* By how much compression may lengthen a document. [bytes] */
#define EXTRA ((size_t)64 * 1024)

void pack_start(struct exchange *x)
{
    const struct upstream_call *call = x->call;
    size_t len = chain_len(call->body);
    x->packed = call->packed != NULL ? call->packed : &x->packed_here;
    x->is_packed = chain_len(x->packed) > 0;
    if (x->is_packed || len <= x->upstream->config->compression.request_over)
        return;
    chain_done(x->packed);
    chain_init(x->packed, len + EXTRA, call->body->budget);
    x->is_packing = true;
}

/* What is not complete is of no use. */
void pack_stop(struct exchange *x)
{
    if (x->is_packing)
        chain_done(x->packed);
    gzip_free(TAKE(x->gzip));
    x->is_packing = false;
    x->is_packed = false;
    x->packed = &x->packed_here;
}

/* The stream takes memory of its own: it is made when it is needed. */
static enum gzip_state step(struct exchange *x)
{
    if (x->gzip == NULL)
        x->gzip = gzip_new(x->call->body, x->call->body->budget);
    return x->gzip != NULL ? gzip_step(x->gzip, STEP, x->packed) : GZIP_FAILED;
}

/* False: there is more to do. */
static bool go_on(struct exchange *x)
{
    step_begin("compression");
    enum gzip_state state = step(x);
    if (state == GZIP_MORE)
        return false;
    if (state == GZIP_FAILED)
        chain_done(x->packed);
    gzip_free(TAKE(x->gzip));
    x->is_packing = false;
    x->is_packed = state == GZIP_DONE;
    return true;
}

/* Nobody passes by those who wait already. */
bool pack_waits(struct exchange *x)
{
    struct upstreams *all = x->upstream->all;
    if (!x->is_packing)
        return false;
    if (list_empty(&all->packing) && clock_now_us() < all->pack_until_us && go_on(x))
        return false;
    list_add_last(&all->packing, &x->member);
    return true;
}

void pack_run(struct upstreams *all)
{
    all->pack_until_us = clock_now_us() + TURN_US;
    while (!list_empty(&all->packing)) {
        struct exchange *x = LIST_FIRST(&all->packing, struct exchange, member);
        list_remove(&x->member);
        bool is_late = x->call->deadline_ms <= clock_now_ms();
        list_add_last(is_late || go_on(x) ? &all->starting : &all->packing, &x->member);
        if (clock_now_us() >= all->pack_until_us)
            break;
    }
}
