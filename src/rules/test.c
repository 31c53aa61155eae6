/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/test.h"

#include "codec/json/cursor.h"
#include "codec/value/number_text.h"
#include "codec/xml/decode.h"
#include "settings/match.h"

#include <string.h>

/* Longer numbers are none that anybody writes into a test. [bytes] */
#define NUMBER_TEXT_MAX ((size_t)1024)

static bool is_number(enum decode_kind kind)
{
    return kind == DECODE_INTEGER || kind == DECODE_DOUBLE;
}

static bool is_text(enum decode_kind kind)
{
    return kind == DECODE_STRING || kind == DECODE_DATE || kind == DECODE_BINARY;
}

/* What is compared, and against what. */
struct look {
    struct decoder *d;
    const struct chain *out;
    struct decode_found at;
    struct buf text; /* of the value, once it is read */
};

static bool read_text(struct look *l, size_t max)
{
    buf_init(&l->text, max, NULL);
    return decoder_read(l->d, l->out, &l->at, max, &l->text);
}

static bool read_number(struct look *l, struct number_text *ret)
{
    return is_number(l->at.kind) && read_text(l, NUMBER_TEXT_MAX) &&
           number_text_read((struct str){ buf_c(&l->text), l->text.len }, ret);
}

/* -1, 0 or 1 as the value is below, at or above that number; false where it is none. */
static bool compare(struct look *l, const char *number, int *ret)
{
    struct number_text have, want;
    if (!number_text_read(str_of(number), &want) || !read_number(l, &have))
        return false;
    *ret = number_text_compare(&have, &want);
    return true;
}

static bool is_string(struct look *l, struct str quoted)
{
    CLEANUP(buf_done) struct buf want;
    buf_init(&want, quoted.len, NULL);
    json_unquote(quoted, &want);
    if (!is_text(l->at.kind) || !read_text(l, want.len))
        return false;
    return str_eq((struct str){ buf_c(&want), want.len },
                  (struct str){ buf_c(&l->text), l->text.len });
}

static bool is_scalar(struct look *l, const char *json)
{
    int order;
    switch (json[0]) {
    case '"':
        return is_string(l, str_of(json));
    case 't':
    case 'f':
        return l->at.kind == DECODE_BOOLEAN && read_text(l, NUMBER_TEXT_MAX) &&
               strcmp(buf_c(&l->text), json) == 0;
    default:
        return compare(l, json, &order) && order == 0;
    }
}

static bool matches(struct look *l, const struct texts *globs)
{
    if (!is_text(l->at.kind) || !read_text(l, TEST_TEXT_MAX))
        return false;
    return match_text(globs, str_trim((struct str){ buf_c(&l->text), l->text.len }));
}

static bool is_between(struct look *l, const char *from, const char *to)
{
    int order;
    if (from != NULL && (!compare(l, from, &order) || order < 0))
        return false;
    buf_done(&l->text);
    return to == NULL || (compare(l, to, &order) && order <= 0);
}

static bool has_all(struct decoder *d, size_t first, size_t n)
{
    struct decode_found found;
    for (size_t i = 0; i < n; i++)
        if (!decoder_find(d, first + i, &found))
            return false;
    return true;
}

bool test_holds(const struct value_test_config *test, size_t first, struct decoder *d,
                const struct chain *out)
{
    struct look look = { .d = d, .out = out };
    bool holds = true;
    if (!decoder_find(d, first, &look.at))
        return false;
    if (test->is != NULL)
        holds = is_scalar(&look, test->is);
    else if (test->from != NULL || test->to != NULL)
        holds = is_between(&look, test->from, test->to);
    else if (test->text.n > 0)
        holds = matches(&look, &test->text);
    buf_done(&look.text);
    return holds && has_all(d, first + 1, test->has.n);
}
