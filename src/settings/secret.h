/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for secrets: not swapped out and not in core dumps where the system allows that, and
 * overwritten when it is given back. It only grows, and all of it ends at once. Filled by one
 * thread; then any thread may read it. */
#ifndef RPCGATE_SETTINGS_SECRET_H
#define RPCGATE_SETTINGS_SECRET_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct vault;

struct vault *vault_new(void) MUST_CHECK;

/* Overwrites and frees all of it. NULL is fine. Returns NULL. */
struct vault *vault_free(struct vault *v);

/* A copy of `s` with a NUL behind it, in the vault. */
char *vault_add(struct vault *v, struct str s);

/* Zeroed room for `n` things of `size` bytes, aligned for any. */
void *vault_alloc(struct vault *v, size_t n, size_t size);

/* Does `pointer` point into the vault? */
bool vault_holds(const struct vault *v, const void *pointer);

/* No core dumps of this process, neither into files (RLIMIT_CORE) nor into the pipe that
 * /proc/sys/kernel/core_pattern may name, for which that limit does not count (PR_SET_DUMPABLE;
 * core(5)). The latter also keeps other processes of the same user out of its memory, and out of
 * /proc/PID/fd and the like. */
void secret_forbid_dumps(void);

/* Is the value of that header a secret? (Authorization, Cookie, *-Key, *-Token, *-Secret.) */
bool secret_header(struct str name);

#endif
