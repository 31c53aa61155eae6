/* SPDX-License-Identifier: Apache-2.0 */
/* What is written besides what the text says: further params, and members of one that is a struct.
 * They are XML already, so that a call costs a copy of them. */
#include "codec/xml/encode_inside.h"

#include "codec/interop.h"
#include "codec/json/cursor.h"
#include "codec/value/text_repair.h"

static void write_values(struct encoder *e)
{
    const struct encode_around *around = e->input.around;
    for (size_t i = 0; i < around->n_values; i++) {
        encode_param_tag(e, STR("<param>"));
        chain_append(e->to, around->values[i]);
        encode_param_tag(e, STR("</param>"));
    }
}

static void write_members(struct encoder *e)
{
    const struct encode_around *around = e->input.around;
    for (size_t i = 0; i < around->n_members; i++) {
        chain_append(e->to, STR("<member><name>"));
        encode_plain_text(e, around->members[i].name);
        chain_append(e->to, STR("</name>"));
        chain_append(e->to, around->members[i].value);
        chain_append(e->to, STR("</member>"));
    }
}

bool encode_around_is_beside(const struct encoder *e)
{
    const struct encode_around *around = e->input.around;
    return around->n_members == 0 && around->n_values > 0 &&
           (around->at == 0 || around->at == ENCODE_BEHIND);
}

void encode_around_begin(struct encoder *e)
{
    e->n_params = 0;
    if (e->input.around->at > 0)
        return;
    write_values(e);
    e->n_params = 1; /* encode_around_end() takes them for written */
}

bool encode_around_refuse(struct encoder *e, struct error *err)
{
    error_set(err, PROBLEM_INVALID_REQUEST,
              "The gateway adds members of its own to this param (the upstream's inject), so it "
              "must be an object.");
    encode_point(e, err);
    err->fault_code = INTEROP_BAD_PARAMS;
    return false;
}

bool encode_around_param(struct encoder *e, struct error *err)
{
    const struct encode_around *around = e->input.around;
    size_t index = e->n_params++;
    if (index == around->at)
        write_values(e);
    if (around->n_members == 0 || index != around->in)
        return true;
    e->wants_members = *e->at == '{';
    return e->wants_members || encode_around_refuse(e, err);
}

void encode_around_struct(struct encoder *e)
{
    e->wants_members = false;
    e->levels[e->depth - 1].has_more = true;
    write_members(e);
}

/* The name at e->at as it will be written. */
static void read_name(struct encoder *e, struct buf *to)
{
    struct buf plain;
    buf_init(&plain, (size_t)(e->end - e->at), NULL);
    (void)json_unquote_part(e->at + 1, e->end, &plain);
    struct str name = { buf_c(&plain), plain.len };
    if (e->input.options->text != TEXT_REJECT && !text_is_xml(name))
        text_repair(name, e->input.options->text, to);
    else
        buf_append(to, name);
    buf_done(&plain);
}

static struct str strip(struct str name)
{
    while (name.len > 0 && (unsigned char)name.data[0] <= ' ')
        name = str_slice(name, 1, name.len);
    while (name.len > 0 && (unsigned char)name.data[name.len - 1] <= ' ')
        name.len--;
    return name;
}

/* There are servers that take white space off a name, and to which the later of two counts. */
static bool is_ours(struct str name, const struct encode_around *around)
{
    for (size_t i = 0; i < around->n_members; i++)
        if (str_eq(strip(around->members[i].name), strip(name)))
            return true;
    return false;
}

bool encode_around_member(struct encoder *e, struct error *err)
{
    CLEANUP(buf_done) struct buf name;
    buf_init(&name, SIZE_MAX - 1, NULL);
    read_name(e, &name);
    if (!is_ours((struct str){ buf_c(&name), name.len }, e->input.around))
        return true;
    error_set(err, PROBLEM_FORBIDDEN,
              "The gateway sets this member itself (the upstream's inject); leave it out.");
    encode_point(e, err);
    err->fault_code = INTEROP_BAD_PARAMS;
    return false;
}

static bool refuse_few(struct encoder *e, size_t wanted, struct error *err)
{
    error_set(err, PROBLEM_INVALID_REQUEST,
              "The gateway adds to this method's params from its own configuration (the upstream's "
              "inject), and that wants %zu of the caller's before; there are %zu.",
              wanted, e->n_params);
    error_at(err, STR(""));
    err->fault_code = INTEROP_BAD_PARAMS;
    return false;
}

static bool make_struct(struct encoder *e, struct error *err)
{
    const struct encode_around *around = e->input.around;
    if (around->n_members == 0 || around->in < e->n_params)
        return true;
    if (around->in > e->n_params)
        return refuse_few(e, around->in, err);
    if (around->at == e->n_params++)
        write_values(e);
    encode_param_tag(e, STR("<param>"));
    chain_append(e->to, STR("<value><struct>"));
    write_members(e);
    chain_append(e->to, STR("</struct></value>"));
    encode_param_tag(e, STR("</param>"));
    return true;
}

bool encode_around_end(struct encoder *e, struct error *err)
{
    const struct encode_around *around = e->input.around;
    if (!make_struct(e, err))
        return false;
    if (around->n_values == 0 || around->at < e->n_params)
        return true;
    if (around->at != ENCODE_BEHIND && around->at > e->n_params)
        return refuse_few(e, around->at, err);
    write_values(e);
    return true;
}
