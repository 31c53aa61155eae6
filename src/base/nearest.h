/* SPDX-License-Identifier: Apache-2.0 */
/* The known name that a mistyped one is nearest to. Pure. */
#ifndef RPCGATE_BASE_NEAREST_H
#define RPCGATE_BASE_NEAREST_H

#include <stddef.h>

/* How many letters must be added, taken away, changed or swapped with their neighbour to make one
 * of the other; at most `NEAREST_FAR`. */
size_t nearest_distance(const char *a, const char *b);
#define NEAREST_FAR ((size_t)64)

/* The nearest of `names`, or NULL where none is near. */
const char *nearest_name(const char *name, const char *const *names, size_t n);

#endif
