/* SPDX-License-Identifier: Apache-2.0 */
/* A call without a gateway: the same translation and the same client, sessions included, with a
 * gateway's answer in the end. */
#ifndef RPCGATE_TOOL_DIRECT_H
#define RPCGATE_TOOL_DIRECT_H

#include "base/buf.h"
#include "base/macros.h"
#include "codec/options.h"
#include "tool/reply.h"

#include <stdbool.h>
#include <stdint.h>

struct direct_call {
    const char *config;   /* the file that has the upstream; NULL: none, it is that of */
    const char *upstream; /* NULL without `config` */
    const char *url;
    const char *ca_file; /* NULL: the system's */
    const char *method;
    const struct buf *params;       /* JSON */
    int64_t timeout_ms;             /* 0: as for an upstream that sets none */
    struct encode_options encoding; /* not used with `config`, which says it, but for */
    struct decode_options decoding; /* what the caller has chosen: */
    bool has_types, has_integers;
};

/* Returns EX_OK with an answer, be it a problem; else the exit status, after telling on stderr. */
int direct_ask(const struct direct_call *direct, struct reply *ret) MUST_CHECK;

#endif
