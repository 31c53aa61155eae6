/* SPDX-License-Identifier: Apache-2.0 */
#include "work/spares.h"

#include "codec/json/batch_read.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"
#include "work/work.h"

struct encoder *work_take_encoder(struct work *w)
{
    struct encoder *e = spare_take(&w->encoders);
    return e != NULL ? e : encoder_new(&w->commons->memory);
}

void work_give_encoder(struct work *w, struct encoder *e)
{
    if (!spare_keep(&w->encoders, e))
        encoder_free(e);
}

struct decoder *work_take_decoder(struct work *w)
{
    struct decoder *d = spare_take(&w->decoders);
    return d != NULL ? d : decoder_new();
}

void work_give_decoder(struct work *w, struct decoder *d)
{
    decoder_clear(d); /* the call may have ended before its answer did */
    if (!spare_keep(&w->decoders, d))
        decoder_free(d);
}

struct batch_reader *work_take_reader(struct work *w)
{
    struct batch_reader *reader = spare_take(&w->readers);
    return reader != NULL ? reader : batch_reader_new(&w->commons->memory);
}

void work_give_reader(struct work *w, struct batch_reader *reader)
{
    batch_reader_clear(reader);
    if (!spare_keep(&w->readers, reader))
        batch_reader_free(reader);
}

void work_free_spare(struct work *w)
{
    void *item;
    while ((item = spare_drop(&w->encoders)) != NULL)
        encoder_free(item);
    while ((item = spare_drop(&w->decoders)) != NULL)
        decoder_free(item);
    while ((item = spare_drop(&w->readers)) != NULL)
        batch_reader_free(item);
}
