/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route_filling.h"

#include "base/nearest.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"

#include <stdio.h>

/* What it takes to see how near two names are. [ns] */
#define NEAREST_COST 2000

static const char *const places[] = {
    [ROUTE_IN_PATH] = "path", [ROUTE_IN_QUERY] = "query", [ROUTE_IN_BODY] = "body"
};

static void add_member(struct buf *to, const char *name, struct str text)
{
    buf_printf(to, ",\"%s\":", name);
    json_quote(text, to);
}

static void note_pointer(struct route_filling *f, struct str pointer)
{
    if (f->has_pointer || pointer.len >= sizeof f->pointer)
        return;
    f->has_pointer = true;
    memcpy(f->pointer, pointer.data != NULL ? pointer.data : "", pointer.len);
    f->pointer[pointer.len] = '\0';
}

void route_tell(struct route_filling *f, enum route_in in, struct str name, struct str what)
{
    CLEANUP(buf_done) struct buf pointer;
    struct buf *to = &f->to->errors;
    buf_init(&pointer, ROUTE_ERRORS_BYTES, NULL);
    if (f->n_errors++ >= ROUTE_ERRORS_MAX)
        return;
    buf_printf(to, "%s{\"in\":\"%s\"", f->n_errors > 1 ? "," : "[",
               f->by_name ? "arguments" : places[in]);
    if (name.data != NULL)
        add_member(to, "name", name);
    if (in == ROUTE_IN_BODY || f->by_name) {
        buf_append_c(&pointer, f->by_name ? f->within : "");
        if (name.data != NULL)
            json_pointer_add_name(&pointer, name);
        add_member(to, "pointer", (struct str){ buf_c(&pointer), pointer.len });
        note_pointer(f, buf_str(&pointer));
    }
    add_member(to, "detail", what);
    buf_append_byte(to, '}');
    buf_append_c(&f->detail, f->n_errors > 1 ? "; " : "");
    if (name.data != NULL)
        buf_printf(&f->detail, "`%.*s` ", STR_ARGS(name));
    else
        buf_append_c(&f->detail, f->by_name ? "what is given " : "the body ");
    buf_append(&f->detail, what);
}

void route_tell_input(struct route_filling *f, size_t i, struct str what)
{
    const struct route_input *input = &f->route->inputs[i];
    f->values[i].is_wrong = true;
    route_tell(f, input->in, input->name, what);
}

static void list_known(struct route_filling *f, enum route_in in, struct buf *to)
{
    size_t n = 0;
    for (size_t i = 0; i < f->route->n_inputs; i++)
        if (f->by_name || f->route->inputs[i].in == in)
            buf_printf(to, "%s`%.*s`", n++ > 0 ? ", " : "; known are ",
                       STR_ARGS(f->route->inputs[i].name));
}

void route_tell_unknown(struct route_filling *f, enum route_in in, struct str name)
{
    CLEANUP(buf_done) struct buf what;
    const char *names[ROUTE_INPUTS_MAX];
    char texts[ROUTE_INPUTS_MAX][ROUTE_NAME_MAX + 1];
    char wanted[ROUTE_NAME_MAX + 1] = "";
    size_t n = 0;
    buf_init(&what, ROUTE_SENTENCE_MAX, NULL);
    if (f->n_errors >= ROUTE_ERRORS_MAX) {
        f->n_errors++;
        return;
    }
    f->cost += f->route->n_inputs * NEAREST_COST;
    for (size_t i = 0; i < f->route->n_inputs; i++) {
        const struct route_input *input = &f->route->inputs[i];
        if (input->in != in && !f->by_name)
            continue;
        snprintf(texts[n], sizeof texts[n], "%.*s", STR_ARGS(input->name));
        names[n] = texts[n];
        n++;
    }
    snprintf(wanted, sizeof wanted, "%.*s", STR_ARGS(name));
    const char *nearest = nearest_name(wanted, names, n);
    buf_append_c(&what, "is not known here");
    if (nearest != NULL)
        buf_printf(&what, ": did you mean `%s`?", nearest);
    else
        list_known(f, in, &what);
    route_tell(f, in, name, buf_str(&what));
}

void route_fail(struct route_filling *f, struct error *err)
{
    char last = f->detail.len > 0 ? f->detail.data[f->detail.len - 1] : '.';
    buf_append_byte(&f->to->errors, ']');
    if (f->n_errors > ROUTE_ERRORS_MAX)
        buf_append_c(&f->detail, "; and more");
    error_set(err, PROBLEM_INVALID_REQUEST, "%s%s", buf_c(&f->detail), last == '?' ? "" : ".");
    if (f->has_pointer)
        error_at(err, str_of(f->pointer));
}
