/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation for our own small, bounded objects. Having no memory for those is not an error that
 * anybody could handle: the process says so and ends with exit status 71 (EX_OSERR), and the
 * service manager starts it anew. What grows with input (bodies, replies) is a `struct chain` or
 * a `struct buf`, which have a maximum and report its excess instead. */
#ifndef RPCGATE_BASE_ALLOC_H
#define RPCGATE_BASE_ALLOC_H

#include "base/macros.h"

#include <stddef.h>

/* Zeroed memory; never NULL. Give to free(). */
void *xcalloc(size_t n, size_t size) MUST_CHECK __attribute__((malloc, alloc_size(1, 2)));

/* `memory` resized to `n * size` bytes; never NULL. Takes `memory`. */
void *xreallocarray(void *memory, size_t n, size_t size) MUST_CHECK;

/* A copy of a string; never NULL. Give to free(). */
char *xstrdup(const char *text) MUST_CHECK __attribute__((malloc));

/* A copy of `len` bytes with a NUL behind them; never NULL. Give to free(). */
char *xmemdup0(const void *data, size_t len) MUST_CHECK __attribute__((malloc));

/* That end, for those who allocate in another way. */
void die_without_memory(void) __attribute__((noreturn));

/* The same for want of something else. */
void die_without(const char *what) __attribute__((noreturn));

/* Cleanup functions for CLEANUP(). */
void free_charp(char **pointer);

/* Overwrites secret bytes in a way that the compiler keeps. `data` may be NULL if `len` is 0. */
void wipe(void *data, size_t len);

#endif
