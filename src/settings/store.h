/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot of the configuration points to: it only grows while the snapshot is made, and
 * goes with it. */
#ifndef RPCGATE_SETTINGS_STORE_H
#define RPCGATE_SETTINGS_STORE_H

#include "base/macros.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct store;

struct store *store_new(void) MUST_CHECK;

/* Frees all of it, secrets overwritten. NULL is fine. Returns NULL. */
struct store *store_free(struct store *s);

/* Zeroed memory. */
void *store_alloc(struct store *s, size_t n, size_t size);

/* A copy with a NUL behind it. */
char *store_text(struct store *s, struct str text);

/* The same in memory for secrets. */
char *store_secret(struct store *s, struct str text);

/* Zeroed memory for secrets. */
void *store_secret_alloc(struct store *s, size_t n, size_t size);

/* Does it stand in memory for secrets? */
bool store_is_secret(const struct store *s, const void *pointer);

#endif
