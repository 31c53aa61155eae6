/* SPDX-License-Identifier: Apache-2.0 */
/* A worker keeps what its calls have used, so that the next ones find it warm. */
#ifndef RPCGATE_WORK_SPARES_H
#define RPCGATE_WORK_SPARES_H

struct batch_reader;
struct decoder;
struct encoder;
struct work;

struct encoder *work_take_encoder(struct work *w);
void work_give_encoder(struct work *w, struct encoder *e);
struct decoder *work_take_decoder(struct work *w);
void work_give_decoder(struct work *w, struct decoder *d);
struct batch_reader *work_take_reader(struct work *w);
void work_give_reader(struct work *w, struct batch_reader *reader);

/* Frees all that is kept. */
void work_free_spare(struct work *w);

#endif
