/* SPDX-License-Identifier: Apache-2.0 */
#include "front/front.h"

#include "base/alloc.h"
#include "front/endpoint.h"
#include "front/request.h"

#include <stdlib.h>
#include <string.h>

void front_commons_init(struct front_commons *shared, struct commons *commons)
{
    memory_share_init(&shared->anonymous, commons);
    shared->no_upstream = upstream_record_new("", commons->n_workers);
    explorer_init(&shared->explorer);
}

void front_commons_done(struct front_commons *shared)
{
    memory_share_done(&shared->anonymous);
    upstream_record_free(shared->no_upstream);
}

void front_init(struct front *front, struct work *work, struct client *client,
                struct front_commons *shared)
{
    front->work = work;
    front->client = client;
    front->shared = shared;
    for (size_t i = 0; i < REQUEST_STATES; i++)
        list_init(&front->requests_in[i]);
    list_init(&front->endpoints);
}

void front_done(struct front *front)
{
    if (front->work != NULL)
        endpoints_free(front);
    front_free_spare(front);
}

void front_follow(struct front *front, struct config *config,
                  struct upstream_state *const *upstreams, struct caller_state *const *callers)
{
    size_t size = config->n_callers * sizeof(struct caller_state *);
    struct front_site *site = xcalloc(1, sizeof *site + size);
    if (size > 0)
        memcpy(site->callers, callers, size);
    site_open(front->client, &site->site, config, upstreams);
}

void front_cut_off(struct front *front)
{
    static const enum request_state states[] = { REQUEST_READING, REQUEST_WORKING };
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        LIST_EACH (&front->requests_in[states[i]], at, following)
            request_cut_off(CONTAINER_OF(at, struct request, in_state));
}

bool front_is_busy(const struct front *front)
{
    return !list_empty(&front->requests_in[REQUEST_REPLYING]) ||
           !list_empty(&front->requests_in[REQUEST_READING]);
}

struct request *front_take_request(struct front *front)
{
    struct request *r = spare_take(&front->requests);
    if (r == NULL)
        return xcalloc(1, sizeof *r);
    memset(r, 0, offsetof(struct request, target));
    target_clear(&r->target);
    error_clear(&r->error);
    r->call.state = CALL_ENDED;
    return r;
}

void front_give_request(struct front *front, struct request *r)
{
    if (!spare_keep(&front->requests, r))
        free(r);
}

void front_free_spare(struct front *front)
{
    spare_free(&front->requests);
}
