/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of client/: workers without threads and callers, whose upstreams are
 * fake_transport.h's, and calls whose ends are noted. cmocka.h comes before it. */
#ifndef RPCGATE_TESTS_CLIENT_RIG_H
#define RPCGATE_TESTS_CLIENT_RIG_H

#include "client/call.h"
#include "client/client.h"
#include "client/pool.h"
#include "client/traces.h"
#include "client/upstream_state.h"
#include "config_text.h"
#include "fake_transport.h"
#include "work/commons.h"
#include "work/work.h"

#include <stdbool.h>
#include <stddef.h>

#define RIG_WORKERS ((size_t)2)
#define RIG_UPSTREAMS ((size_t)6)

struct rig_worker {
    struct work work;
    struct client client;
    struct fake fake;
};

struct rig {
    struct commons commons;
    struct memory_share share; /* of a caller */
    struct rig_worker workers[RIG_WORKERS];
    struct config *config;
    struct upstream_record *records[RIG_UPSTREAMS];
    struct upstream_state *states[RIG_UPSTREAMS];
    struct traces traces;
};

/* Reads that configuration; the clock stands still from here on. */
void rig_open(struct rig *rig, const char *settings);
void rig_close(struct rig *rig);

/* A turn of each worker, `ms` later. */
void rig_turn(struct rig *rig, int64_t ms);

struct rig_call {
    struct call call;
    struct chain reply;
    bool refuses; /* its owner lets it not be sent */
    int n_ended;
    bool is_good;
    char *text; /* of a good one: the value as JSON; owned */
    struct error error;
    bool has_fault;
    int64_t fault_code;
    int protocol_status; /* 0: none */
    char protocol[160];  /* with it: "message|type|body|name=value|…" */
};

/* One of the first upstream's; `params` is JSON and stays where it is. It may be changed before
 * rig_call_start(). */
void rig_call_init(struct rig *rig, size_t worker, struct rig_call *c, const char *method,
                   const char *params);
/* Begins it; its params are translated then, unless it waits for memory. */
void rig_call_start(struct rig_call *c);
/* Both. */
void rig_call_begin(struct rig *rig, size_t worker, struct rig_call *c, const char *method,
                    const char *params);
void rig_call_done(struct rig_call *c);

/* Fails the test where it has not ended so. */
void rig_assert_value(const struct rig_call *c, const char *json);
void rig_assert_problem(const struct rig_call *c, enum problem_type type, enum executed executed);

#define RIG_ANSWER(value)                                                                          \
    "<?xml version='1.0'?><methodResponse><params><param><value>" value                            \
    "</value></param></params></methodResponse>"
#define RIG_FAULT(code, text)                                                                      \
    "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>" code        \
    "</int></value></member><member><name>faultString</name><value>" text                          \
    "</value></member></struct></value></fault></methodResponse>"

#endif
