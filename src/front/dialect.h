/* SPDX-License-Identifier: Apache-2.0 */
/* What replies to several calls, or to those of JSON-RPC, look like: `{"results": [{"result": …},
 * {"problem": {…}}]}`, or the response objects of JSON-RPC 2.0 (section 5), as
 * codec/json/batch_read.h names the two. */
#ifndef RPCGATE_FRONT_DIALECT_H
#define RPCGATE_FRONT_DIALECT_H

#include "base/chain.h"
#include "base/str.h"
#include "codec/json/batch_read.h"
#include "rules/problem.h"

/* What stands around all of them. */
void dialect_open_list(enum batch_dialect dialect, struct chain *to);
void dialect_close_list(enum batch_dialect dialect, struct chain *to);

/* What stands before and behind a value. `id` is JSON-RPC's, as JSON text; NULL data: null. */
void dialect_open_result(enum batch_dialect dialect, struct chain *to);
void dialect_close_result(enum batch_dialect dialect, struct str id, struct chain *to);

/* A problem in a result's place. */
void dialect_write_problem(enum batch_dialect dialect, const struct problem *problem, struct str id,
                           struct chain *to);

#endif
