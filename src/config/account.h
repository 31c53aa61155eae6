/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of this system. */
#ifndef RPCGATE_CONFIG_ACCOUNT_H
#define RPCGATE_CONFIG_ACCOUNT_H

#include "base/buf.h"
#include "base/macros.h"

#include <stdbool.h>
#include <sys/types.h>

/* By name, or a number in digits. False: `why` has a sentence. */
bool account_user(const char *name, uid_t *ret, struct buf *why) MUST_CHECK;
bool account_group(const char *name, gid_t *ret, struct buf *why) MUST_CHECK;

#endif
