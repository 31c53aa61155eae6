/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's caller may call, and how much of it. */
#include "front/request.h"

#include "codec/interop.h"
#include "front/caller_state.h"
#include "front/form.h"

static bool refuse_method(struct error *err)
{
    return error_set(err, PROBLEM_FORBIDDEN,
                     "You may not call this method. The administrator allows it with `allow`.");
}

static struct access_call call_of(const struct request *r, struct str method)
{
    return (struct access_call){ .upstream = str_of(r->upstream->name),
                                 .method = method,
                                 .route = str_of(r->route != NULL ? r->route->name : NULL) };
}

bool request_may_see_route(const struct request *r, const struct route_config *route)
{
    const struct access_call call = { .upstream = str_of(route->upstream->name),
                                      .method = str_of(route->method),
                                      .route = str_of(route->name) };
    return (route->upstream->faces & r->target.row->form->face) != 0 &&
           access_may_see_route(&r->caller.access, &call);
}

bool request_may_see_a_route(const struct request *r, const struct upstream_config *upstream)
{
    const struct config *config = r->site->config;
    for (size_t i = 0; i < config->n_routes; i++)
        if (config->routes[i].upstream == upstream && request_may_see_route(r, &config->routes[i]))
            return true;
    return false;
}

bool request_may_call(const struct request *r, struct str method, struct error *err)
{
    if (str_eq(method, STR("system.multicall")))
        return error_set(err, PROBLEM_FORBIDDEN,
                         "system.multicall is not called by name: it would pass by the rules about "
                         "methods. Send the calls to POST /v1/%s instead.",
                         r->upstream->name);
    struct access_call call = call_of(r, method);
    return access_answer(&r->caller.access, &call) != ACCESS_NO || refuse_method(err);
}

bool request_may_call_with(const struct request *r, struct str method, struct str params,
                           struct error *err)
{
    if (!request_may_call(r, method, err))
        return false;
    struct access_call call = call_of(r, method);
    call.params = params;
    if (access_decide(&r->caller.access, &call).may)
        return true;
    error_set(err, PROBLEM_FORBIDDEN,
              "You may not call this method with these params: rules with `params` say which texts "
              "they may have. The administrator changes that with `allow` and `deny`.");
    err->fault_code = INTEROP_BAD_PARAMS;
    return false;
}

static struct caller_state *state_of(const struct request *r)
{
    return front_site_of(r->site)->callers[r->caller.config->index];
}

struct memory_share *request_share(const struct request *r)
{
    return r->caller.config != NULL ? &state_of(r)->memory : &r->front->shared->anonymous;
}

bool request_take_calls(struct request *r, size_t n, struct error *err)
{
    return r->caller.config == NULL || caller_state_take(state_of(r), r->caller.config, n, err);
}

bool request_enter_flight(struct request *r, struct error *err)
{
    if (r->caller.config == NULL)
        return true;
    r->is_in_flight = caller_state_enter(state_of(r), r->caller.config, err);
    return r->is_in_flight;
}

void request_leave_flight(struct request *r)
{
    if (r->is_in_flight)
        caller_state_leave(state_of(r));
    r->is_in_flight = false;
}
