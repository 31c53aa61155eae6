/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Pointers (RFC 6901), written part by part. */
#ifndef RPCGATE_CODEC_JSON_POINTER_H
#define RPCGATE_CODEC_JSON_POINTER_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>

/* A member's name, as text without escapes. */
void json_pointer_add_name(struct buf *pointer, struct str name);

/* An element's index. */
void json_pointer_add_index(struct buf *pointer, size_t index);

#endif
