/* SPDX-License-Identifier: Apache-2.0 */
/* What a request does once all of it is there. Which one it is, its row of front/surface_list.h
 * says; each is at the end of its file. */
#ifndef RPCGATE_FRONT_TASK_H
#define RPCGATE_FRONT_TASK_H

#include <stdbool.h>

struct request;

struct task {
    /* The whole request is there, and nothing speaks against it: answers it, now or later. */
    void (*begin)(struct request *r);

    /* The caller has left, and there is no reply yet. There must be one still, to nobody. NULL: it
     * goes on as before. */
    void (*gone)(struct request *r);

    /* At the end of limits.drain, after all calls were cut off, there is no reply yet: there is one
     * when this returns. NULL: what it does is dropped, and the reply is `draining`. */
    void (*cut_off)(struct request *r);

    /* Ends what has begun and not ended, without a reply, and gives back what is held. Once, before
     * the request goes; NULL: there is nothing of that. */
    void (*drop)(struct request *r);

    bool takes_calls; /* off its caller's rate by itself, when it knows how many; else it is one */
    bool asks_upstreams; /* about themselves, though its target names none: it counts as a call */
    bool shows_routes;   /* so that who may use only routes of an upstream may ask about it, too */
};

/* front/task_NAME.c */
extern const struct task task_batch, task_call, task_describe, task_mcp, task_metrics, task_route;
extern const struct task task_explorer;                          /* front/explorer.c */
extern const struct task task_openapi, task_routes;              /* front/task_openapi.c */
extern const struct task task_livez, task_readyz;                /* front/task_health.c */
extern const struct task task_root, task_server, task_upstreams; /* front/task_index.c */
extern const struct task task_xmlrpc;                            /* front/task_xmlrpc.c */

#endif
