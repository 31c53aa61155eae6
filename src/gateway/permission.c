/* SPDX-License-Identifier: Apache-2.0 */
/* May the caller call that method of the request's upstream? */
#include "gateway/request.h"

static bool refuse_method(struct error *err)
{
    return error_set(err, PROBLEM_FORBIDDEN,
                     "You may not call this method. The administrator allows it with `allow`.");
}

bool request_may_call(const struct request *r, struct str method, struct error *err)
{
    if (str_eq(method, STR("system.multicall")))
        return error_set(err, PROBLEM_FORBIDDEN,
                         "system.multicall is not called by name: it would pass by the rules about "
                         "methods. Send the calls to POST /v1/%s instead.",
                         r->upstream->name);
    struct str upstream = str_of(r->upstream->name);
    return access_may_call(&r->caller.access, upstream, method) != ACCESS_NO || refuse_method(err);
}

bool request_may_call_with(const struct request *r, struct str method, struct str params,
                           struct error *err)
{
    if (!request_may_call(r, method, err))
        return false;
    return access_may_call_with(&r->caller.access, str_of(r->upstream->name), method, params) ||
           error_set(err, PROBLEM_FORBIDDEN,
                     "You may not call this method with these params: rules with `params` say "
                     "which texts they may have. The administrator changes that with `allow` and "
                     "`deny`.");
}
