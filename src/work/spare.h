/* SPDX-License-Identifier: Apache-2.0 */
/* A worker keeps what its calls have used, so that the next ones find it warm. */
#ifndef RPCGATE_WORK_SPARE_H
#define RPCGATE_WORK_SPARE_H

#include <stdbool.h>
#include <stddef.h>

struct batch_reader;
struct decoder;
struct encoder;
struct work;

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

struct encoder *work_take_encoder(struct work *w);
void work_give_encoder(struct work *w, struct encoder *e);
struct decoder *work_take_decoder(struct work *w);
void work_give_decoder(struct work *w, struct decoder *d);
struct batch_reader *work_take_reader(struct work *w);
void work_give_reader(struct work *w, struct batch_reader *reader);

/* Frees all that is kept. */
void work_free_spare(struct work *w);

#endif
