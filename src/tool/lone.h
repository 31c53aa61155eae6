/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's client without a gateway: one worker in the thread that asks, for the calls of a
 * command. */
#ifndef RPCGATE_TOOL_LONE_H
#define RPCGATE_TOOL_LONE_H

#include "base/macros.h"
#include "client/call.h"
#include "settings/snapshot.h"

#include <stdbool.h>

struct lone;

/* For the upstreams of that configuration. NULL: errno says why. */
struct lone *lone_open(struct config *config) MUST_CHECK;

/* Logs out where calls have logged in. */
void lone_close(struct lone *lone);

/* Fills what a call of `c->upstream` has of it: its site, memory and rule, and its deadline, which
 * is `timeout_ms` from now (0: as the configuration says). */
void lone_fill_call(struct lone *lone, struct call *c, struct str method, int64_t timeout_ms);

/* Begins it, and works until it has ended. */
void lone_run_call(struct lone *lone, struct call *c);

/* Works until that is true. */
void lone_run(struct lone *lone, const bool *done);

/* What its calls go through; to be used by its thread alone. */
struct site *lone_site(struct lone *lone);

/* Appends an error's detail, without what is secret in the configuration or came with a session of
 * that upstream. */
void lone_tell_detail(const struct lone *lone, const struct upstream_config *upstream,
                      const struct error *err, struct buf *to);

/* Ends the sessions that there are, and takes no others on. */
void lone_log_out(struct lone *lone);

#endif
