/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route_fill.h"

#include "base/nearest.h"
#include "codec/json/cursor.h"
#include "codec/json/pointer.h"
#include "codec/json/text.h"
#include "rules/percent.h"

#include <stdio.h>

/* So many things that are wrong are told; what is behind them in the body is not looked at. */
#define ERRORS_MAX 32
#define ERRORS_BYTES ((size_t)64 * 1024)
#define SENTENCE_MAX ((size_t)1024)

/* What was given for an input. */
struct given_value {
    bool is_there;
    bool is_wrong;      /* which is told */
    struct str text;    /* JSON that stands elsewhere; NULL data: it stands in `scratch`, */
    size_t at, len;     /* there */
    size_t first, last; /* of the query: index + 1 of its pairs; 0: none */
};

/* A pair of the query that is for an input. */
struct pair {
    struct str value; /* as it came */
    size_t next;      /* index + 1 */
};

struct filling {
    const struct route_config *route;
    const struct route_given *given;
    struct route_filled *to;
    struct given_value values[ROUTE_INPUTS_MAX];
    struct buf scratch; /* values as JSON */
    struct buf text;    /* one that is being read */
    struct buf pairs;
    struct buf detail; /* all that is wrong, as a sentence */
    size_t n_errors;
    bool has_pointer;
    char pointer[ERROR_POINTER_MAX]; /* of the first that is wrong in the body */
};

static const char *const places[] = {
    [ROUTE_IN_PATH] = "path", [ROUTE_IN_QUERY] = "query", [ROUTE_IN_BODY] = "body"
};

/* ---- What is wrong -------------------------------------------------------------------------- */

static void add_member(struct buf *to, const char *name, struct str text)
{
    buf_printf(to, ",\"%s\":", name);
    json_quote(text, to);
}

static void note_pointer(struct filling *f, struct str pointer)
{
    if (f->has_pointer || pointer.len >= sizeof f->pointer)
        return;
    f->has_pointer = true;
    memcpy(f->pointer, pointer.data != NULL ? pointer.data : "", pointer.len);
    f->pointer[pointer.len] = '\0';
}

/* NULL data of `name`: it is about the body as a whole. */
static void tell(struct filling *f, enum route_in in, struct str name, struct str what)
{
    CLEANUP(buf_done) struct buf pointer;
    struct buf *to = &f->to->errors;
    buf_init(&pointer, ERRORS_BYTES, NULL);
    if (f->n_errors++ >= ERRORS_MAX)
        return;
    buf_printf(to, "%s{\"in\":\"%s\"", f->n_errors > 1 ? "," : "[", places[in]);
    if (name.data != NULL)
        add_member(to, "name", name);
    if (in == ROUTE_IN_BODY) {
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
        buf_append_c(&f->detail, "the body ");
    buf_append(&f->detail, what);
}

static void tell_input(struct filling *f, size_t i, struct str what)
{
    const struct route_input *input = &f->route->inputs[i];
    f->values[i].is_wrong = true;
    tell(f, input->in, input->name, what);
}

static void list_known(struct filling *f, enum route_in in, struct buf *to)
{
    size_t n = 0;
    for (size_t i = 0; i < f->route->n_inputs; i++)
        if (f->route->inputs[i].in == in)
            buf_printf(to, "%s`%.*s`", n++ > 0 ? ", " : "; known are ",
                       STR_ARGS(f->route->inputs[i].name));
}

static void tell_unknown(struct filling *f, enum route_in in, struct str name)
{
    CLEANUP(buf_done) struct buf what;
    const char *names[ROUTE_INPUTS_MAX];
    char texts[ROUTE_INPUTS_MAX][ROUTE_NAME_MAX + 1];
    char wanted[ROUTE_NAME_MAX + 1] = "";
    size_t n = 0;
    buf_init(&what, SENTENCE_MAX, NULL);
    if (f->n_errors >= ERRORS_MAX) {
        f->n_errors++;
        return;
    }
    for (size_t i = 0; i < f->route->n_inputs; i++) {
        const struct route_input *input = &f->route->inputs[i];
        if (input->in != in)
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
    tell(f, in, name, buf_str(&what));
}

static bool fail(struct filling *f, struct error *err)
{
    char last = f->detail.len > 0 ? f->detail.data[f->detail.len - 1] : '.';
    buf_append_byte(&f->to->errors, ']');
    if (f->n_errors > ERRORS_MAX)
        buf_append_c(&f->detail, "; and more");
    error_set(err, PROBLEM_INVALID_REQUEST, "%s%s", buf_c(&f->detail), last == '?' ? "" : ".");
    if (f->has_pointer)
        error_at(err, str_of(f->pointer));
    return false;
}

/* ---- Values --------------------------------------------------------------------------------- */

/* It was written behind `begin` of the scratch. */
static void keep(struct filling *f, size_t i, size_t begin)
{
    f->values[i].is_there = true;
    f->values[i].at = begin;
    f->values[i].len = f->scratch.len - begin;
}

static void take_text(struct filling *f, size_t i, struct str text)
{
    CLEANUP(buf_done) struct buf why;
    size_t begin = f->scratch.len;
    buf_init(&why, SENTENCE_MAX, NULL);
    if (route_value_from_text(&f->route->inputs[i], text, &f->scratch, &why))
        keep(f, i, begin);
    else
        tell_input(f, i, buf_str(&why));
}

static void take_json(struct filling *f, size_t i, struct str json)
{
    CLEANUP(buf_done) struct buf why;
    size_t begin = f->scratch.len;
    buf_init(&why, SENTENCE_MAX, NULL);
    if (f->route->inputs[i].type == ROUTE_TYPE_ANY && !f->route->inputs[i].is_several) {
        f->values[i].is_there = true;
        f->values[i].text = json;
    } else if (route_value_from_json(&f->route->inputs[i], json, &f->scratch, &why)) {
        keep(f, i, begin);
    } else {
        tell_input(f, i, buf_str(&why));
    }
}

static size_t find(const struct filling *f, enum route_in in, struct str name)
{
    for (size_t i = 0; i < f->route->n_inputs; i++)
        if (f->route->inputs[i].in == in && str_eq(f->route->inputs[i].name, name))
            return i;
    return SIZE_MAX;
}

/* ---- Path and query ------------------------------------------------------------------------- */

/* False: bytes that are no UTF-8. In a query `+` is a blank, as forms have it. */
static bool decode(struct str raw, bool in_query, struct buf *to)
{
    buf_clear(to);
    while (raw.len > 0) {
        struct percent_character c;
        bool is_blank = in_query && raw.data[0] == '+';
        if (!percent_next(&raw, &c))
            return false;
        buf_append(to, is_blank ? STR(" ") : (struct str){ c.bytes, c.len });
    }
    return true;
}

static void take_path(struct filling *f)
{
    for (size_t i = 0; i < f->route->n_in_path; i++) {
        if (decode(f->given->segments[i], false, &f->text))
            take_text(f, i, buf_str(&f->text));
        else
            tell_input(f, i, STR("must be percent-encoded UTF-8"));
    }
}

/* The choices that any query may have. False: it is none of them. */
static bool take_choice(struct filling *f, struct str name, struct str value)
{
    struct query *query = &f->to->query;
    bool is_types = str_eq(name, STR("types")), known = false;
    bool *has = is_types ? &query->has_types : &query->has_integers;
    if (!is_types && !str_eq(name, STR("integers")))
        return false;
    if (*has) {
        tell(f, ROUTE_IN_QUERY, name, STR("is given twice: give it once"));
        return true;
    }
    *has = true;
#define X(word, text)                                                                              \
    if (is_types && str_eq(value, STR(text))) {                                                    \
        query->types = TYPES_##word;                                                               \
        known = true;                                                                              \
    }
    TYPES_FORM_LIST(X)
#undef X
#define X(word, text)                                                                              \
    if (!is_types && str_eq(value, STR(text))) {                                                   \
        query->integers = INTEGERS_##word;                                                         \
        known = true;                                                                              \
    }
    INTEGERS_FORM_LIST(X)
#undef X
    if (!known)
        tell(f, ROUTE_IN_QUERY, name,
             is_types ? STR("must be plain or tagged") : STR("must be number, safe or string"));
    return true;
}

static struct pair *pair_at(const struct filling *f, size_t i)
{
    return (struct pair *)(void *)f->pairs.data + i;
}

static void note_pair(struct filling *f, size_t i, struct str raw_value)
{
    struct given_value *value = &f->values[i];
    struct pair pair = { raw_value, 0 };
    buf_append(&f->pairs, (struct str){ (const char *)&pair, sizeof pair });
    size_t number = f->pairs.len / sizeof pair;
    if (value->last != 0)
        pair_at(f, value->last - 1)->next = number;
    else
        value->first = number;
    value->last = number;
}

static void read_pair(struct filling *f, struct str pair)
{
    size_t equals = str_find(pair, '=');
    struct str raw_value = str_slice(pair, equals < pair.len ? equals + 1 : equals, pair.len);
    struct str shown = { "?", 1 };
    CLEANUP(buf_done) struct buf name;
    buf_init(&name, ERRORS_BYTES, NULL);
    if (!decode(str_slice(pair, 0, equals), true, &name) || !buf_ok(&name)) {
        tell(f, ROUTE_IN_QUERY, shown, STR("must be percent-encoded UTF-8"));
        return;
    }
    size_t i = find(f, ROUTE_IN_QUERY, buf_str(&name));
    if (i != SIZE_MAX) {
        note_pair(f, i, raw_value);
        return;
    }
    if (decode(raw_value, true, &f->text) && take_choice(f, buf_str(&name), buf_str(&f->text)))
        return;
    tell_unknown(f, ROUTE_IN_QUERY,
                 error_cut((struct str){ buf_c(&name), name.len }, ROUTE_NAME_MAX).text);
}

static void take_several(struct filling *f, size_t i)
{
    CLEANUP(buf_done) struct buf why;
    size_t begin = f->scratch.len, n = 0;
    buf_init(&why, SENTENCE_MAX, NULL);
    buf_append_byte(&f->scratch, '[');
    for (size_t at = f->values[i].first; at != 0; at = pair_at(f, at - 1)->next) {
        buf_append_c(&f->scratch, n++ > 0 ? "," : "");
        bool ok = decode(pair_at(f, at - 1)->value, true, &f->text);
        if (!ok)
            buf_append_c(&why, "must be percent-encoded UTF-8");
        if (ok && route_value_from_text(&f->route->inputs[i], buf_str(&f->text), &f->scratch, &why))
            continue;
        tell_input(f, i, buf_str(&why));
        return;
    }
    buf_append_byte(&f->scratch, ']');
    keep(f, i, begin);
}

static void take_pairs(struct filling *f, size_t i)
{
    const struct given_value *value = &f->values[i];
    if (value->first == 0)
        return;
    if (f->route->inputs[i].is_several)
        take_several(f, i);
    else if (value->first != value->last)
        tell_input(f, i, STR("is given several times: give it once"));
    else if (!decode(pair_at(f, value->first - 1)->value, true, &f->text))
        tell_input(f, i, STR("must be percent-encoded UTF-8"));
    else
        take_text(f, i, buf_str(&f->text));
}

static void take_query(struct filling *f)
{
    struct str query = f->given->query;
    while (query.len > 0 && f->n_errors <= ERRORS_MAX) {
        size_t end = str_find(query, '&');
        if (end > 0)
            read_pair(f, str_slice(query, 0, end));
        query = str_slice(query, end < query.len ? end + 1 : end, query.len);
    }
    for (size_t i = 0; i < f->route->n_inputs; i++)
        if (f->route->inputs[i].in == ROUTE_IN_QUERY)
            take_pairs(f, i);
}

/* ---- Body ----------------------------------------------------------------------------------- */

static void take_member(struct filling *f, struct str quoted, struct str json)
{
    CLEANUP(buf_done) struct buf name;
    /* A longer one is none of ours. */
    size_t read = quoted.len < 6 * ROUTE_NAME_MAX + 2 ? quoted.len : 6 * ROUTE_NAME_MAX + 2;
    buf_init(&name, 8 * ROUTE_NAME_MAX, NULL);
    if (read == quoted.len)
        json_unquote(quoted, &name);
    struct str text = { buf_c(&name), name.len };
    size_t i = read == quoted.len ? find(f, ROUTE_IN_BODY, text) : SIZE_MAX;
    if (i != SIZE_MAX)
        take_json(f, i, json);
    else
        tell_unknown(f, ROUTE_IN_BODY,
                     read == quoted.len
                         ? error_cut(text, ROUTE_NAME_MAX).text
                         : error_cut(str_slice(quoted, 1, quoted.len - 1), ROUTE_NAME_MAX).text);
}

static void take_body(struct filling *f)
{
    struct str name, value, body = json_without_mark(f->given->body);
    body = body.len > 0 ? json_trim(body) : body;
    if (body.len == 0)
        return;
    if (body.data[0] != '{') {
        tell(f, ROUTE_IN_BODY, (struct str){ NULL, 0 },
             STR("must be an object, whose members are what the route asks for"));
        return;
    }
    struct json_cursor members = json_enter(body);
    while (f->n_errors <= ERRORS_MAX && json_next(&members, &name, &value))
        take_member(f, name, value);
}

/* ---- All of it ------------------------------------------------------------------------------ */

static void tell_missing(struct filling *f, size_t i)
{
    CLEANUP(buf_done) struct buf what;
    const struct route_input *input = &f->route->inputs[i];
    buf_init(&what, SENTENCE_MAX, NULL);
    buf_printf(&what, "is missing: %s", route_type_told(input->type, input->is_several));
    tell_input(f, i, buf_str(&what));
}

static void tell_gap(struct filling *f, size_t i)
{
    CLEANUP(buf_done) struct buf what;
    buf_init(&what, SENTENCE_MAX, NULL);
    buf_printf(&what, "must be given, for `%.*s`, which stands behind it, is",
               STR_ARGS(f->route->inputs[i].name));
    tell_input(f, f->route->inputs[i].needs, buf_str(&what));
}

/* Those that were not given. */
static void complete(struct filling *f)
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

static bool write(struct filling *f, struct error *err)
{
    CLEANUP(buf_done) struct buf why;
    struct str values[ROUTE_INPUTS_MAX];
    for (size_t i = 0; i < f->route->n_inputs; i++) {
        const struct given_value *value = &f->values[i];
        values[i] = value->text;
        if (value->is_there && value->text.data == NULL)
            values[i] = str_slice(buf_str(&f->scratch), value->at, value->at + value->len);
    }
    buf_init(&why, SENTENCE_MAX, NULL);
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

bool route_fill(const struct route_config *route, const struct route_given *given,
                struct route_filled *ret, struct error *err)
{
    struct filling f = { .route = route, .given = given, .to = ret };
    buf_init(&f.scratch, SIZE_MAX - 1, ret->params.budget);
    buf_init(&f.text, SIZE_MAX - 1, ret->params.budget);
    buf_init(&f.pairs, SIZE_MAX - 1, NULL);
    buf_init(&f.detail, ERRORS_BYTES, NULL);
    take_path(&f);
    take_query(&f);
    take_body(&f);
    complete(&f);
    bool ok = f.n_errors == 0 ? write(&f, err) : fail(&f, err);
    take_query_of_route(route, &ret->query);
    buf_done(&f.scratch);
    buf_done(&f.text);
    buf_done(&f.pairs);
    buf_done(&f.detail);
    return ok;
}

void route_filled_init(struct route_filled *f, struct budget *budget)
{
    *f = (struct route_filled){ .query = { .has_types = false } };
    buf_init(&f->params, SIZE_MAX - 1, budget);
    buf_init(&f->errors, ERRORS_BYTES, NULL);
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

void route_error_is_of(const struct route_config *route, struct error *err)
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
    if (input->in != ROUTE_IN_BODY)
        return;
    json_pointer_add_name(&pointer, input->name);
    buf_append(&pointer, str_slice(before, input->pointer.len, before.len));
    error_at(err, buf_str(&pointer));
}
