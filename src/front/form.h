/* SPDX-License-Identifier: Apache-2.0 */
/* In which words callers write to us and read our replies; the row of front/surface_list.h says
 * which. Whatever the form, what is found before the body was read is answered by a problem
 * document with its status. */
#ifndef RPCGATE_FRONT_FORM_H
#define RPCGATE_FRONT_FORM_H

#include "base/chain.h"
#include "base/str.h"
#include "codec/json/batch_read.h"
#include "rules/problem.h"
#include "settings/snapshot.h"

#include <stdbool.h>

struct request;

/* An `id` is the call's, as JSON text; NULL data: it has none that is known. */
struct form {
    const char *content_type; /* of replies that are no problem document */
    enum face face;           /* 0: it is none */
    bool is_page;             /* for browsers to show; HTTP's GET alone */

    /* What follows is of forms in which calls are made. */
    bool is_xml;                /* bodies are XML, values keep their types, and a caller may show
                                   itself by Basic, as clients of XML-RPC do */
    struct str media;           /* else they may be `application/json`, and `application/` with
                                   this */
    enum batch_dialect dialect; /* how several calls are written */
    const char *no_calls;       /* what is wrong with a list without any; NULL: nothing */
    bool has_silent_calls;      /* to which there is no answer: none at all is 204 */
    bool wraps_problems;        /* of a body that was read: the reply is 200 with write_problem() */

    /* What stands around the answers to several calls. */
    void (*open_list)(struct chain *to);
    void (*close_list)(struct chain *to);

    /* What stands before and behind a call's value. */
    void (*open_result)(struct chain *to);
    void (*close_result)(struct str id, struct chain *to);

    /* A problem in a result's place. */
    void (*write_problem)(const struct problem *problem, struct str id, struct chain *to);

    /* The whole reply, with 200, to a request whose body came, in place of a problem document;
     * NULL: it is that. */
    void (*write_reply)(const struct problem *problem, struct chain *to);

    /* Makes what is sent of r->reply, and calls request_send() or request_fail(); NULL: it is sent
     * as it is. */
    void (*arrange)(struct request *r);
};

extern const struct form form_exposition; /* front/task_metrics.c */
extern const struct form form_jsonrpc;    /* front/form_jsonrpc.c */
extern const struct form form_mcp;        /* front/task_mcp.c */
extern const struct form form_page;       /* front/explorer.c */
extern const struct form form_rest;       /* front/form_rest.c */
extern const struct form form_xmlrpc;     /* front/form_xmlrpc.c */

#endif
