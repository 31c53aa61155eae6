/* SPDX-License-Identifier: Apache-2.0 */
/* What encode_lane.c and encode_lane_value.c share. */
#ifndef RPCGATE_CODEC_XML_ENCODE_LANE_H
#define RPCGATE_CODEC_XML_ENCODE_LANE_H

#include "base/macros.h"
#include "codec/xml/encode_inside.h"

struct lane {
    struct encoder *e;
    const char *at, *end; /* of the text */
    char *begin;          /* of what is written and not yet a part of the document */
    char *to;
    const char *full; /* from here on more room is wanted before anything else is written */
};

/* Room where the document ends; false: there is no memory. */
bool lane_open(struct lane *l);

/* What is written is a part of the document. */
static inline void lane_commit(struct lane *l)
{
    chain_commit(l->e->to, (size_t)(l->to - l->begin));
    l->begin = l->to;
}

/* Room for a few tags, a number and 64 bytes, at least. */
static inline bool lane_has_room(struct lane *l)
{
    if (LIKELY(l->to <= l->full))
        return true;
    lane_commit(l);
    return lane_open(l);
}

static inline void lane_put(struct lane *l, const char *text, size_t len)
{
    memcpy(l->to, text, len);
    l->to += len;
}

#define LANE_PUT(lane, literal) lane_put(lane, literal, sizeof(literal) - 1)

/* The next byte; NUL at the end. */
static inline char lane_peek(const struct lane *l)
{
    return l->at < l->end ? *l->at : '\0';
}

/* These move behind what they write; false: it is not for the lane. */

/* The inside of a string as XML text, and its closing quote. */
bool lane_copy_text(struct lane *l);

/* A string, number or word, with its <value>. */
bool lane_copy_scalar(struct lane *l);

#endif
