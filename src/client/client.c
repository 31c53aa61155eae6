/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "client/multicall.h"
#include "client/pool.h"
#include "client/probe.h"
#include "client/site.h"

#include <stdlib.h>

/* How often it is looked whether what others find out is known. */
#define LOOK_MS 10

void client_init(struct client *client, struct work *work)
{
    client->work = work;
    for (size_t i = 0; i < CALL_STATES; i++)
        list_init(&client->calls_in[i]);
    list_init(&client->pools);
    list_init(&client->sites);
    list_init(&client->awaiting);
    client->wait_due_ms = CLOCK_NEVER;
    client->sites_due_ms = CLOCK_NEVER;
    client->probes_due_ms = CLOCK_NEVER;
    client->upstreams = upstreams_new(work->loop);
}

void client_done(struct client *client)
{
    if (client->upstreams != NULL) {
        sites_free(client);
        upstreams_free(client->upstreams);
    }
    client_free_spare(client);
}

void client_run(struct client *client)
{
    pools_run(client);
    probes_run(client);
    multicall_feed(client);
}

int64_t client_deadline_ms(const struct client *client)
{
    int64_t deadline = clock_min(upstreams_deadline_ms(client->upstreams), client->wait_due_ms);
    deadline = clock_min(deadline, clock_min(client->sites_due_ms, client->probes_due_ms));
    if (!list_empty(&client->awaiting) || pools_press(client))
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
