/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are sent compressed: zlib behind a wall. */
#ifndef RPCGATE_IO_GZIP_H
#define RPCGATE_IO_GZIP_H

#include "base/chain.h"

#include <stdbool.h>

/* Appends `from` in the form of RFC 1952 to `to`. False: no room in `to`, or no memory. */
bool gzip_chain(const struct chain *from, struct chain *to) MUST_CHECK;

#endif
