/* SPDX-License-Identifier: Apache-2.0 */
/* What callers give a route: where each stands, and whether what the file says of it can be. */
#include "codec/json/pointer.h"
#include "settings/route_inside.h"
#include "settings/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool check_name(struct route_compiler *c, const struct route_param_config *p)
{
    struct str name = str_of(p->name);
    bool ok = name.len > 0 && name.len <= ROUTE_NAME_MAX && utf8_valid_prefix(name) == name.len &&
              str_find(name, '{') == name.len && str_find(name, '}') == name.len;
    if (!ok)
        route_refuse(c, p, "`name` must have 1 to 64 bytes of UTF-8, without braces");
    return ok;
}

/* Its place among the inputs; NULL: told. */
static struct route_input *take_place(struct route_compiler *c, const struct route_param_config *p)
{
    struct route_input *input = route_find_input(c, str_of(p->name));
    if (input != NULL && input->config != NULL) {
        route_refuse_as(c, p, "`name`: there is a param \"%s\" already",
                        route_param_told(p, ROUTE_PARAM_name, p->name));
        return NULL;
    }
    if (input == NULL && c->n_inputs == ROUTE_INPUTS_MAX) {
        route_refuse(c, p, "a route has at most 256 params with a name");
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

static void check_place(struct route_compiler *c, const struct route_input *input, bool in_path)
{
    const struct route_param_config *p = input->config;
    const char *name = route_param_told(p, ROUTE_PARAM_name, p->name);
    if (in_path && p->in != ROUTE_IN_UNSET && p->in != ROUTE_IN_PATH)
        route_refuse_as(c, p, "`in`: the path has `{%s}`, so it is given there", name);
    if (!in_path && p->in == ROUTE_IN_PATH)
        route_refuse_as(c, p, "`in`: the path has no `{%s}`", name);
    if (input->in == ROUTE_IN_BODY && has_no_body(c->route))
        route_refuse(c, p, "`in`: requests of GET and DELETE have no body");
    if (input->in != ROUTE_IN_BODY && input->type == ROUTE_TYPE_ANY)
        route_refuse(c, p, "`type`: `any` is of the body alone");
    if (input->in == ROUTE_IN_PATH && input->is_several)
        route_refuse(c, p, "`type`: a segment of the path is no list");
    if (input->in == ROUTE_IN_PATH && (p->optional || p->fallback != NULL))
        route_refuse(c, p, "what the path has is always given: take `optional` and `default` away");
    if (input->in == ROUTE_IN_QUERY &&
        (str_eq(input->name, STR("types")) || str_eq(input->name, STR("integers"))))
        route_refuse_as(c, p, "`name`: each query may have a `%s` of its own already", name);
}

static void check_rules(struct route_compiler *c, const struct route_input *input)
{
    const struct route_param_config *p = input->config;
    bool is_integer = input->type == ROUTE_TYPE_INT || input->type == ROUTE_TYPE_I8;
    bool is_number = is_integer || input->type == ROUTE_TYPE_DOUBLE;
    bool is_string = input->type == ROUTE_TYPE_STRING;
    if (!is_number && (p->min != NULL || p->max != NULL))
        route_refuse(c, p, "`min` and `max` are for the types int, i8 and double");
    if (is_integer && ((p->min != NULL && strpbrk(p->min, ".eE") != NULL) ||
                       (p->max != NULL && strpbrk(p->max, ".eE") != NULL)))
        route_refuse(c, p, "`min` and `max` of an integer are integers");
    if (!is_string && (p->max_length > 0 || p->match.n > 0))
        route_refuse(c, p, "`max_length` and `match` are for the type string");
    if (!is_number && !is_string && input->type != ROUTE_TYPE_BOOLEAN && p->choices.n > 0)
        route_refuse(c, p, "`enum` is for the types string, int, i8, double and boolean");
    if (p->optional && p->fallback != NULL)
        route_refuse(c, p, "set either `default` or `optional`, not both");
}

/* A value of the file must be one that callers could give. */
static bool check_value(struct route_compiler *c, const struct route_input *input,
                        const char *setting, enum route_param_index row, const char *json,
                        struct str *ret)
{
    CLEANUP(buf_done) struct buf value, why;
    buf_init(&value, ROUTE_DOCUMENT_MAX, NULL);
    buf_init(&why, 4096, NULL);
    const struct origin *origin = &input->config->origins[row];
    if (json == NULL || origin->unresolved)
        return false;
    bool ok = route_values_from_json(input, str_of(json), &value, &why) && buf_ok(&value);
    if (!ok) {
        route_refuse_as(c, input->config, "`%s` %s", setting,
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
static void check_choices(struct route_compiler *c, const struct route_input *input)
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

static void check_values(struct route_compiler *c, struct route_input *input)
{
    const struct route_param_config *p = input->config;
    check_choices(c, input);
    check_value(c, input, "default", ROUTE_PARAM_default, p->fallback, &input->fallback);
    check_value(c, input, "example", ROUTE_PARAM_example, p->example, NULL);
    if (p->fallback != NULL && input->fallback.data == NULL)
        input->fallback = STR("null"); /* it is told, or not known yet */
}

/* ---- For whoever compiles -------------------------------------------------------------------- */

void route_refuse(struct route_compiler *c, const struct route_param_config *where,
                  const char *sentence)
{
    c->ok = false;
    c->with->refuse(c->with->context, where, sentence);
}

void route_refuse_as(struct route_compiler *c, const struct route_param_config *where,
                     const char *format, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    route_refuse(c, where, sentence);
}

const char *route_param_told(const struct route_param_config *p, enum route_param_index i,
                             const char *text)
{
    return origin_told(&p->origins[i], text);
}

bool route_param_is_set(const struct route_param_config *p, enum route_param_index i)
{
    return p->origins[i].place.file != NULL;
}

struct route_input *route_find_input(struct route_compiler *c, struct str name)
{
    for (size_t i = 0; i < c->n_inputs; i++)
        if (str_eq(c->inputs[i].name, name))
            return &c->inputs[i];
    return NULL;
}

size_t route_add_input(struct route_compiler *c, const struct route_param_config *p)
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
