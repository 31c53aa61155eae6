/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of XML-RPC for the tests of front/, to the upstream `a`. cmocka.h comes before it. */
#ifndef RPCGATE_TESTS_XMLRPC_RIG_H
#define RPCGATE_TESTS_XMLRPC_RIG_H

#include "front_rig.h"

#include <stdio.h>
#include <string.h>

struct xmlrpc_exchange {
    struct exchange x;
    char lines[512]; /* the head borrows them */
};

/* Its head, of that media type, with these lines besides. */
static inline void xmlrpc_begin_as(struct front_rig *rig, struct xmlrpc_exchange *e,
                                   const char *target, const char *type, const char *lines)
{
    snprintf(e->lines, sizeof e->lines,
             "Host: 127.0.0.1:8080\nAuthorization: Bearer " EXCHANGE_TOKEN
             "\nTransfer-Encoding: chunked\nContent-Type: %s\n%s",
             type, lines);
    exchange_begin(rig, &e->x, target, e->lines);
}

static inline void xmlrpc_begin(struct front_rig *rig, struct xmlrpc_exchange *e,
                                const char *target, const char *lines)
{
    xmlrpc_begin_as(rig, e, target, "text/xml", lines);
}

static inline void xmlrpc_send(struct front_rig *rig, struct xmlrpc_exchange *e, const char *body)
{
    xmlrpc_begin(rig, e, "POST /xmlrpc/a", "");
    exchange_go_on(rig, &e->x, body);
}

/* `params` are its <param> elements. */
static inline void xmlrpc_call(struct front_rig *rig, struct xmlrpc_exchange *e, const char *method,
                               const char *params)
{
    CLEANUP(buf_done) struct buf body;
    buf_init(&body, SIZE_MAX - 1, NULL);
    buf_printf(&body,
               "<?xml version=\"1.0\"?>\n<methodCall><methodName>%s</methodName><params>%s</params>"
               "</methodCall>",
               method, params);
    xmlrpc_send(rig, e, buf_c(&body));
}

/* It is a document with that in it. */
static inline void xmlrpc_expect(const struct xmlrpc_exchange *e, const char *part)
{
    exchange_expect(&e->x, 200, NULL);
    assert_true(exchange_has(&e->x, "Content-Type: text/xml"));
    if (strstr(e->x.body, part) == NULL)
        fail_msg("%s\nhas no\n%s", e->x.body, part);
}

/* It is a fault, with that code as XML and that in its text. */
static inline void xmlrpc_expect_fault(const struct xmlrpc_exchange *e, const char *code,
                                       const char *part)
{
    char begin[160];
    snprintf(begin, sizeof begin,
             "<methodResponse><fault><value><struct><member><name>faultCode</name><value>%s</value>"
             "</member><member><name>faultString</name>",
             code);
    xmlrpc_expect(e, begin);
    xmlrpc_expect(e, part);
}

#endif
