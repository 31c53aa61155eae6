/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are complete before HTTP says so: servers count characters where bytes are meant, or
 * say nothing of a length and do not close either. Whoever sends more sends it at once, so what
 * does not come within a moment will not come. The connection is closed, as nobody knows what is
 * still on its way. Chunks tell by themselves that there is more. */
#include "io/upstream_inside.h"

#include "base/clock.h"

/* More than a lost packet takes to be sent again, little enough for a person who waits. [ms] */
#define WAIT_MS 250

void whole_begin(struct exchange *x)
{
    list_remove(&x->in_whole);
}

void whole_note(struct exchange *x, size_t bytes)
{
    const struct response_head *head = &x->head;
    x->taken_bytes += bytes;
    if (head->is_chunked || (head->has_length && x->taken_bytes >= head->length) ||
        x->call == NULL || x->call->is_whole == NULL || !x->call->is_whole(x->call))
        return;
    x->whole_due_ms = clock_now_ms() + WAIT_MS;
    list_add_last(&x->upstream->all->whole, &x->in_whole);
}

void whole_run(struct upstreams *all)
{
    int64_t now_ms = clock_now_ms();
    while (!list_empty(&all->whole)) {
        struct exchange *x = LIST_FIRST(&all->whole, struct exchange, in_whole);
        if (x->whole_due_ms > now_ms)
            break;
        list_remove(&x->in_whole);
        if (x->call == NULL)
            continue; /* cancelled meanwhile */
        exchange_end(x, CURLE_PARTIAL_FILE);
    }
}

int64_t whole_due_ms(const struct upstreams *all)
{
    if (list_empty(&all->whole))
        return CLOCK_NEVER;
    return CONTAINER_OF(all->whole.next, struct exchange, in_whole)->whole_due_ms;
}
