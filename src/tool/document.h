/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a call, as the gateway writes it. */
#ifndef RPCGATE_TOOL_DOCUMENT_H
#define RPCGATE_TOOL_DOCUMENT_H

#include "base/chain.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/options.h"

#include <stdbool.h>

struct document_call {
    const char *method;
    struct str params; /* JSON */
    const struct encode_options *options;
};

/* Appends it to `to`. err: as that of encoder_step(), or INVALID_REQUEST for a name that no gateway
 * takes. */
bool document_write(const struct document_call *call, struct chain *to,
                    struct error *err) MUST_CHECK;

#endif
