/* SPDX-License-Identifier: Apache-2.0 */
/* A request of a caller that speaks XML-RPC. Its document becomes JSON in which each value says its
 * type, and the request goes on as any other; the JSON that is the reply becomes a document. So all
 * rules hold for it, and values stay what they are. */
#ifndef RPCGATE_FRONT_XMLRPC_H
#define RPCGATE_FRONT_XMLRPC_H

#include "base/buf.h"
#include "base/chain.h"
#include "codec/options.h"
#include "work/turn.h"

#include <stdbool.h>
#include <stddef.h>

struct decoder;
struct encoder;
struct request;

/* How much of a document is read or written before others get their turn: some milliseconds of
 * work. [bytes] */
#define XMLRPC_STEP ((size_t)64 * 1024)

/* The document that is read, or written. */
struct xmlrpc {
    struct request *request;
    struct turn turn;
    struct decoder *decoder; /* NULL: it is written */
    struct encoder *encoder; /* NULL: it is read */
    struct decode_options options;
    size_t at;          /* in the request's body: what is read next */
    bool is_read;       /* all of it was, but its JSON may still have to be arranged */
    bool is_call;       /* and it is a methodCall */
    size_t n_params;    /* with so many params */
    struct chain chain; /* the JSON that is read, or the document that is written */
    struct buf json;    /* what is written, in one piece */
};

/* How replies are written: all types, each as the upstream sent it. */
extern const struct encode_options xmlrpc_reply_options;

/* Frees what the request has of it. */
void xmlrpc_drop(struct request *r);

/* front/xmlrpc_reply.c: makes the document of r->reply, and sends it. */
void xmlrpc_arrange_reply(struct request *r);

#endif
