/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/query.h"

#include "rules/percent.h"

/* Longer than any name or value that we know. [bytes] */
#define WORD_MAX 31

struct word {
    size_t len;
    char bytes[WORD_MAX];
};

static struct str word_str(const struct word *word)
{
    return (struct str){ word->bytes, word->len };
}

/* A word that is too long is cut where nothing known ends. */
static bool decode_word(struct str raw, struct word *ret, struct error *err)
{
    struct percent_character c;
    bool fits = true;
    ret->len = 0;
    while (raw.len > 0) {
        if (!percent_next(&raw, &c) || percent_is_control(&c))
            return error_set(err, PROBLEM_INVALID_REQUEST,
                             "The query is not percent-encoded UTF-8, or holds a control "
                             "character: send `?types=tagged` or the like.");
        fits = fits && c.len <= sizeof ret->bytes - ret->len;
        if (fits) {
            memcpy(ret->bytes + ret->len, c.bytes, c.len);
            ret->len += c.len;
        }
    }
    return true;
}

static bool given_twice(const char *name, struct error *err)
{
    return error_set(err, PROBLEM_INVALID_REQUEST, "The query gives `%s` twice: give it once.",
                     name);
}

static bool set_types(struct str value, struct query *ret, struct error *err)
{
    if (ret->has_types)
        return given_twice("types", err);
    ret->has_types = true;
#define X(word, name)                                                                              \
    if (str_eq(value, STR(name))) {                                                                \
        ret->types = TYPES_##word;                                                                 \
        return true;                                                                               \
    }
    TYPES_FORM_LIST(X)
#undef X
    return error_set(err, PROBLEM_INVALID_REQUEST,
                     "The query's `types` is \"%.*s\": use plain or tagged.", STR_ARGS(value));
}

static bool set_integers(struct str value, struct query *ret, struct error *err)
{
    if (ret->has_integers)
        return given_twice("integers", err);
    ret->has_integers = true;
#define X(word, name)                                                                              \
    if (str_eq(value, STR(name))) {                                                                \
        ret->integers = INTEGERS_##word;                                                           \
        return true;                                                                               \
    }
    INTEGERS_FORM_LIST(X)
#undef X
    return error_set(err, PROBLEM_INVALID_REQUEST,
                     "The query's `integers` is \"%.*s\": use number, safe or string.",
                     STR_ARGS(value));
}

static bool read_pair(struct str pair, struct query *ret, struct error *err)
{
    struct word name, value;
    size_t equals = str_find(pair, '=');
    struct str raw_value = str_slice(pair, equals < pair.len ? equals + 1 : equals, pair.len);
    if (!decode_word(str_slice(pair, 0, equals), &name, err) ||
        !decode_word(raw_value, &value, err))
        return false;
    if (str_eq(word_str(&name), STR("types")))
        return set_types(word_str(&value), ret, err);
    if (str_eq(word_str(&name), STR("integers")))
        return set_integers(word_str(&value), ret, err);
    return error_set(err, PROBLEM_INVALID_REQUEST,
                     "The query has no `%.*s`: use types or integers.", STR_ARGS(word_str(&name)));
}

bool query_parse(struct str query, struct query *ret, struct error *err)
{
    struct query read = { .has_types = false };
    while (query.len > 0) {
        size_t end = str_find(query, '&');
        if (end > 0 && !read_pair(str_slice(query, 0, end), &read, err))
            return false;
        query = str_slice(query, end < query.len ? end + 1 : end, query.len);
    }
    *ret = read;
    return true;
}
