/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays and structs, without recursion: nesting costs heap that `limits.depth` bounds, never the
 * thread's stack. */
#include "codec/xml/encode_inside.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/text.h"

static void push(struct encoder *e, enum encode_level_kind kind)
{
    if (e->depth == e->n_levels) {
        e->n_levels = e->n_levels == 0 ? 16 : e->n_levels * 2;
        e->levels = xreallocarray(e->levels, e->n_levels, sizeof *e->levels);
    }
    e->levels[e->depth++] = (struct encode_level){ .kind = kind };
}

static void skip_space(struct encoder *e)
{
    e->at = json_skip_space(e->at, e->end);
}

void encode_param_tag(struct encoder *e, struct str tag)
{
    if (e->input.kind != ENCODE_MULTICALL_ITEM && e->input.kind != ENCODE_VALUE)
        chain_append(e->to, tag);
}

static bool begin_param(struct encoder *e, struct error *err)
{
    if (UNLIKELY(e->input.around != NULL) && !encode_around_param(e, err))
        return false;
    encode_param_tag(e, STR("<param>"));
    return true;
}

/* Behind a member's name. */
static void end_name(struct encoder *e)
{
    skip_space(e);
    e->at++; /* the colon */
    skip_space(e);
}

/* What stands before the value of the param, element or member at e->at. */
static bool begin_child(struct encoder *e, struct encode_level *level, struct error *err)
{
    if (level->kind == LEVEL_ARRAY)
        return true;
    if (level->kind == LEVEL_PARAMS)
        return begin_param(e, err);
    level->name = e->at;
    if (UNLIKELY(level->has_more) && !encode_around_member(e, err))
        return false;
    if (e->at == e->scan.alike)
        return encode_refuse(e, err,
                             "The setting text makes this name the same as another of its object; "
                             "change one of them.");
    chain_append(e->to, STR("<member><name>"));
    if (!encode_text(e, OPEN_NAME, err))
        return false;
    if (e->open == OPEN_NONE)
        end_name(e);
    return true;
}

/* `at` is a name's opening quote, or the brace of an object without members. */
static bool begins_with_dollar(const struct encoder *e, const char *at)
{
    struct str rest = { at, (size_t)(e->end - at) };
    return str_starts_with(rest, STR("\"$")) || str_starts_with(rest, STR("\"\\u0024"));
}

void encode_struct_begin(struct encoder *e, bool wrapped)
{
    const char *first = json_skip_space(e->at + 1, e->end);
    /* The note of an inner object is used up, whatever it says. */
    if (wrapped && begins_with_dollar(e, first))
        e->next_note++;
    e->at = first;
    push(e, LEVEL_STRUCT);
    e->levels[e->depth - 1].wrapped = wrapped;
    chain_append(e->to, STR("<value><struct>"));
    if (UNLIKELY(e->wants_members))
        encode_around_struct(e);
}

static bool write_object(struct encoder *e, struct error *err)
{
    const char *first = json_skip_space(e->at + 1, e->end);
    if (begins_with_dollar(e, first) && json_scan_is_single(&e->scan, e->next_note++))
        return encode_tagged(e, err);
    encode_struct_begin(e, false);
    return true;
}

static bool write_value(struct encoder *e, struct error *err)
{
    switch (*e->at) {
    case '"':
        return encode_string(e, err);
    case '{':
        return write_object(e, err);
    case '[':
        e->at++;
        push(e, LEVEL_ARRAY);
        chain_append(e->to, STR("<value><array><data>"));
        return true;
    case 't':
        e->at += 4;
        encode_boolean(e, true);
        return true;
    case 'f':
        e->at += 5;
        encode_boolean(e, false);
        return true;
    case 'n':
        e->at += 4;
        return encode_nil(e, err);
    default:
        return encode_number(e, err);
    }
}

static void close_level(struct encoder *e)
{
    const struct encode_level *level = &e->levels[--e->depth];
    e->at++;
    switch (level->kind) {
    case LEVEL_PARAMS:
        break;
    case LEVEL_ARRAY:
        chain_append(e->to, STR("</data></array></value>"));
        break;
    case LEVEL_STRUCT:
        chain_append(e->to, STR("</struct></value>"));
        if (level->wrapped) {
            skip_space(e);
            e->at++; /* the outer object's brace */
        }
        break;
    }
}

static void end_child(struct encoder *e)
{
    if (e->depth == 0) {
        encode_param_tag(e, STR("</param>"));
        return;
    }
    struct encode_level *level = &e->levels[e->depth - 1];
    if (level->kind == LEVEL_PARAMS)
        encode_param_tag(e, STR("</param>"));
    else if (level->kind == LEVEL_STRUCT)
        chain_append(e->to, STR("</member>"));
    level->index++;
    skip_space(e);
    if (*e->at == ',') {
        e->at++;
        skip_space(e);
    }
}

/* Closes all that ends here. */
static void close_levels(struct encoder *e)
{
    skip_space(e);
    while (e->depth > 0 && (*e->at == ']' || *e->at == '}')) {
        bool params = e->levels[e->depth - 1].kind == LEVEL_PARAMS;
        close_level(e);
        if (params)
            return;
        end_child(e);
    }
}

static void end_value(struct encoder *e, unsigned depth)
{
    if (e->depth == depth)
        end_child(e);
    close_levels(e);
}

/* What stands at e->at, which is no name: whole, the begin of an array or struct, or of a text. */
static bool step_value(struct encoder *e, struct error *err)
{
    unsigned depth = e->depth;
    if (!write_value(e, err))
        return false;
    if (LIKELY(e->open == OPEN_NONE))
        end_value(e, depth);
    return true;
}

static bool step_child(struct encoder *e, struct error *err)
{
    if (!(e->depth > 0 ? begin_child(e, &e->levels[e->depth - 1], err) : begin_param(e, err)))
        return false;
    return e->open != OPEN_NONE || step_value(e, err);
}

/* The text that the step before has begun. */
static bool step_text(struct encoder *e, struct error *err)
{
    enum encode_open open = e->open;
    if (!encode_text_go_on(e, err))
        return false;
    if (e->open != OPEN_NONE)
        return true;
    if (open == OPEN_NAME) {
        end_name(e);
        return step_value(e, err);
    }
    if (e->open_in_tag)
        encode_tag_close(e);
    end_value(e, e->depth);
    return true;
}

void encode_values_begin(struct encoder *e)
{
    struct str text = json_trim(e->input.json);
    e->at = text.data;
    e->end = text.data + text.len;
    e->depth = 0;
    e->next_note = 0;
    e->open = OPEN_NONE;
    e->n_params = 0;
    e->wants_members = false;
    if (text.len == 0 || *e->at != '[' || e->input.kind == ENCODE_VALUE)
        return;
    e->at++;
    push(e, LEVEL_PARAMS);
    close_levels(e);
}

enum codec_step encode_values_step(struct encoder *e, size_t bytes, struct error *err)
{
    e->stop = (size_t)(e->end - e->at) > bytes ? e->at + bytes : e->end;
    while (e->at < e->end) {
        if (!(e->open != OPEN_NONE ? step_text(e, err) : step_child(e, err)))
            return CODEC_FAILED;
        if (e->open != OPEN_NONE)
            return CODEC_MORE;
        if (e->depth == 0)
            return CODEC_DONE;
        if (e->at >= e->stop)
            return CODEC_MORE;
    }
    return CODEC_DONE;
}
