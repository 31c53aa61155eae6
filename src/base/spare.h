/* SPDX-License-Identifier: Apache-2.0 */
/* Things that were in use and wait for the next one who wants such a thing, in one thread. */
#ifndef RPCGATE_BASE_SPARE_H
#define RPCGATE_BASE_SPARE_H

#include <stdbool.h>
#include <stddef.h>

/* As many are kept as were in use at once; those that nobody has taken for a while go. All zero:
 * none is kept. */
struct spare {
    void **items; /* owned, and what they point to */
    size_t n, cap;
    size_t low;     /* the fewest that were kept since the last look */
    size_t surplus; /* so many more than are needed */
    unsigned n_given;
};

/* NULL: there is none. */
void *spare_take(struct spare *spare);

/* False: there are enough of them, and it is still its owner's. */
bool spare_keep(struct spare *spare, void *item);

/* One of them, for whoever frees them all; NULL: there are no more, and nothing is kept for them.
 */
void *spare_drop(struct spare *spare);

/* The same, of those that free() is enough for. */
void spare_free(struct spare *spare);

#endif
