/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/negotiate.h"

/* Weights are in thousandths: `q` has three digits at most. */
#define WEIGHT_ONE 1000U

/* How exactly a media range names a type. */
enum range { RANGE_NONE, RANGE_ALL, RANGE_TYPE, RANGE_EXACT };

/* What the best range for a type has said so far. */
struct wish {
    struct str type, exact; /* `text/`, `text/html` */
    enum range range;
    unsigned weight; /* [thousandths] */
};

/* What stands up to `end`, trimmed; `rest` goes on behind it. */
static struct str take_until(struct str *rest, char end)
{
    size_t at = str_find(*rest, end);
    struct str part = str_trim(str_slice(*rest, 0, at));
    *rest = str_slice(*rest, at + (at < rest->len), rest->len);
    return part;
}

/* `0.8`: at most three digits behind the point. What is no weight says nothing: 0. */
static unsigned read_weight(struct str text)
{
    unsigned weight = 0, unit = WEIGHT_ONE;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (i == 1 ? c != '.' : c < '0' || c > '9' || i > 4)
            return 0;
        if (i == 1)
            continue;
        weight += (unsigned)(c - '0') * unit;
        unit /= 10;
    }
    return weight <= WEIGHT_ONE ? weight : 0;
}

/* The `q` among the parameters that stand in `rest`. */
static unsigned weight_of(struct str rest)
{
    while (rest.len > 0) {
        struct str parameter = take_until(&rest, ';');
        if (str_starts_with_nocase(parameter, STR("q=")))
            return read_weight(str_slice(parameter, 2, parameter.len));
    }
    return WEIGHT_ONE;
}

static enum range range_for(const struct wish *wish, struct str name)
{
    if (str_eq_nocase(name, wish->exact))
        return RANGE_EXACT;
    if (name.len == wish->type.len + 1 && name.data[name.len - 1] == '*' &&
        str_starts_with_nocase(name, wish->type))
        return RANGE_TYPE;
    return str_eq(name, STR("*/*")) ? RANGE_ALL : RANGE_NONE;
}

/* The most exact range counts, whatever its weight is. */
static void weigh(struct wish *wish, struct str name, unsigned weight)
{
    enum range range = range_for(wish, name);
    if (range <= wish->range)
        return;
    wish->range = range;
    wish->weight = weight;
}

bool negotiate_prefers_html(const struct request_head *head)
{
    struct wish html = { .type = STR("text/"), .exact = STR("text/html") };
    struct wish json = { .type = STR("application/"), .exact = STR("application/json") };
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str rest = head->headers[i].value;
        if (!str_eq_nocase(head->headers[i].name, STR("Accept")))
            continue;
        while (rest.len > 0) {
            struct str range = take_until(&rest, ',');
            struct str name = take_until(&range, ';');
            unsigned weight = weight_of(range);
            weigh(&html, name, weight);
            weigh(&json, name, weight);
        }
    }
    return html.weight > json.weight;
}

bool negotiate_has(const struct request_head *head, struct str etag)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str rest = head->headers[i].value;
        if (!str_eq_nocase(head->headers[i].name, STR("If-None-Match")))
            continue;
        while (rest.len > 0) {
            struct str known = take_until(&rest, ',');
            if (str_starts_with_nocase(known, STR("W/")))
                known = str_slice(known, 2, known.len);
            if (str_eq(known, etag) || str_eq(known, STR("*")))
                return true;
        }
    }
    return false;
}
