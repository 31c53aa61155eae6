/* SPDX-License-Identifier: Apache-2.0 */
#include "client/document.h"

/* How much JSON is translated before others get their turn: some milliseconds of work. [bytes] */
#define CALL_STEP ((size_t)32 * 1024)

/* Of several calls so much XML, or so many of their parts. */
#define MEMBERS_STEP ((size_t)256 * 1024)
#define PARTS_MAX 1024

struct encode_options document_options(const struct config *config,
                                       const struct upstream_config *upstream)
{
    return (struct encode_options){
        .extensions = upstream->extensions,
        .depth = (unsigned)config->limits.depth,
        .text = upstream->text,
        .dates = upstream->dates,
        .timezone = upstream->timezone,
        .encoding = upstream->encoding,
    };
}

void document_init(struct document *d, struct budget *budget)
{
    chain_init(&d->text, SIZE_MAX, budget);
    chain_init(&d->packed, 0, NULL);
    d->repaired = 0;
    d->encoder = NULL;
}

void document_done(struct document *d)
{
    chain_done(&d->text);
    chain_done(&d->packed);
}

static void begin(struct document *d, struct encoder *encoder, const struct encode_options *options,
                  const struct document_members *members)
{
    chain_done(&d->text);
    chain_done(&d->packed);
    d->repaired = 0;
    d->encoder = encoder;
    d->options = options;
    d->members = members;
}

static void begin_part(struct document *d, enum encode_kind part, const struct document_call *call)
{
    struct encode_input input = { .kind = part, .options = d->options };
    if (call != NULL) {
        input.method = call->method;
        input.json = call->params;
        input.within = call->within;
        input.place = call->place;
        input.around = call->around;
    }
    d->part = part;
    d->part_begin = chain_len(&d->text);
    encoder_begin(d->encoder, &input, &d->text);
}

void document_begin(struct document *d, struct encoder *encoder,
                    const struct encode_options *options, const struct document_call *call)
{
    begin(d, encoder, options, NULL);
    begin_part(d, ENCODE_CALL, call);
}

void document_begin_members(struct document *d, struct encoder *encoder,
                            const struct encode_options *options,
                            const struct document_members *members)
{
    begin(d, encoder, options, members);
    members->begin(members->context);
    begin_part(d, ENCODE_MULTICALL_BEGIN, NULL);
}

/* False: there is no further part. */
static bool next_part(struct document *d)
{
    struct document_call call;
    if (d->part == ENCODE_MULTICALL_END)
        return false;
    if (d->members->next(d->members->context, &call))
        begin_part(d, ENCODE_MULTICALL_ITEM, &call);
    else
        begin_part(d, ENCODE_MULTICALL_END, NULL);
    return true;
}

static void end_part(struct document *d)
{
    size_t before = d->repaired;
    d->repaired += encoder_repaired(d->encoder);
    if (d->part != ENCODE_MULTICALL_ITEM || d->members->end(d->members->context, NULL))
        return;
    chain_recover(&d->text, d->part_begin);
    d->repaired = before;
}

/* One call that cannot be written fails alone. What finds no room is no call's own. */
static bool fail_part(struct document *d, struct error *err)
{
    if (d->part != ENCODE_MULTICALL_ITEM || err->type == PROBLEM_OVERLOADED)
        return false;
    chain_recover(&d->text, d->part_begin);
    (void)d->members->end(d->members->context, err);
    return true;
}

static enum codec_step step_members(struct document *d, struct error *err)
{
    size_t begin = chain_len(&d->text);
    for (size_t n = 0; n < PARTS_MAX && chain_len(&d->text) < begin + MEMBERS_STEP; n++) {
        switch (encoder_step(d->encoder, MEMBERS_STEP, err)) {
        case CODEC_MORE:
            continue;
        case CODEC_DONE:
            end_part(d);
            break;
        case CODEC_FAILED:
            if (!fail_part(d, err))
                return CODEC_FAILED;
            break;
        }
        if (!next_part(d))
            return CODEC_DONE;
    }
    return CODEC_MORE;
}

enum codec_step document_step(struct document *d, struct error *err)
{
    if (d->members != NULL)
        return step_members(d, err);
    enum codec_step step = encoder_step(d->encoder, CALL_STEP, err);
    if (step == CODEC_DONE)
        end_part(d);
    return step;
}

bool document_write(struct document *d, const struct encode_options *options,
                    const struct document_call *call, struct error *err)
{
    enum codec_step step;
    struct encoder *encoder = encoder_new(NULL);
    document_begin(d, encoder, options, call);
    do
        step = document_step(d, err);
    while (step == CODEC_MORE);
    encoder_free(encoder);
    return step == CODEC_DONE;
}
