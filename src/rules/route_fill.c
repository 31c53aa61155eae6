/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route_filling.h"

#include "base/alloc.h"
#include "codec/json/pointer.h"
#include "codec/json/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Values --------------------------------------------------------------------------------- */

void route_keep(struct route_filling *f, size_t i, size_t begin)
{
    f->values[i].is_there = true;
    f->values[i].at = begin;
    f->values[i].len = f->scratch.len - begin;
}

size_t route_input_find(const struct route_filling *f, enum route_in in, struct str name)
{
    for (size_t i = 0; i < f->route->n_inputs; i++)
        if ((f->by_name || f->route->inputs[i].in == in) && str_eq(f->route->inputs[i].name, name))
            return i;
    return SIZE_MAX;
}

/* Texts are held against each glob, numbers are parsed. */
size_t route_value_cost(const struct route_input *input, size_t len)
{
    const struct route_param_config *p = input->config;
    return 300 + len * (4 + 16 * p->match.n) + 40 * p->choices.n +
           (input->type == ROUTE_TYPE_DOUBLE ? 500 * (1 + p->choices.n) : 0);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void tell_missing(struct route_filling *f, size_t i)
{
    CLEANUP(buf_done) struct buf what;
    const struct route_input *input = &f->route->inputs[i];
    buf_init(&what, ROUTE_SENTENCE_MAX, NULL);
    buf_printf(&what, "is missing: %s", route_type_told(input->type, input->is_several));
    route_tell_input(f, i, buf_str(&what));
}

static void tell_gap(struct route_filling *f, size_t i)
{
    CLEANUP(buf_done) struct buf what;
    buf_init(&what, ROUTE_SENTENCE_MAX, NULL);
    buf_printf(&what, "must be given, for `%.*s`, which stands behind it, is",
               STR_ARGS(f->route->inputs[i].name));
    route_tell_input(f, f->route->inputs[i].needs, buf_str(&what));
}

/* Those that were not given. */
static void complete(struct route_filling *f)
{
    for (size_t i = 0; i < f->route->n_inputs; i++) {
        struct given_value *value = &f->values[i];
        const struct route_input *input = &f->route->inputs[i];
        if (value->is_there || value->is_wrong)
            continue;
        if (input->fallback.data != NULL) {
            value->text = input->fallback;
            value->is_there = true;
        } else if (!input->config->optional) {
            tell_missing(f, i);
        }
    }
    for (size_t i = f->route->n_inputs; i-- > 0;) {
        size_t needs = f->route->inputs[i].needs;
        const struct given_value *value = &f->values[i];
        if (needs != SIZE_MAX && (value->is_there || value->is_wrong) &&
            !f->values[needs].is_there && !f->values[needs].is_wrong)
            tell_gap(f, i);
    }
}

static bool no_room(struct error *err)
{
    return error_limit(err, PROBLEM_OVERLOADED, "limits.memory",
                       "There is no room in limits.memory now for the params of this call. Try "
                       "again later, or raise that limit.");
}

static bool write_params(struct route_filling *f, struct error *err)
{
    CLEANUP(buf_done) struct buf why;
    struct str values[ROUTE_INPUTS_MAX];
    for (size_t i = 0; i < f->route->n_inputs; i++) {
        const struct given_value *value = &f->values[i];
        values[i] = value->text;
        if (value->is_there && value->text.data == NULL)
            values[i] = str_slice(buf_str(&f->scratch), value->at, value->at + value->len);
    }
    buf_init(&why, ROUTE_SENTENCE_MAX, NULL);
    return (buf_ok(&f->scratch) && buf_ok(&f->text) &&
            template_fill(&f->route->document, values, &f->to->params, &why)) ||
           no_room(err);
}

static void take_query_of_route(const struct route_config *route, struct query *query)
{
    if (route->has_types && !query->has_types) {
        query->has_types = true;
        query->types = route->types;
    }
    if (route->has_integers && !query->has_integers) {
        query->has_integers = true;
        query->integers = route->integers;
    }
}

struct route_filling *route_fill_begin(const struct route_config *route,
                                       const struct route_given *given, struct route_filled *ret)
{
    struct route_filling *f = xcalloc(1, sizeof *f);
    f->route = route;
    f->to = ret;
    f->query = given->query;
    f->body_text = given->body;
    f->by_name = given->by_name;
    f->within = given->within;
    f->phase = given->by_name ? FILL_BODY : FILL_PATH;
    for (size_t i = 0; i < route->n_in_path && !given->by_name; i++)
        f->segments[i] = given->segments[i];
    buf_init(&f->scratch, SIZE_MAX - 1, ret->params.budget);
    buf_init(&f->text, SIZE_MAX - 1, ret->params.budget);
    buf_init(&f->pairs, SIZE_MAX - 1, NULL);
    buf_init(&f->detail, ROUTE_ERRORS_BYTES, NULL);
    chain_init(&f->body.nowhere, 0, NULL);
    return f;
}

void route_fill_end(struct route_filling *f)
{
    if (f == NULL)
        return;
    buf_done(&f->scratch);
    buf_done(&f->text);
    buf_done(&f->pairs);
    buf_done(&f->detail);
    chain_done(&f->body.nowhere);
    free(f);
}

static enum codec_step end(struct route_filling *f, struct error *err)
{
    complete(f);
    bool ok = f->n_errors == 0 && write_params(f, err);
    if (f->n_errors > 0)
        route_fail(f, err);
    take_query_of_route(f->route, &f->to->query);
    return ok ? CODEC_DONE : CODEC_FAILED;
}

enum codec_step route_fill_step(struct route_filling *f, struct error *err)
{
    f->cost = 0;
    for (;; f->phase++) {
        bool is_over = true;
        if (f->phase == FILL_END)
            return end(f, err);
        if (f->phase == FILL_PATH)
            route_take_path(f);
        else if (f->phase == FILL_QUERY)
            is_over = route_read_query(f);
        else if (f->phase == FILL_PAIRS)
            is_over = route_take_pairs(f);
        else
            is_over = route_take_body(f);
        if (!is_over)
            return CODEC_MORE;
    }
}

bool route_fill(const struct route_config *route, const struct route_given *given,
                struct route_filled *ret, struct error *err)
{
    struct route_filling *f = route_fill_begin(route, given, ret);
    enum codec_step step;
    do
        step = route_fill_step(f, err);
    while (step == CODEC_MORE);
    route_fill_end(f);
    return step == CODEC_DONE;
}

void route_filled_init(struct route_filled *f, struct budget *budget)
{
    *f = (struct route_filled){ .query = { .has_types = false } };
    buf_init(&f->params, SIZE_MAX - 1, budget);
    buf_init(&f->errors, ROUTE_ERRORS_BYTES, NULL);
}

void route_filled_done(struct route_filled *f)
{
    buf_done(&f->params);
    buf_done(&f->errors);
}

/* The input in which that place of the params is; NULL: it is in none. */
static const struct route_input *input_of(const struct route_config *route, struct str pointer)
{
    for (size_t i = 0; i < route->n_inputs; i++) {
        struct str of = route->inputs[i].pointer;
        if (str_starts_with(pointer, of) && (pointer.len == of.len || pointer.data[of.len] == '/'))
            return &route->inputs[i];
    }
    return NULL;
}

void route_error_is_of(const struct route_config *route, struct error *err, const char *within)
{
    CLEANUP(buf_done) struct buf pointer;
    struct str before = str_of(err->pointer);
    char detail[ERROR_DETAIL_MAX];
    buf_init(&pointer, ERROR_POINTER_MAX, NULL);
    if (!err->has_pointer)
        return;
    const struct route_input *input = input_of(route, before);
    memcpy(detail, err->detail, sizeof detail);
    err->has_pointer = false;
    if (input == NULL) {
        snprintf(err->detail, sizeof err->detail, "In the route's own params: %.*s",
                 (int)(sizeof err->detail - 32), detail);
        return;
    }
    snprintf(err->detail, sizeof err->detail, "`%.*s`: %.*s", STR_ARGS(input->name),
             (int)(sizeof err->detail - ROUTE_NAME_MAX - 8), detail);
    err->detail[error_clean(err->detail, strlen(err->detail))] = '\0';
    if (input->in != ROUTE_IN_BODY && within == NULL)
        return;
    buf_append_c(&pointer, within != NULL ? within : "");
    json_pointer_add_name(&pointer, input->name);
    buf_append(&pointer, str_slice(before, input->pointer.len, before.len));
    error_at(err, buf_str(&pointer));
}
