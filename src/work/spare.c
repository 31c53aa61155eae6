/* SPDX-License-Identifier: Apache-2.0 */
/* A worker keeps what its requests have used, so that the next ones find it warm. */
#include "daemon/worker_state.h"

#include "base/alloc.h"
#include "codec/json/batch_read.h"
#include "codec/xml/decode.h"
#include "codec/xml/encode.h"
#include "front/request.h"

#include <stdlib.h>

static void *take(struct spare *spare)
{
    return spare->n > 0 ? spare->items[--spare->n] : NULL;
}

/* False: there are enough of them. */
static bool keep(struct spare *spare, void *item)
{
    if (spare->n == WORKER_SPARE)
        return false;
    spare->items[spare->n++] = item;
    return true;
}

struct encoder *worker_take_encoder(struct worker *w)
{
    struct encoder *e = take(&w->encoders);
    return e != NULL ? e : encoder_new(&w->gateway->memory);
}

void worker_give_encoder(struct worker *w, struct encoder *e)
{
    if (!keep(&w->encoders, e))
        encoder_free(e);
}

struct decoder *worker_take_decoder(struct worker *w)
{
    struct decoder *d = take(&w->decoders);
    return d != NULL ? d : decoder_new();
}

void worker_give_decoder(struct worker *w, struct decoder *d)
{
    decoder_clear(d); /* the call may have ended before its answer did */
    if (!keep(&w->decoders, d))
        decoder_free(d);
}

struct batch_reader *worker_take_reader(struct worker *w)
{
    struct batch_reader *reader = take(&w->readers);
    return reader != NULL ? reader : batch_reader_new(&w->gateway->memory);
}

void worker_give_reader(struct worker *w, struct batch_reader *reader)
{
    batch_reader_clear(reader);
    if (!keep(&w->readers, reader))
        batch_reader_free(reader);
}

struct call *worker_take_call(struct worker *w)
{
    struct call *c = take(&w->calls);
    return c != NULL ? c : xcalloc(1, sizeof *c);
}

void worker_give_call(struct worker *w, struct call *c)
{
    if (!keep(&w->calls, c))
        free(c);
}

struct request *worker_take_request(struct worker *w)
{
    struct request *r = take(&w->requests);
    if (r == NULL)
        return xcalloc(1, sizeof *r);
    memset(r, 0, offsetof(struct request, call));
    r->call.state = CALL_ENDED;
    return r;
}

void worker_give_request(struct worker *w, struct request *r)
{
    if (!keep(&w->requests, r))
        free(r);
}

void worker_free_spare(struct worker *w)
{
    void *item;
    while ((item = take(&w->encoders)) != NULL)
        encoder_free(item);
    while ((item = take(&w->decoders)) != NULL)
        decoder_free(item);
    while ((item = take(&w->readers)) != NULL)
        batch_reader_free(item);
    while ((item = take(&w->calls)) != NULL)
        free(item);
    while ((item = take(&w->requests)) != NULL)
        free(item);
}
