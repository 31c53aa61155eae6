/* SPDX-License-Identifier: Apache-2.0 */
/* All ways to upstreams as one transport: each upstream's remote is of the row that the schemes of
 * its URLs say (settings/transport_list.h), and goes there without detour. */
#ifndef RPCGATE_IO_TRANSPORTS_H
#define RPCGATE_IO_TRANSPORTS_H

#include "base/macros.h"
#include "io/loop.h"
#include "io/transport.h"

/* For one worker's loop. */
struct transport *transports_new(struct loop *loop) MUST_CHECK;

#endif
