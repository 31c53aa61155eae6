/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/pool.h"
#include "client/site.h"

#include <stdlib.h>

/* How often replies that keep permits are looked at, while calls wait for these. */
#define LOOK_MS 10

void client_init(struct client *client, struct work *work, struct transport *transport)
{
    client->work = work;
    for (size_t i = 0; i < CALL_STATES; i++)
        list_init(&client->calls_in[i]);
    list_init(&client->pools);
    list_init(&client->sites);
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
    int64_t deadline = transport_deadline_ms(client->transport);
    if (pools_press(client))
        deadline = clock_min(deadline, clock_now_ms() + LOOK_MS);
    return deadline;
}

/* First those that wait, so that none of them is sent when another gives its permit back. */
void client_cut_off(struct client *client)
{
    static const enum call_state states[] = { CALL_TRANSLATING, CALL_HELD,    CALL_QUEUED,
                                              CALL_BACKOFF,     CALL_CALLING, CALL_ARRANGING };
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        while (!list_empty(&client->calls_in[states[i]])) /* one may end others, too */
            call_cut_off(LIST_FIRST(&client->calls_in[states[i]], struct call, in_state));
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
    void *item;
    while ((item = spare_take(&client->calls)) != NULL)
        free(item);
}
