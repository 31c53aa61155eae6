/* SPDX-License-Identifier: Apache-2.0 */
/* A line of `rpcgate decode --lines`. */
#ifndef RPCGATE_TOOL_DECODE_LINE_H
#define RPCGATE_TOOL_DECODE_LINE_H

#include "base/buf.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"

/* The bytes of the document that the line holds as {"xml": text} or {"base64": bytes}, appended
 * to `to`. err: INVALID_JSON. */
bool decode_line_document(struct str line, struct buf *to, struct error *err) MUST_CHECK;

#endif
