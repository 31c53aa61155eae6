/* SPDX-License-Identifier: Apache-2.0 */
/* The XML that a call sends: one call's, or a system.multicall's with the calls in it. It is
 * written in steps, so that a large one does not hold up a worker's other callers. */
#ifndef RPCGATE_CLIENT_DOCUMENT_H
#define RPCGATE_CLIENT_DOCUMENT_H

#include "base/chain.h"
#include "base/macros.h"
#include "base/str.h"
#include "codec/error.h"
#include "codec/options.h"
#include "codec/xml/encode.h"
#include "settings/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* One call as it is to be written: as struct encode_input tells. All borrowed until it is. */
struct document_call {
    struct str method;
    struct str params;        /* JSON */
    struct str within;        /* the text that they are a part of; NULL data: they are all of it */
    struct json_place *place; /* of the last error within; NULL: none */
    const struct encode_around *around; /* what is written besides; NULL: nothing */
};

/* The calls of a system.multicall, as they are asked for one after the other. */
struct document_members {
    void *context;
    /* The document begins, perhaps anew: the next is the first. */
    void (*begin)(void *context);
    /* Fills `ret`; false: there are no more. */
    bool (*next)(void *context, struct document_call *ret);
    /* That one stands in the document; false: it is taken out again. Or, with an error, it cannot:
     * it goes on without it. */
    bool (*end)(void *context, struct error *err);
};

struct document {
    struct chain text;   /* the XML */
    struct chain packed; /* the same compressed, for all attempts; empty: it is not */
    size_t repaired;     /* values that the text policy has changed */

    /* While it is written. */
    struct encoder *encoder;
    const struct encode_options *options;
    const struct document_members *members; /* NULL: it is one call */
    enum encode_kind part;
    size_t part_begin;
};

/* How values are written for that upstream. */
struct encode_options document_options(const struct config *config,
                                       const struct upstream_config *upstream);

/* `budget` counts the text; NULL: none. */
void document_init(struct document *d, struct budget *budget);

/* The encoder is whose it was. */
void document_done(struct document *d);

/* Begins with an encoder of the caller's, which must be there until the last step. What was written
 * before is gone. `options` and `members` are borrowed as long. */
void document_begin(struct document *d, struct encoder *encoder,
                    const struct encode_options *options, const struct document_call *call);
void document_begin_members(struct document *d, struct encoder *encoder,
                            const struct encode_options *options,
                            const struct document_members *members);

/* Writes on for some milliseconds. CODEC_MORE: call it again. CODEC_FAILED: `err` as encoder_step()
 * tells; of members it is OVERLOADED alone. */
enum codec_step document_step(struct document *d, struct error *err) MUST_CHECK;

/* Writes the whole document of a call at once, for who has nothing else to do. False: `err`. */
bool document_write(struct document *d, const struct encode_options *options,
                    const struct document_call *call, struct error *err) MUST_CHECK;

#endif
