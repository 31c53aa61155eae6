/* SPDX-License-Identifier: Apache-2.0 */
/* A route's `params` become the JSON of its call: a template whose values are what callers give. */
#include "settings/route_inside.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "settings/store.h"

#include <stdio.h>
#include <stdlib.h>

/* A list or struct whose items are being compiled. */
struct container {
    const struct route_shapes *shapes;
    bool is_struct;
    size_t depth;
    size_t n;        /* items so far */
    size_t optional; /* the last of them that may be left out; SIZE_MAX: none */
};

/* ---- The document --------------------------------------------------------------------------- */

static void add_piece(struct route_compiler *c, const struct template_piece *piece)
{
    buf_append(&c->pieces, (struct str){ (const char *)piece, sizeof *piece });
}

static size_t count_pieces(const struct route_compiler *c)
{
    return c->pieces.len / sizeof(struct template_piece);
}

static void end_literal(struct route_compiler *c)
{
    struct str text = buf_str(&c->literal);
    if (text.len == 0)
        return;
    const char *kept =
        c->secret ? store_secret(c->with->store, text) : store_text(c->with->store, text);
    add_piece(c, &(struct template_piece){ .kind = PIECE_LITERAL, .text = { kept, text.len } });
    buf_clear(&c->literal);
}

static void add_constant(struct route_compiler *c, const char *json)
{
    c->secret |= store_is_secret(c->with->store, json);
    buf_append_c(&c->literal, json);
}

static void add_comma(struct route_compiler *c, const struct container *in)
{
    if (in->n > 0 && in->optional == SIZE_MAX) {
        buf_append_byte(&c->literal, ',');
    } else if (in->n > 0) {
        end_literal(c);
        add_piece(c, &(struct template_piece){ .kind = PIECE_COMMA });
    }
}

static void add_member(struct route_compiler *c, const struct container *in, struct str name)
{
    if (!in->is_struct)
        return;
    json_quote(name, &c->literal);
    buf_append_byte(&c->literal, ':');
}

static void add_value(struct route_compiler *c, size_t index)
{
    end_literal(c);
    add_piece(c, &(struct template_piece){
                     .kind = PIECE_VALUE, .text = c->inputs[index].name, .value = index });
}

/* What may be left out, with its comma and its member's name. */
static void add_optional(struct route_compiler *c, struct container *in, size_t index,
                         struct str member)
{
    end_literal(c);
    size_t at = count_pieces(c);
    add_piece(c, &(struct template_piece){ .kind = PIECE_IF, .value = index });
    add_comma(c, in);
    add_member(c, in, member);
    add_value(c, index);
    ((struct template_piece *)(void *)c->pieces.data)[at].n_inner = count_pieces(c) - at - 1;
    if (!in->is_struct)
        c->inputs[index].needs = in->optional;
    in->optional = index;
}

static void add_items(struct route_compiler *c, struct container *in);

static void add_nested(struct route_compiler *c, const struct route_shapes *shapes, bool is_struct,
                       size_t depth)
{
    struct container in = { shapes, is_struct, depth, 0, SIZE_MAX };
    buf_append_byte(&c->literal, is_struct ? '{' : '[');
    add_items(c, &in);
    buf_append_byte(&c->literal, is_struct ? '}' : ']');
}

/* A list that is cut short where one is left out has nothing behind it. */
static void check_order(struct route_compiler *c, struct container *in,
                        const struct route_param_config *where, const char *what)
{
    if (in->is_struct || in->optional == SIZE_MAX)
        return;
    const struct route_param_config *before = c->inputs[in->optional].config;
    route_refuse_as(
        c, where,
        "%s is always there, so \"%s\" before it cannot be `optional`: give that a `default`, "
        "or put it behind",
        what, route_param_told(before, ROUTE_PARAM_name, before->name));
    in->optional = SIZE_MAX; /* once is enough */
}

static void add_input_item(struct route_compiler *c, struct container *in,
                           const struct route_param_config *p, struct str member)
{
    char what[ROUTE_NAME_MAX + 16];
    size_t index = route_add_input(c, p);
    if (index == SIZE_MAX)
        return;
    if (p->optional) {
        add_optional(c, in, index, member);
        return;
    }
    snprintf(what, sizeof what, "\"%.64s\"", route_param_told(p, ROUTE_PARAM_name, p->name));
    check_order(c, in, p, what);
    add_comma(c, in);
    add_member(c, in, member);
    add_value(c, index);
}

static size_t count_meanings(const struct route_param_config *p)
{
    return (size_t)route_param_is_set(p, ROUTE_PARAM_name) +
           route_param_is_set(p, ROUTE_PARAM_list) + route_param_is_set(p, ROUTE_PARAM_struct) +
           route_param_is_set(p, ROUTE_PARAM_json) + route_param_is_set(p, ROUTE_PARAM_value);
}

/* Settings that only what callers give can have. */
static void check_alone(struct route_compiler *c, const struct route_param_config *p)
{
    static const enum route_param_index rows[] = { ROUTE_PARAM_in,      ROUTE_PARAM_type,
                                                   ROUTE_PARAM_default, ROUTE_PARAM_optional,
                                                   ROUTE_PARAM_enum,    ROUTE_PARAM_min,
                                                   ROUTE_PARAM_max,     ROUTE_PARAM_max_length,
                                                   ROUTE_PARAM_match,   ROUTE_PARAM_example };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (route_param_is_set(p, rows[i])) {
            route_refuse(c, p,
                         "this is not given by callers, for it has no `name`: only `member` and "
                         "`description` may stand beside");
            return;
        }
    }
}

static void add_group(struct route_compiler *c, struct container *in,
                      const struct route_param_config *p, struct str member)
{
    if (route_param_is_set(p, ROUTE_PARAM_name)) {
        if (p->name != NULL)
            add_input_item(c, in, p, member);
        return;
    }
    check_alone(c, p);
    check_order(c, in, p, "this");
    add_comma(c, in);
    add_member(c, in, member);
    if (route_param_is_set(p, ROUTE_PARAM_list))
        add_nested(c, &p->list, false, in->depth + 1);
    else if (route_param_is_set(p, ROUTE_PARAM_struct))
        add_nested(c, &p->members, true, in->depth + 1);
    else if (p->constant != NULL || p->value != NULL)
        add_constant(c, p->constant != NULL ? p->constant : p->value);
}

/* The name that it has in a struct; NULL data: told. */
static struct str member_of(struct route_compiler *c, const struct container *in,
                            const struct route_shape *shape)
{
    const struct route_param_config *p = shape->group;
    if (!in->is_struct) {
        if (p != NULL && route_param_is_set(p, ROUTE_PARAM_member))
            route_refuse(c, p, "`member` is for what stands in a `struct`");
        return STR("");
    }
    struct str member = p == NULL           ? (struct str){ NULL, 0 }
                        : p->member != NULL ? str_of(p->member)
                                            : str_of(p->name);
    if (member.data == NULL)
        route_refuse(c, p,
                     "what stands in a `struct` is a group with a `name` or a `member`: a constant "
                     "is `{ member = \"NAME\"; value = …; }`");
    else if (utf8_valid_prefix(member) < member.len)
        route_refuse(c, p, "`member` is not UTF-8");
    return member;
}

static bool is_twice(const struct container *in, size_t at, struct str member)
{
    for (size_t i = 0; i < at; i++) {
        const struct route_param_config *p = in->shapes->items[i].group;
        const char *other = p == NULL ? NULL : p->member != NULL ? p->member : p->name;
        if (other != NULL && str_eq_c(member, other))
            return true;
    }
    return false;
}

static void add_item(struct route_compiler *c, struct container *in, size_t i)
{
    const struct route_shape *shape = &in->shapes->items[i];
    const struct route_param_config *p = shape->group;
    struct str member = member_of(c, in, shape);
    size_t pointer_len = c->pointer.len;
    if (member.data == NULL)
        return;
    if (p != NULL && count_meanings(p) != 1) {
        route_refuse(c, p, "set one of `name`, `list`, `struct`, `json` and `value`");
        return;
    }
    if (in->is_struct && is_twice(in, i, member))
        route_refuse(c, p, "the struct has that member already");
    if (in->is_struct)
        json_pointer_add_name(&c->pointer, member);
    else
        json_pointer_add_index(&c->pointer, i);
    if (p != NULL) {
        add_group(c, in, p, member);
    } else {
        check_order(c, in, NULL, "a constant");
        add_comma(c, in);
        add_constant(c, shape->constant);
    }
    buf_truncate(&c->pointer, pointer_len);
    in->n++;
}

static void add_items(struct route_compiler *c, struct container *in)
{
    if (in->depth > ROUTE_DEPTH_MAX) {
        route_refuse(c, NULL, "`params` is nested too deep: at most 16 lists and structs");
        return;
    }
    for (size_t i = 0; i < in->shapes->n; i++)
        add_item(c, in, i);
}

/* ---- The path ------------------------------------------------------------------------------- */

static void add_path_input(struct route_compiler *c, struct str name)
{
    if (route_find_input(c, name) != NULL)
        route_refuse_as(c, NULL, "the path has `{%.*s}` twice", STR_ARGS(name));
    else
        c->inputs[c->n_inputs++].name = name;
}

static void read_path(struct route_compiler *c)
{
    struct str path = str_of(c->route->path);
    while (path.len > 0) {
        path = str_slice(path, 1, path.len);
        size_t end = str_find(path, '/');
        if (end > 0 && path.data[0] == '{')
            add_path_input(c, str_slice(path, 1, end - 1));
        path = str_slice(path, end, path.len);
    }
    c->route->n_in_path = c->n_inputs;
}

static void check_path_inputs(struct route_compiler *c)
{
    for (size_t i = 0; i < c->route->n_in_path; i++) {
        if (c->inputs[i].config == NULL)
            route_refuse_as(c, NULL, "the path has `{%.*s}`, but `params` has no such `name`",
                            STR_ARGS(c->inputs[i].name));
    }
}

void route_compile(struct route_config *route, const struct route_compiling *with)
{
    struct route_compiler c = { .with = with,
                                .route = route,
                                .inputs = xcalloc(ROUTE_INPUTS_MAX + ROUTE_SEGMENTS_MAX,
                                                  sizeof *c.inputs),
                                .ok = true };
    buf_init(&c.pieces, SIZE_MAX - 1, NULL);
    buf_init(&c.literal, ROUTE_DOCUMENT_MAX, NULL);
    buf_init(&c.pointer, ROUTE_DOCUMENT_MAX, NULL);
    read_path(&c);
    add_nested(&c, &route->params, false, 0);
    if (!buf_ok(&c.literal))
        route_refuse(&c, NULL, "`params` is too long");
    end_literal(&c);
    if (c.ok)
        check_path_inputs(&c);
    route->n_inputs = c.n_inputs;
    route->inputs = store_alloc(with->store, c.n_inputs + 1, sizeof *c.inputs);
    memcpy(route->inputs, c.inputs, c.n_inputs * sizeof *c.inputs);
    free(c.inputs);
    struct template_piece *pieces = store_alloc(with->store, count_pieces(&c) + 1, sizeof *pieces);
    memcpy(pieces, c.pieces.data, c.pieces.len);
    route->document = (struct template){ TEMPLATE_JSON, pieces, count_pieces(&c) };
    buf_wipe(&c.literal);
    buf_done(&c.pieces);
    buf_done(&c.pointer);
}
