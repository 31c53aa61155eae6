/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/route_filling.h"

#include "rules/percent.h"

#include <stdint.h>

/* A pair of the query that is for an input. */
struct pair {
    struct str value; /* as it came */
    size_t next;      /* index + 1 */
};

/* What it takes to read a pair, and each of its bytes. [ns] */
#define PAIR_COST 200
#define BYTE_COST 4

static void take_text(struct route_filling *f, size_t i, struct str text)
{
    CLEANUP(buf_done) struct buf why;
    size_t begin = f->scratch.len;
    buf_init(&why, ROUTE_SENTENCE_MAX, NULL);
    if (route_value_from_text(&f->route->inputs[i], text, &f->scratch, &why))
        route_keep(f, i, begin);
    else
        route_tell_input(f, i, buf_str(&why));
}

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

void route_take_path(struct route_filling *f)
{
    for (size_t i = 0; i < f->route->n_in_path; i++) {
        if (decode(f->segments[i], false, &f->text))
            take_text(f, i, buf_str(&f->text));
        else
            route_tell_input(f, i, STR("must be percent-encoded UTF-8"));
    }
}

/* The choices that any query may have. False: it is none of them. */
static bool take_choice(struct route_filling *f, struct str name, struct str value)
{
    struct query *query = &f->to->query;
    bool is_types = str_eq(name, STR("types")), known = false;
    bool *has = is_types ? &query->has_types : &query->has_integers;
    if (!is_types && !str_eq(name, STR("integers")))
        return false;
    if (*has) {
        route_tell(f, ROUTE_IN_QUERY, name, STR("is given twice: give it once"));
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
        route_tell(f, ROUTE_IN_QUERY, name,
                   is_types ? STR("must be plain or tagged")
                            : STR("must be number, safe or string"));
    return true;
}

static struct pair *pair_at(const struct route_filling *f, size_t i)
{
    return (struct pair *)(void *)f->pairs.data + i;
}

static void note_pair(struct route_filling *f, size_t i, struct str raw_value)
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

static void read_pair(struct route_filling *f, struct str pair)
{
    size_t equals = str_find(pair, '=');
    struct str raw_value = str_slice(pair, equals < pair.len ? equals + 1 : equals, pair.len);
    struct str shown = { "?", 1 };
    CLEANUP(buf_done) struct buf name;
    buf_init(&name, ROUTE_ERRORS_BYTES, NULL);
    if (!decode(str_slice(pair, 0, equals), true, &name) || !buf_ok(&name)) {
        route_tell(f, ROUTE_IN_QUERY, shown, STR("must be percent-encoded UTF-8"));
        return;
    }
    size_t i = route_input_find(f, ROUTE_IN_QUERY, buf_str(&name));
    if (i != SIZE_MAX) {
        note_pair(f, i, raw_value);
        return;
    }
    if (decode(raw_value, true, &f->text) && take_choice(f, buf_str(&name), buf_str(&f->text)))
        return;
    route_tell_unknown(f, ROUTE_IN_QUERY,
                       error_cut((struct str){ buf_c(&name), name.len }, ROUTE_NAME_MAX).text);
}

static void take_several(struct route_filling *f, size_t i)
{
    CLEANUP(buf_done) struct buf why;
    size_t begin = f->scratch.len, n = 0;
    buf_init(&why, ROUTE_SENTENCE_MAX, NULL);
    buf_append_byte(&f->scratch, '[');
    for (size_t at = f->values[i].first; at != 0; at = pair_at(f, at - 1)->next) {
        buf_append_c(&f->scratch, n++ > 0 ? "," : "");
        bool ok = decode(pair_at(f, at - 1)->value, true, &f->text);
        if (!ok)
            buf_append_c(&why, "must be percent-encoded UTF-8");
        if (ok && route_value_from_text(&f->route->inputs[i], buf_str(&f->text), &f->scratch, &why))
            continue;
        route_tell_input(f, i, buf_str(&why));
        return;
    }
    buf_append_byte(&f->scratch, ']');
    route_keep(f, i, begin);
}

static void take_pairs_of(struct route_filling *f, size_t i)
{
    const struct given_value *value = &f->values[i];
    if (value->first == 0)
        return;
    if (f->route->inputs[i].is_several)
        take_several(f, i);
    else if (value->first != value->last)
        route_tell_input(f, i, STR("is given several times: give it once"));
    else if (!decode(pair_at(f, value->first - 1)->value, true, &f->text))
        route_tell_input(f, i, STR("must be percent-encoded UTF-8"));
    else
        take_text(f, i, buf_str(&f->text));
}

bool route_read_query(struct route_filling *f)
{
    while (f->query.len > 0 && !route_is_enough(f)) {
        if (f->cost >= ROUTE_STEP)
            return false;
        size_t end = str_find(f->query, '&');
        if (end > 0)
            read_pair(f, str_slice(f->query, 0, end));
        f->cost += PAIR_COST + BYTE_COST * end + f->route->n_inputs;
        f->query = str_slice(f->query, end < f->query.len ? end + 1 : end, f->query.len);
    }
    return true;
}

bool route_take_pairs(struct route_filling *f)
{
    for (; f->next < f->route->n_inputs; f->next++) {
        if (f->cost >= ROUTE_STEP)
            return false;
        if (f->route->inputs[f->next].in == ROUTE_IN_QUERY)
            take_pairs_of(f, f->next);
        f->cost += PAIR_COST;
    }
    return true;
}
