/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of front/: requests without an HTTP server, in the first worker of client_rig.h.
 * The http_… functions of io/http_server.h that a request calls are this file's: the linker wraps
 * them (front_rig in Makefile.am). cmocka.h comes before it. */
#ifndef RPCGATE_TESTS_FRONT_RIG_H
#define RPCGATE_TESTS_FRONT_RIG_H

#include "client_rig.h"
#include "front/caller_state.h"
#include "front/front.h"
#include "front/request.h"
#include "head_text.h"

#include <stdbool.h>
#include <stddef.h>

#define RIG_CALLERS ((size_t)4)

struct front_rig {
    struct rig rig;
    struct front_commons shared;
    struct front front;
    struct caller_state *callers[RIG_CALLERS];
    struct listener_state *listener;
    struct open_listener open;
    struct listener_set listeners;
    struct endpoint endpoint; /* serves all, until a test says otherwise */
};

/* Reads that configuration; the clock stands still from here on. */
void front_rig_open(struct front_rig *rig, const char *settings);
void front_rig_close(struct front_rig *rig);

/* Turns, as long as there is work that need not wait. */
void front_rig_run(struct front_rig *rig);

/* A request, and what was replied to it. */
struct exchange {
    struct head_text head;
    struct request_peer peer;
    struct request *request; /* the handler's; NULL after the end */
    int n_replies;
    int status;
    bool close;
    struct buf headers; /* `Name: value`, each ended by '\n' */
    char *body;         /* owned */
};

/* The server has its head: `target` is "METHOD /path?query", `lines` as head_text.h takes them. */
void exchange_begin(struct front_rig *rig, struct exchange *x, const char *target,
                    const char *lines);

/* It has the body too, if any, and so all of it; nothing comes of that where there is a reply. */
void exchange_go_on(struct front_rig *rig, struct exchange *x, const char *body);

/* Both, with the lines that a call has: a Host, a token that the test's configuration may have,
 * and the type and length of a body. */
#define EXCHANGE_TOKEN "0123456789abcdef0123456789abcdef"
void exchange_send(struct front_rig *rig, struct exchange *x, const char *target, const char *body);

/* Its caller leaves while it rests. */
void exchange_leave(struct exchange *x);

/* The reply is sent, or nobody is there any more. */
void exchange_end(struct exchange *x);

/* Fails the test where that is not the only reply; NULL: any body. */
void exchange_expect(const struct exchange *x, int status, const char *body);

/* So with a problem document of that name. */
void exchange_expect_problem(const struct exchange *x, int status, const char *name);

bool exchange_has(const struct exchange *x, const char *line);

#endif
