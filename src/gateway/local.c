/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that need no upstream. */
#include "gateway/request.h"

#include <assert.h>

static const char *readiness(enum gateway_phase phase)
{
    switch (phase) {
    case GATEWAY_STARTING:
        return "starting";
    case GATEWAY_READY:
        return "ready";
    case GATEWAY_LAME_DUCK:
    case GATEWAY_DRAINING:
    case GATEWAY_STOPPING:
        break;
    }
    return "draining";
}

void request_local(struct request *r)
{
    enum gateway_phase phase = gateway_phase(r->worker->gateway);
    switch (r->route.kind) {
    case ROUTE_LIVEZ:
        chain_append(&r->reply, STR("{\"status\":\"ok\"}"));
        request_succeed(r, 200);
        return;
    case ROUTE_READYZ:
        chain_append(&r->reply, STR("{\"status\":\""));
        chain_append_c(&r->reply, readiness(phase));
        chain_append(&r->reply, STR("\"}"));
        request_succeed(r, phase == GATEWAY_READY ? 200 : 503);
        return;
    case ROUTE_ROOT:
        chain_append(&r->reply, STR("{\"name\":\"rpcgate\",\"links\":[\"/livez\",\"/readyz\"]}"));
        request_succeed(r, 200);
        return;
    case ROUTE_UPSTREAMS:
    case ROUTE_UPSTREAM:
    case ROUTE_METHOD:
    case ROUTE_UNKNOWN:
        break;
    }
    assert(false && "admit.c lets no other route through");
}
