/* SPDX-License-Identifier: Apache-2.0 */
/* The body is walked over token by token, so that nothing in it makes a step long: neither many
 * small values nor a large one. */
#include "rules/route_filling.h"

#include "codec/json/cursor.h"
#include "codec/json/text.h"

#include <stdint.h>

/* What it takes to pass over a token, and each of its bytes. [ns] */
#define TOKEN_COST 10

/* A longer base64 is looked at in pieces. [bytes] */
#define BASE64_PIECE ((size_t)32 * 1024)
#define BASE64_COST 8 /* of a byte [ns] */

static bool is_step_over(const struct route_filling *f)
{
    return f->cost >= ROUTE_STEP;
}

/* Goes on to where nothing is open that `depth` counts. False: the step is over. */
static bool pass(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    bool any = b->depth > 0;
    while (!any || b->depth > 0) {
        if (is_step_over(f))
            return false;
        const char *before = b->at;
        b->at = json_skip_token(b->at, b->end, &b->depth);
        f->cost += TOKEN_COST + (size_t)(b->at - before);
        any = true;
    }
    return true;
}

static const struct route_input *input_of(const struct route_filling *f)
{
    return f->body.input == SIZE_MAX ? NULL : &f->route->inputs[f->body.input];
}

static bool is_list(const struct body_walk *b)
{
    return b->n_items != SIZE_MAX;
}

static void tell_wrong(struct route_filling *f, struct str why)
{
    CLEANUP(buf_done) struct buf what;
    const struct body_walk *b = &f->body;
    buf_init(&what, ROUTE_SENTENCE_MAX, NULL);
    if (is_list(b))
        buf_printf(&what, "must be %s: item %zu ", route_type_told(input_of(f)->type, true),
                   b->n_items);
    buf_append(&what, why);
    route_tell_input(f, b->input, (struct str){ buf_c(&what), what.len });
}

/* The value or item has an end, and is taken or told. */
static void end_value(struct route_filling *f, bool ok, struct str why)
{
    struct body_walk *b = &f->body;
    b->state = is_list(b) ? BODY_ITEMS : BODY_NAME;
    if (!ok) {
        tell_wrong(f, why);
        b->depth = 1;
        b->state = is_list(b) ? BODY_REST : BODY_NAME;
    } else if (is_list(b)) {
        b->n_items++;
    } else {
        route_keep(f, b->input, b->begin);
    }
}

static void begin_base64(struct body_walk *b, struct str quoted)
{
    b->state = BODY_BASE64;
    b->base64 = quoted;
    b->looked = quoted.data + 1;
    base64_begin(&b->digits, &b->nowhere, 0);
}

static void end_base64(struct route_filling *f, bool ok)
{
    CLEANUP(buf_done) struct buf why;
    const struct body_walk *b = &f->body;
    buf_init(&why, ROUTE_SENTENCE_MAX, NULL);
    if (ok)
        route_value_put_base64(b->base64, &f->scratch);
    else
        route_value_refuse(input_of(f), b->base64, &why);
    end_value(f, ok, (struct str){ buf_c(&why), why.len });
}

/* False: the step is over. */
static bool look_at_base64(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    const char *end = b->base64.data + b->base64.len - 1;
    while (b->looked < end) {
        if (is_step_over(f))
            return false;
        const char *stop =
            (size_t)(end - b->looked) < BASE64_PIECE ? end : b->looked + BASE64_PIECE;
        const char *before = b->looked;
        buf_clear(&f->text);
        b->looked = json_unquote_part(before, stop, &f->text);
        f->cost += BASE64_COST * (size_t)(b->looked - before);
        if (!buf_ok(&f->text)) {
            b->looked = end; /* for want of memory, which is told in the end */
        } else if (!base64_copy(&b->digits, buf_str(&f->text))) {
            end_base64(f, false);
            return true;
        }
    }
    end_base64(f, !buf_ok(&f->text) || base64_copy_end(&b->digits));
    return true;
}

static void take_one(struct route_filling *f)
{
    CLEANUP(buf_done) struct buf why;
    struct body_walk *b = &f->body;
    const struct route_input *input = input_of(f);
    struct str json = { b->value, (size_t)(b->at - b->value) };
    struct str inner = route_value_inner(input, json);
    buf_init(&why, ROUTE_SENTENCE_MAX, NULL);
    if (input->type == ROUTE_TYPE_BASE64 && inner.data[0] == '"' && inner.len > BASE64_PIECE) {
        begin_base64(b, inner);
        return;
    }
    f->cost += route_value_cost(input, json.len < BASE64_PIECE ? json.len : BASE64_PIECE);
    bool ok = route_value_from_json(input, json, &f->scratch, &why);
    end_value(f, ok, (struct str){ buf_c(&why), why.len });
}

static void refuse_one(struct route_filling *f, struct str json)
{
    CLEANUP(buf_done) struct buf why;
    buf_init(&why, ROUTE_SENTENCE_MAX, NULL);
    route_value_refuse_list(input_of(f), json, &why);
    route_tell_input(f, f->body.input, buf_str(&why));
}

static void take_value(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    const struct route_input *input = input_of(f);
    struct str json = { b->value, (size_t)(b->at - b->value) };
    b->state = BODY_NAME;
    if (input == NULL)
        return;              /* nobody wants it */
    if (input->is_several) { /* and this is no list */
        refuse_one(f, json);
    } else if (input->type == ROUTE_TYPE_ANY) {
        f->values[b->input].is_there = true;
        f->values[b->input].text = json;
    } else {
        take_one(f);
    }
}

/* The input that has the name, which stands in quotes; an unknown one is told. */
static size_t find_input(struct route_filling *f, struct str quoted)
{
    CLEANUP(buf_done) struct buf name;
    /* A longer one is none of ours. */
    bool is_read = quoted.len < 6 * ROUTE_NAME_MAX + 2;
    buf_init(&name, 8 * ROUTE_NAME_MAX, NULL);
    if (is_read)
        json_unquote(quoted, &name);
    struct str text =
        is_read ? (struct str){ buf_c(&name), name.len } : str_slice(quoted, 1, quoted.len - 1);
    size_t i = is_read ? route_input_find(f, ROUTE_IN_BODY, text) : SIZE_MAX;
    if (i == SIZE_MAX)
        route_tell_unknown(f, ROUTE_IN_BODY, error_cut(text, ROUTE_NAME_MAX).text);
    return i;
}

static void begin_value(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    const struct route_input *input = input_of(f);
    b->value = b->at;
    b->depth = 0;
    b->begin = f->scratch.len;
    b->n_items = SIZE_MAX;
    b->state = BODY_VALUE;
    if (input == NULL || !input->is_several || *b->at != '[')
        return;
    buf_append_byte(&f->scratch, '[');
    b->at++;
    b->n_items = 0;
    b->state = BODY_ITEMS;
}

/* False: that was the last. */
static bool next_member(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    b->at = json_skip_space(b->at, b->end);
    if (b->at == b->end || *b->at == '}')
        return false;
    if (*b->at == ',')
        b->at = json_skip_space(b->at + 1, b->end);
    const char *name = b->at;
    b->at = json_string_end(name + 1, b->end) + 1;
    f->cost += TOKEN_COST + (size_t)(b->at - name) + f->route->n_inputs;
    b->input = find_input(f, (struct str){ name, (size_t)(b->at - name) });
    b->at = json_skip_space(json_skip_space(b->at, b->end) + 1, b->end);
    begin_value(f);
    return true;
}

static void next_item(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    b->at = json_skip_space(b->at, b->end);
    if (*b->at == ']') {
        b->at++;
        b->state = BODY_NAME;
        buf_append_byte(&f->scratch, ']');
        route_keep(f, b->input, b->begin);
        return;
    }
    if (*b->at == ',') {
        b->at = json_skip_space(b->at + 1, b->end);
        buf_append_byte(&f->scratch, ',');
    }
    b->value = b->at;
    b->depth = 0;
    b->state = BODY_ITEM;
}

/* False: there is nothing to be walked over. */
static bool enter(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    struct str body = json_without_mark(f->body_text);
    body = body.len > 0 ? json_trim(body) : body;
    if (body.len == 0)
        return false;
    if (body.data[0] != '{') {
        route_tell(f, ROUTE_IN_BODY, (struct str){ NULL, 0 },
                   STR("must be an object, whose members are what the route asks for"));
        return false;
    }
    b->at = body.data + 1;
    b->end = body.data + body.len;
    b->state = BODY_NAME;
    return true;
}

/* What can be done in this step with what is at hand. False: the step is over. */
static bool go_on(struct route_filling *f)
{
    struct body_walk *b = &f->body;
    if (b->state == BODY_ITEMS) {
        next_item(f);
        return true;
    }
    if (b->state == BODY_BASE64)
        return look_at_base64(f);
    if (!pass(f))
        return false;
    if (b->state == BODY_VALUE)
        take_value(f);
    else if (b->state == BODY_ITEM)
        take_one(f);
    else
        b->state = BODY_NAME;
    return true;
}

bool route_take_body(struct route_filling *f)
{
    if (f->body.state == BODY_BEGIN && !enter(f))
        return true;
    while (!route_is_enough(f)) {
        if (is_step_over(f))
            return false;
        if (f->body.state != BODY_NAME) {
            if (!go_on(f))
                return false;
        } else if (!next_member(f)) {
            return true;
        }
    }
    return true;
}
