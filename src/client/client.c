/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/pool.h"
#include "client/site.h"

#include <assert.h>
#include <stdlib.h>

void client_init(struct client *client, struct work *work, struct transport *transport)
{
    static_assert(CALL_STATES <= METRICS_STATES, "each state has its numbers");
    client->work = work;
    client->shown = work->commons->calls[work->index];
    for (size_t i = 0; i < CALL_STATES; i++)
        list_init(&client->calls_in[i]);
    list_init(&client->pools);
    list_init(&client->sites);
    list_init(&client->joins);
    client->sites_timer.fire = sites_sweep;
    client->transport = transport;
}

void client_done(struct client *client)
{
    if (client->transport != NULL) {
        sites_free(client);
        transport_done(client->transport);
    }
    client_free_spare(client);
}

int64_t client_deadline_ms(const struct client *client)
{
    return transport_deadline_ms(client->transport);
}

const char *call_state_name(enum call_state state)
{
    static const char *const names[CALL_STATES] = { [CALL_ENDED] = "ended",
#define X(word, name) [CALL_##word] = name,
                                                    CALL_STATE_LIST(X)
#undef X
    };
    return names[state];
}

/* The worker is the only one who writes. */
void client_show_calls(struct client *client, enum call_state state, int more)
{
    struct state_metrics *m = &client->shown[state];
    const struct list *calls = &client->calls_in[state];
    unsigned before = atomic_load_explicit(&m->n, memory_order_relaxed);
    int64_t oldest_ms =
        list_empty(calls) ? 0 : CONTAINER_OF(calls->next, struct call, in_state)->began_ms;
    atomic_store_explicit(&m->n, before + (unsigned)more, memory_order_relaxed);
    atomic_store_explicit(&m->oldest_ms, oldest_ms, memory_order_relaxed);
}

struct calls_in_state client_calls_in(const struct commons *commons, enum call_state state)
{
    struct calls_in_state all = { .oldest_ms = CLOCK_NEVER };
    for (size_t i = 0; i < commons->n_workers; i++) {
        const struct state_metrics *m = &commons->calls[i][state];
        unsigned n = atomic_load_explicit(&m->n, memory_order_relaxed);
        int64_t oldest_ms = atomic_load_explicit(&m->oldest_ms, memory_order_relaxed);
        all.n += n;
        if (n > 0 && oldest_ms != 0)
            all.oldest_ms = clock_min(all.oldest_ms, oldest_ms);
    }
    return all;
}

static struct call *first_mortal(struct list *calls)
{
    LIST_EACH (calls, at, following) {
        struct call *c = CONTAINER_OF(at, struct call, in_state);
        if (!c->outlives)
            return c;
    }
    return NULL;
}

/* One may end others, too. */
static void cut_off(struct list *calls)
{
    struct call *c;
    while ((c = first_mortal(calls)) != NULL)
        call_cut_off(c);
}

/* First those that wait, so that none of them is sent when another gives its slot back. */
void client_cut_off(struct client *client)
{
    static const enum call_state states[] = { CALL_AWAITING,    CALL_JOINED,  CALL_SESSION,
                                              CALL_TRANSLATING, CALL_HELD,    CALL_QUEUED,
                                              CALL_BACKOFF,     CALL_CALLING, CALL_ARRANGING };
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        cut_off(&client->calls_in[states[i]]);
}

struct call *client_take_call(struct client *client)
{
    struct call *c = spare_take(&client->calls);
    return c != NULL ? c : xcalloc(1, sizeof *c);
}

void client_give_call(struct client *client, struct call *c)
{
    if (!spare_keep(&client->calls, c))
        free(c);
}

void client_free_spare(struct client *client)
{
    spare_free(&client->calls);
}
