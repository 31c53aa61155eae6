/* SPDX-License-Identifier: Apache-2.0 */
/* Most texts need not be read twice: here one is checked and written at once. At anything that is
 * wrong, and at much that is only unusual, this gives up; what was written is dropped, and the two
 * passes begin anew. So nothing is refused here, and no error depends on how far this came. */
#include "codec/xml/encode_lane.h"

#include "codec/json/cursor.h"
#include "codec/json/text.h"
#include "codec/name_hash.h"

/* What is asked for at once, and what may be written behind `full` before the next look. */
#define ROOM ((size_t)768) /* so that a small document stays in one block */
#define OVERRUN ((size_t)512)

bool lane_open(struct lane *l)
{
    struct chain *out = l->e->to;
    l->begin = l->to = chain_reserve(out, ROOM);
    if (chain_state(out) != CHAIN_OK)
        return false;
    l->full = out->last->data + out->last->cap - OVERRUN;
    return true;
}

static inline void skip_space(struct lane *l)
{
    l->at += lane_peek(l) == ' '; /* mostly there is one, or none */
    l->at = json_skip_space(l->at, l->end);
}

/* A name whose hash another one of its object has is the same, perhaps. */
static bool add_name(struct encode_lane_level *level, struct str name)
{
    uint64_t hash = name_hash(name);
    if (level->n_names == ENCODE_LANE_NAMES)
        return false;
    for (unsigned i = 0; i < level->n_names; i++)
        if (UNLIKELY(level->names[i] == hash))
            return false;
    level->names[level->n_names++] = hash;
    return true;
}

/* Up to the member's value. Names with escapes, or that begin with `$`, have a meaning besides. */
static bool copy_name(struct lane *l, struct encode_lane_level *level)
{
    if (lane_peek(l) != '"')
        return false;
    const char *name = ++l->at;
    if (lane_peek(l) == '$')
        return false;
    LANE_PUT(l, "<member><name>");
    if (!lane_copy_text(l))
        return false;
    struct str text = { name, (size_t)(l->at - name) - 1 };
    if (memchr(text.data, '\\', text.len) != NULL || !add_name(level, text))
        return false;
    LANE_PUT(l, "</name>");
    skip_space(l);
    if (lane_peek(l) != ':')
        return false;
    l->at++;
    skip_space(l);
    return true;
}

/* Opens the array or struct that begins here; *entered: it is not empty. */
static bool open_level(struct lane *l, struct encode_lane *lane, bool *entered)
{
    bool is_struct = lane_peek(l) == '{';
    if (lane->depth == ENCODE_LANE_DEPTH || lane->depth + 2 > l->e->input.options->depth)
        return false;
    if (is_struct)
        LANE_PUT(l, "<value><struct>");
    else
        LANE_PUT(l, "<value><array><data>");
    l->at++;
    skip_space(l);
    *entered = lane_peek(l) != (is_struct ? '}' : ']');
    if (!*entered) {
        l->at++;
        if (is_struct)
            LANE_PUT(l, "</struct></value>");
        else
            LANE_PUT(l, "</data></array></value>");
        return true;
    }
    struct encode_lane_level *level = &lane->levels[lane->depth++];
    level->is_struct = is_struct;
    level->n_names = 0;
    return true;
}

/* Around a param: of ENCODE_MULTICALL_ITEM it is an element of an array. */
static inline bool has_param_tag(const struct lane *l)
{
    return l->e->input.kind != ENCODE_MULTICALL_ITEM;
}

/* What stands behind a value: a comma and its neighbour, or the end of what holds it, which is a
 * value again. False: neither. */
static bool end_value(struct lane *l, struct encode_lane *lane)
{
    while (lane_has_room(l)) {
        struct encode_lane_level *level = lane->depth > 0 ? &lane->levels[lane->depth - 1] : NULL;
        skip_space(l);
        if (level == NULL && has_param_tag(l))
            LANE_PUT(l, "</param>");
        if (level != NULL && level->is_struct)
            LANE_PUT(l, "</member>");
        if (level == NULL && lane->is_one)
            return l->at == l->end;
        if (lane_peek(l) == ',') {
            l->at++;
            skip_space(l);
            return l->at < l->end;
        }
        if (lane_peek(l) != (level != NULL && level->is_struct ? '}' : ']'))
            return false;
        l->at++;
        if (level == NULL) {
            skip_space(l);
            return l->at == l->end;
        }
        lane->depth--;
        if (level->is_struct)
            LANE_PUT(l, "</struct></value>");
        else
            LANE_PUT(l, "</data></array></value>");
    }
    return false;
}

/* The param, element or member that begins here, or the beginning of an array or struct. */
static bool step(struct lane *l, struct encode_lane *lane)
{
    struct encode_lane_level *level = lane->depth > 0 ? &lane->levels[lane->depth - 1] : NULL;
    bool entered = false;
    if (!lane_has_room(l))
        return false;
    if (level == NULL && has_param_tag(l))
        LANE_PUT(l, "<param>");
    if (level != NULL && level->is_struct && !copy_name(l, level))
        return false;
    if (!lane_has_room(l))
        return false;
    char c = lane_peek(l);
    if (c == '{' || c == '[') {
        if (!open_level(l, lane, &entered))
            return false;
    } else if (!lane_copy_scalar(l)) {
        return false;
    }
    return entered || end_value(l, lane);
}

bool encode_lane_may(const struct encoder *e)
{
    enum encode_kind kind = e->input.kind;
    return (kind == ENCODE_CALL || kind == ENCODE_PARAMS || kind == ENCODE_MULTICALL_ITEM) &&
           (e->input.around == NULL || encode_around_is_beside(e)) && e->to == e->out;
}

bool encode_lane_begin(struct encoder *e)
{
    struct encode_lane *lane = &e->lane;
    struct str text = json_trim(e->input.json);
    lane->depth = 0;
    lane->is_one = text.data[0] != '[';
    e->depth = 0;
    e->at = text.data;
    e->end = text.data + text.len;
    if (UNLIKELY(e->input.around != NULL))
        encode_around_begin(e);
    if (lane->is_one)
        return true;
    e->at = json_skip_space(e->at + 1, e->end);
    if (e->at < e->end && *e->at != ']')
        return true;
    e->at++; /* there are no params */
    return e->at == e->end;
}

enum codec_step encode_lane_step(struct encoder *e, size_t bytes)
{
    struct lane l = { .e = e, .at = e->at, .end = e->end };
    const char *stop = (size_t)(l.end - l.at) > bytes ? l.at + bytes : l.end;
    if (!lane_open(&l))
        return CODEC_FAILED;
    while (l.at < stop)
        if (!step(&l, &e->lane))
            return CODEC_FAILED;
    lane_commit(&l);
    e->at = l.at;
    if (l.at < l.end)
        return CODEC_MORE;
    return e->lane.depth == 0 ? CODEC_DONE : CODEC_FAILED;
}
