/* SPDX-License-Identifier: Apache-2.0 */
/* A route's `params` become the JSON of its call: a template whose values are what callers give. */
#include "settings/route.h"

#include "base/alloc.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "settings/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer params are none. [bytes] */
#define DOCUMENT_MAX ((size_t)4 << 20)

struct compiler {
    const struct route_compiling *with;
    struct route_config *route;
    struct route_input *inputs; /* those that the path has come first */
    size_t n_inputs;
    struct buf pieces;  /* of struct template_piece */
    struct buf literal; /* what goes out before the next piece */
    struct buf pointer; /* of what is being compiled */
    bool secret;        /* some constant is */
    bool ok;
};

/* A list or struct whose items are being compiled. */
struct container {
    const struct route_shapes *shapes;
    bool is_struct;
    size_t depth;
    size_t n;        /* items so far */
    size_t optional; /* the last of them that may be left out; SIZE_MAX: none */
};

static void refuse(struct compiler *c, const struct route_param_config *where, const char *sentence)
{
    c->ok = false;
    c->with->refuse(c->with->context, where, sentence);
}

static void refuse_as(struct compiler *c, const struct route_param_config *where,
                      const char *format, ...) PRINTF_LIKE(3, 4);

static void refuse_as(struct compiler *c, const struct route_param_config *where,
                      const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    refuse(c, where, sentence);
}

static const char *told(const struct route_param_config *p, enum route_param_index i,
                        const char *text)
{
    return origin_told(&p->origins[i], text);
}

static bool is_set(const struct route_param_config *p, enum route_param_index i)
{
    return p->origins[i].place.file != NULL;
}

/* ---- What callers give ---------------------------------------------------------------------- */

static bool check_name(struct compiler *c, const struct route_param_config *p)
{
    struct str name = str_of(p->name);
    bool ok = name.len > 0 && name.len <= ROUTE_NAME_MAX && utf8_valid_prefix(name) == name.len &&
              str_find(name, '{') == name.len && str_find(name, '}') == name.len;
    if (!ok)
        refuse(c, p, "`name` must have 1 to 64 bytes of UTF-8, without braces");
    return ok;
}

static struct route_input *find(struct compiler *c, struct str name)
{
    for (size_t i = 0; i < c->n_inputs; i++)
        if (str_eq(c->inputs[i].name, name))
            return &c->inputs[i];
    return NULL;
}

/* Its place among the inputs; NULL: told. */
static struct route_input *take_place(struct compiler *c, const struct route_param_config *p)
{
    struct route_input *input = find(c, str_of(p->name));
    if (input != NULL && input->config != NULL) {
        refuse_as(c, p, "`name`: there is a param \"%s\" already",
                  told(p, ROUTE_PARAM_name, p->name));
        return NULL;
    }
    if (input == NULL && c->n_inputs == ROUTE_INPUTS_MAX) {
        refuse(c, p, "a route has at most 256 params with a name");
        return NULL;
    }
    if (input == NULL)
        input = &c->inputs[c->n_inputs++];
    return input;
}

static bool has_no_body(const struct route_config *route)
{
    return route->http_method == ROUTE_GET || route->http_method == ROUTE_DELETE;
}

static void check_place(struct compiler *c, const struct route_input *input, bool in_path)
{
    const struct route_param_config *p = input->config;
    const char *name = told(p, ROUTE_PARAM_name, p->name);
    if (in_path && p->in != ROUTE_IN_UNSET && p->in != ROUTE_IN_PATH)
        refuse_as(c, p, "`in`: the path has `{%s}`, so it is given there", name);
    if (!in_path && p->in == ROUTE_IN_PATH)
        refuse_as(c, p, "`in`: the path has no `{%s}`", name);
    if (input->in == ROUTE_IN_BODY && has_no_body(c->route))
        refuse(c, p, "`in`: requests of GET and DELETE have no body");
    if (input->in != ROUTE_IN_BODY && input->type == ROUTE_TYPE_ANY)
        refuse(c, p, "`type`: `any` is of the body alone");
    if (input->in == ROUTE_IN_PATH && input->is_several)
        refuse(c, p, "`type`: a segment of the path is no list");
    if (input->in == ROUTE_IN_PATH && (p->optional || p->fallback != NULL))
        refuse(c, p, "what the path has is always given: take `optional` and `default` away");
    if (input->in == ROUTE_IN_QUERY &&
        (str_eq(input->name, STR("types")) || str_eq(input->name, STR("integers"))))
        refuse_as(c, p, "`name`: each query may have a `%s` of its own already", name);
}

static void check_rules(struct compiler *c, const struct route_input *input)
{
    const struct route_param_config *p = input->config;
    bool is_integer = input->type == ROUTE_TYPE_INT || input->type == ROUTE_TYPE_I8;
    bool is_number = is_integer || input->type == ROUTE_TYPE_DOUBLE;
    bool is_string = input->type == ROUTE_TYPE_STRING;
    if (!is_number && (p->min != NULL || p->max != NULL))
        refuse(c, p, "`min` and `max` are for the types int, i8 and double");
    if (is_integer && ((p->min != NULL && strpbrk(p->min, ".eE") != NULL) ||
                       (p->max != NULL && strpbrk(p->max, ".eE") != NULL)))
        refuse(c, p, "`min` and `max` of an integer are integers");
    if (!is_string && (p->max_length > 0 || p->match.n > 0))
        refuse(c, p, "`max_length` and `match` are for the type string");
    if (!is_number && !is_string && input->type != ROUTE_TYPE_BOOLEAN && p->choices.n > 0)
        refuse(c, p, "`enum` is for the types string, int, i8, double and boolean");
    if (p->optional && p->fallback != NULL)
        refuse(c, p, "set either `default` or `optional`, not both");
}

/* A value of the file must be one that callers could give. */
static bool check_value(struct compiler *c, const struct route_input *input, const char *setting,
                        enum route_param_index row, const char *json, struct str *ret)
{
    CLEANUP(buf_done) struct buf value, why;
    buf_init(&value, DOCUMENT_MAX, NULL);
    buf_init(&why, 4096, NULL);
    const struct origin *origin = &input->config->origins[row];
    if (json == NULL || origin->unresolved)
        return false;
    bool ok = route_values_from_json(input, str_of(json), &value, &why) && buf_ok(&value);
    if (!ok) {
        refuse_as(c, input->config, "`%s` %s", setting,
                  origin->hidden ? "is not of the type" : buf_c(&why));
    } else if (ret != NULL) {
        const char *kept = store_is_secret(c->with->store, json)
                               ? store_secret(c->with->store, buf_str(&value))
                               : store_text(c->with->store, buf_str(&value));
        *ret = (struct str){ kept, value.len };
    }
    return ok;
}

/* Each of the choices by itself, and without the other rules. */
static void check_choices(struct compiler *c, const struct route_input *input)
{
    struct route_param_config free_of_rules = *input->config;
    struct route_input one = *input;
    free_of_rules.choices.n = 0;
    one.config = &free_of_rules;
    one.is_several = false;
    for (size_t i = 0; i < input->config->choices.n; i++)
        if (!check_value(c, &one, "enum", ROUTE_PARAM_enum, input->config->choices.items[i], NULL))
            return;
}

static void check_values(struct compiler *c, struct route_input *input)
{
    const struct route_param_config *p = input->config;
    check_choices(c, input);
    check_value(c, input, "default", ROUTE_PARAM_default, p->fallback, &input->fallback);
    check_value(c, input, "example", ROUTE_PARAM_example, p->example, NULL);
    if (p->fallback != NULL && input->fallback.data == NULL)
        input->fallback = STR("null"); /* it is told, or not known yet */
}

/* The index of the input that this group is; SIZE_MAX: told. */
static size_t add_input(struct compiler *c, const struct route_param_config *p)
{
    if (!check_name(c, p))
        return SIZE_MAX;
    struct route_input *input = take_place(c, p);
    if (input == NULL)
        return SIZE_MAX;
    size_t index = (size_t)(input - c->inputs);
    bool in_path = index < c->route->n_in_path;
    enum route_in otherwise = has_no_body(c->route) ? ROUTE_IN_QUERY : ROUTE_IN_BODY;
    *input = (struct route_input){
        .config = p,
        .name = str_of(p->name),
        .in = in_path                   ? ROUTE_IN_PATH
              : p->in == ROUTE_IN_UNSET ? otherwise
                                        : p->in,
        .type = (enum route_type)(p->type & ~(unsigned)ROUTE_TYPE_SEVERAL),
        .is_several = (p->type & ROUTE_TYPE_SEVERAL) != 0,
        .pointer = { store_text(c->with->store, buf_str(&c->pointer)), c->pointer.len },
        .needs = SIZE_MAX,
    };
    check_place(c, input, in_path);
    check_rules(c, input);
    check_values(c, input);
    return index;
}

/* ---- The document --------------------------------------------------------------------------- */

static void add_piece(struct compiler *c, const struct template_piece *piece)
{
    buf_append(&c->pieces, (struct str){ (const char *)piece, sizeof *piece });
}

static size_t count_pieces(const struct compiler *c)
{
    return c->pieces.len / sizeof(struct template_piece);
}

static void end_literal(struct compiler *c)
{
    struct str text = buf_str(&c->literal);
    if (text.len == 0)
        return;
    const char *kept =
        c->secret ? store_secret(c->with->store, text) : store_text(c->with->store, text);
    add_piece(c, &(struct template_piece){ .kind = PIECE_LITERAL, .text = { kept, text.len } });
    buf_clear(&c->literal);
}

static void add_constant(struct compiler *c, const char *json)
{
    c->secret |= store_is_secret(c->with->store, json);
    buf_append_c(&c->literal, json);
}

static void add_comma(struct compiler *c, const struct container *in)
{
    if (in->n > 0 && in->optional == SIZE_MAX) {
        buf_append_byte(&c->literal, ',');
    } else if (in->n > 0) {
        end_literal(c);
        add_piece(c, &(struct template_piece){ .kind = PIECE_COMMA });
    }
}

static void add_member(struct compiler *c, const struct container *in, struct str name)
{
    if (!in->is_struct)
        return;
    json_quote(name, &c->literal);
    buf_append_byte(&c->literal, ':');
}

static void add_value(struct compiler *c, size_t index)
{
    end_literal(c);
    add_piece(c, &(struct template_piece){
                     .kind = PIECE_VALUE, .text = c->inputs[index].name, .value = index });
}

/* What may be left out, with its comma and its member's name. */
static void add_optional(struct compiler *c, struct container *in, size_t index, struct str member)
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

static void add_items(struct compiler *c, struct container *in);

static void add_nested(struct compiler *c, const struct route_shapes *shapes, bool is_struct,
                       size_t depth)
{
    struct container in = { shapes, is_struct, depth, 0, SIZE_MAX };
    buf_append_byte(&c->literal, is_struct ? '{' : '[');
    add_items(c, &in);
    buf_append_byte(&c->literal, is_struct ? '}' : ']');
}

/* A list that is cut short where one is left out has nothing behind it. */
static void check_order(struct compiler *c, struct container *in,
                        const struct route_param_config *where, const char *what)
{
    if (in->is_struct || in->optional == SIZE_MAX)
        return;
    const struct route_param_config *before = c->inputs[in->optional].config;
    refuse_as(
        c, where,
        "%s is always there, so \"%s\" before it cannot be `optional`: give that a `default`, "
        "or put it behind",
        what, told(before, ROUTE_PARAM_name, before->name));
    in->optional = SIZE_MAX; /* once is enough */
}

static void add_input_item(struct compiler *c, struct container *in,
                           const struct route_param_config *p, struct str member)
{
    char what[ROUTE_NAME_MAX + 16];
    size_t index = add_input(c, p);
    if (index == SIZE_MAX)
        return;
    if (p->optional) {
        add_optional(c, in, index, member);
        return;
    }
    snprintf(what, sizeof what, "\"%.64s\"", told(p, ROUTE_PARAM_name, p->name));
    check_order(c, in, p, what);
    add_comma(c, in);
    add_member(c, in, member);
    add_value(c, index);
}

static size_t count_meanings(const struct route_param_config *p)
{
    return (size_t)is_set(p, ROUTE_PARAM_name) + is_set(p, ROUTE_PARAM_list) +
           is_set(p, ROUTE_PARAM_struct) + is_set(p, ROUTE_PARAM_json) +
           is_set(p, ROUTE_PARAM_value);
}

/* Settings that only what callers give can have. */
static void check_alone(struct compiler *c, const struct route_param_config *p)
{
    static const enum route_param_index rows[] = { ROUTE_PARAM_in,      ROUTE_PARAM_type,
                                                   ROUTE_PARAM_default, ROUTE_PARAM_optional,
                                                   ROUTE_PARAM_enum,    ROUTE_PARAM_min,
                                                   ROUTE_PARAM_max,     ROUTE_PARAM_max_length,
                                                   ROUTE_PARAM_match,   ROUTE_PARAM_example };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (is_set(p, rows[i])) {
            refuse(c, p,
                   "this is not given by callers, for it has no `name`: only `member` and "
                   "`description` may stand beside");
            return;
        }
    }
}

static void add_group(struct compiler *c, struct container *in, const struct route_param_config *p,
                      struct str member)
{
    if (is_set(p, ROUTE_PARAM_name)) {
        if (p->name != NULL)
            add_input_item(c, in, p, member);
        return;
    }
    check_alone(c, p);
    check_order(c, in, p, "this");
    add_comma(c, in);
    add_member(c, in, member);
    if (is_set(p, ROUTE_PARAM_list))
        add_nested(c, &p->list, false, in->depth + 1);
    else if (is_set(p, ROUTE_PARAM_struct))
        add_nested(c, &p->members, true, in->depth + 1);
    else if (p->constant != NULL || p->value != NULL)
        add_constant(c, p->constant != NULL ? p->constant : p->value);
}

/* The name that it has in a struct; NULL data: told. */
static struct str member_of(struct compiler *c, const struct container *in,
                            const struct route_shape *shape)
{
    const struct route_param_config *p = shape->group;
    if (!in->is_struct) {
        if (p != NULL && is_set(p, ROUTE_PARAM_member))
            refuse(c, p, "`member` is for what stands in a `struct`");
        return STR("");
    }
    struct str member = p == NULL           ? (struct str){ NULL, 0 }
                        : p->member != NULL ? str_of(p->member)
                                            : str_of(p->name);
    if (member.data == NULL)
        refuse(c, p,
               "what stands in a `struct` is a group with a `name` or a `member`: a constant "
               "is `{ member = \"NAME\"; value = …; }`");
    else if (utf8_valid_prefix(member) < member.len)
        refuse(c, p, "`member` is not UTF-8");
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

static void add_item(struct compiler *c, struct container *in, size_t i)
{
    const struct route_shape *shape = &in->shapes->items[i];
    const struct route_param_config *p = shape->group;
    struct str member = member_of(c, in, shape);
    size_t pointer_len = c->pointer.len;
    if (member.data == NULL)
        return;
    if (p != NULL && count_meanings(p) != 1) {
        refuse(c, p, "set one of `name`, `list`, `struct`, `json` and `value`");
        return;
    }
    if (in->is_struct && is_twice(in, i, member))
        refuse(c, p, "the struct has that member already");
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

static void add_items(struct compiler *c, struct container *in)
{
    if (in->depth > ROUTE_DEPTH_MAX) {
        refuse(c, NULL, "`params` is nested too deep: at most 16 lists and structs");
        return;
    }
    for (size_t i = 0; i < in->shapes->n; i++)
        add_item(c, in, i);
}

/* ---- The path ------------------------------------------------------------------------------- */

static void add_path_input(struct compiler *c, struct str name)
{
    if (find(c, name) != NULL)
        refuse_as(c, NULL, "the path has `{%.*s}` twice", STR_ARGS(name));
    else
        c->inputs[c->n_inputs++].name = name;
}

static void read_path(struct compiler *c)
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

static void check_path_inputs(struct compiler *c)
{
    for (size_t i = 0; i < c->route->n_in_path; i++) {
        if (c->inputs[i].config == NULL)
            refuse_as(c, NULL, "the path has `{%.*s}`, but `params` has no such `name`",
                      STR_ARGS(c->inputs[i].name));
    }
}

void route_compile(struct route_config *route, const struct route_compiling *with)
{
    struct compiler c = { .with = with,
                          .route = route,
                          .inputs =
                              xcalloc(ROUTE_INPUTS_MAX + ROUTE_SEGMENTS_MAX, sizeof *c.inputs),
                          .ok = true };
    buf_init(&c.pieces, SIZE_MAX - 1, NULL);
    buf_init(&c.literal, DOCUMENT_MAX, NULL);
    buf_init(&c.pointer, DOCUMENT_MAX, NULL);
    read_path(&c);
    add_nested(&c, &route->params, false, 0);
    if (!buf_ok(&c.literal))
        refuse(&c, NULL, "`params` is too long");
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
